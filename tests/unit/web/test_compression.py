"""Content-Encoding of requests and responses."""

import gzip
import time
import zlib

import pytest

from maas.errors import InvalidRequest, TooLarge
from maas.web.compression import accepted, decoded, encoded

TEXT = b'{"inputs": []}' * 1000
EMPTY = gzip.compress(b"")


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_identity(encoding: str | None) -> None:
    assert decoded(TEXT, encoding) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_round_trip(encoding: str) -> None:
    assert decoded(encoded(TEXT, encoding), encoding) == TEXT


def test_members_of_gzip_are_joined() -> None:
    assert (
        decoded(gzip.compress(b"a") + EMPTY + gzip.compress(TEXT) + gzip.compress(b"z"), "x-gzip") == b"a" + TEXT + b"z"
    )
    large = [bytes([number]) * 9000 + zlib.compress(TEXT) for number in range(20)]
    assert decoded(b"".join(map(gzip.compress, large)), "gzip") == b"".join(large)


def test_many_members_take_linear_time() -> None:
    started = time.process_time()
    assert decoded(EMPTY * 100_000, "gzip") == b""
    assert time.process_time() - started < 5


@pytest.mark.parametrize("members", [1, 2, 5])
def test_size_limit_counts_all_members(members: int) -> None:
    body = gzip.compress(b"x" * 1000) * members
    assert len(decoded(body, "gzip", 1000 * members)) == 1000 * members
    with pytest.raises(TooLarge, match="limit of"):
        decoded(body, "gzip", 1000 * members - 1)


def test_bomb_is_refused_early() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(TooLarge):
        decoded(gzip.compress(b"a") + bomb, "gzip", 1_000_000)


@pytest.mark.parametrize(
    ("body", "encoding", "message"),
    [
        (TEXT, "gzip", "not gzip"),
        (gzip.compress(TEXT)[:-1], "gzip", "cut off"),
        (gzip.compress(TEXT) + gzip.compress(TEXT)[:-1], "gzip", "cut off"),
        (gzip.compress(TEXT) + b"more", "gzip", "not gzip"),
        (gzip.compress(TEXT) + EMPTY + b"\0" * 9000, "gzip", "not gzip"),
        (gzip.compress(TEXT)[:-8] + b"12345678", "gzip", "not gzip"),
        (b"", "gzip", "cut off"),
        (zlib.compress(TEXT) + zlib.compress(TEXT), "deflate", "expected none"),
        (TEXT, "br", "got br, expected gzip or deflate"),
    ],
)
def test_invalid_bodies(body: bytes, encoding: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        decoded(body, encoding)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ()),
        ("gzip", ("gzip",)),
        ("deflate, gzip;q=0.5", ("gzip", "deflate")),
        ("gzip;q=0, deflate", ("deflate",)),
    ],
)
def test_accepted_encodings(header: str | None, expected: tuple[str, ...]) -> None:
    assert accepted(header) == expected
