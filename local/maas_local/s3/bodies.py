"""Request bodies: read in pieces, unpacked from AWS's chunks, and compared with the digests that came with them."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Protocol

from maas_local.s3.errors import S3Error

PIECE_BYTES = 1 << 20
_STREAMING = "STREAMING-"
_UNSIGNED = "UNSIGNED-PAYLOAD"


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4)


_CHECKSUMS = {"x-amz-checksum-sha256": hashlib.sha256, "x-amz-checksum-sha1": hashlib.sha1}


def pieces(stream: IO[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The content of a request. Raises IncompleteBody if the connection ends early."""
    if is_chunked(headers):
        yield from _unpacked(stream)
        return
    left = int(headers["content-length"]) if headers.get("content-length") else None
    while left is None or left:
        piece = stream.read(PIECE_BYTES if left is None else min(PIECE_BYTES, left))
        if not piece:
            if left:
                raise S3Error("IncompleteBody", f"{left:,} bytes are missing")
            return
        yield piece
        left = None if left is None else left - len(piece)


def is_chunked(headers: Mapping[str, str]) -> bool:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html"""
    return headers.get("x-amz-content-sha256", "").startswith(_STREAMING)


def _unpacked(stream: IO[bytes]) -> Iterator[bytes]:
    """The content of AWS's chunks: SIZE[;chunk-signature=…] CRLF content CRLF, the last of size 0, then trailers."""
    while True:
        head = stream.readline().partition(b";")[0].strip()
        try:
            left = int(head, 16)
        except ValueError:
            raise S3Error("IncompleteBody", f"got {head[:40]!r}, expected the size of a chunk") from None
        if not left:
            while stream.readline().strip():  # trailers
                pass
            return
        while left:
            piece = stream.read(min(PIECE_BYTES, left))
            if not piece:
                raise S3Error("IncompleteBody", f"{left:,} bytes of a chunk are missing")
            yield piece
            left -= len(piece)
        stream.readline()


def checked(body: Iterable[bytes], headers: Mapping[str, str]) -> Iterator[bytes]:
    """The body. Raises BadDigest or XAmzContentSHA256Mismatch at its end if it is not what the headers announce."""
    wanted = list(_announced(headers))
    for piece in body:
        for running, _, _ in wanted:
            running.update(piece)
        yield piece
    for running, digest, name in wanted:
        if running.digest() != digest:
            code = "XAmzContentSHA256Mismatch" if name == "x-amz-content-sha256" else "BadDigest"
            raise S3Error(code, f"{name}: the digest of the received body differs")


def _announced(headers: Mapping[str, str]) -> Iterator[tuple[_Hash, bytes, str]]:
    whole = headers.get("x-amz-content-sha256", _UNSIGNED)
    if whole != _UNSIGNED and not whole.startswith(_STREAMING):
        yield hashlib.sha256(), _decoded("x-amz-content-sha256", whole, bytes.fromhex), "x-amz-content-sha256"
    if "content-md5" in headers:
        yield hashlib.md5(), _base64("content-md5", headers), "content-md5"  # noqa: S324 (S3's)
    for name, made in _CHECKSUMS.items():
        if name in headers:
            yield made(), _base64(name, headers), name
    if "x-amz-checksum-crc32" in headers:
        yield _Crc32(), _base64("x-amz-checksum-crc32", headers), "x-amz-checksum-crc32"


def _base64(name: str, headers: Mapping[str, str]) -> bytes:
    return _decoded(name, headers[name], lambda text: base64.b64decode(text, validate=True))


def _decoded(name: str, text: str, decode: Callable[[str], bytes]) -> bytes:
    try:
        return decode(text)
    except (ValueError, binascii.Error):
        raise S3Error("InvalidArgument", f"{name}: got {text!r:.100}, expected a digest") from None
