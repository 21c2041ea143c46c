"""Content-Encoding of requests and responses: gzip and deflate, the ones that tritonclient offers."""

import re
import zlib
from functools import lru_cache

from maas.errors import InvalidRequest, TooLarge

# A request of API Gateway's 10 MB can unpack to 10 GB; binary requests need far less than this limit.
MAX_BYTES = 64 * 1024 * 1024
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_FAST = 1
PIECE_BYTES = 4096


def decoded(body: bytes, encoding: str | None, max_bytes: int = MAX_BYTES) -> bytes:
    """The body without its Content-Encoding. Raises InvalidRequest, and TooLarge beyond `max_bytes`."""
    if encoding is None:
        return body
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in _WINDOWS:
        raise InvalidRequest(f"content-encoding: got {name:.40}, expected gzip or deflate", field="content-encoding")
    plain = bytearray()
    view, position = memoryview(body), 0
    while position < len(view) or not position:
        position = _unpack(view, position, name, plain, max_bytes)
        if name == "deflate" and position < len(view):
            more = len(view) - position
            raise InvalidRequest(f"body: got {more} bytes after deflate, expected none", field="body")
    return bytes(plain)


def _unpack(packed: memoryview, position: int, name: str, plain: bytearray, max_bytes: int) -> int:
    """Appends one gzip member, or all of a deflate stream, to `plain`; returns the position after it.

    Reads small pieces: a body may hold a million members, and zlib copies what follows a member in its piece.
    """
    unpacker = zlib.decompressobj(_WINDOWS[name])
    while not unpacker.eof:
        piece = packed[position : position + PIECE_BYTES]
        if not piece:
            raise InvalidRequest(f"body: the {name} data is cut off", field="body")
        try:
            plain += unpacker.decompress(piece, max_bytes + 1 - len(plain))
        except zlib.error as error:
            raise InvalidRequest(f"body: not {name} ({error})", field="body") from None
        if len(plain) > max_bytes:
            raise TooLarge(
                f"body: got more than the limit of {max_bytes:,} bytes after unpacking {name}: "
                "send a large request as a job of kind infer",
                field="body",
            )
        position += len(piece) - len(unpacker.unused_data)
    return position


@lru_cache(64)  # a few clients make most requests
def accepted(accept_encoding: str | None) -> tuple[str, ...]:
    """The encodings that both the client and this module support, gzip first.

    A client that names exactly one (tritonclient's `response_compression_algorithm`) wants it. HTTP libraries list all
    that they can read by default: compressing would then cost more time than most networks save.
    """
    offered = set()
    for part in (accept_encoding or "").lower().split(","):
        name, _, quality = part.partition(";")
        if not re.fullmatch(r"q=0(\.0*)?", quality.replace(" ", "")):
            offered.add(name.strip())
    return tuple(name for name in ("gzip", "deflate") if name in offered)


def encoded(body: bytes, encoding: str) -> bytes:
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, _WINDOWS[encoding])
    return packer.compress(body) + packer.flush()
