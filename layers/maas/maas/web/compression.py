"""Content-Encoding of requests and answers: gzip and deflate, as tritonclient offers them."""

import re
import zlib

from maas.errors import InvalidRequest, TooLarge

# A gateway's 10 MB can unpack to ten gigabytes; what a request of the binary form needs is far less than this.
MAX_BYTES = 64 * 1024 * 1024
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_FAST = 1


def decoded(body: bytes, encoding: str | None, max_bytes: int = MAX_BYTES) -> bytes:
    """The body as it was before its Content-Encoding. Raises InvalidRequest; TooLarge for one beyond `max_bytes`."""
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in _WINDOWS:
        raise InvalidRequest(f"content-encoding: got {name:.40}, expected gzip or deflate", field="content-encoding")
    unpacker = zlib.decompressobj(_WINDOWS[name])
    try:
        plain = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InvalidRequest(f"body: not {name} ({error})", field="body") from None
    if len(plain) > max_bytes:
        raise TooLarge(f"body: got over {max_bytes:,} bytes after {name}, expected at most so many", field="body")
    if not unpacker.eof:
        raise InvalidRequest(f"body: {name} ends before its end", field="body")
    if unpacker.unused_data:
        raise InvalidRequest(f"body: got {len(unpacker.unused_data)} bytes after {name}, expected none", field="body")
    return plain


def accepted(accept_encoding: str | None) -> list[str]:
    """The encodings that the client takes and we have, gzip first.

    A client that names one alone (tritonclient's `response_compression_algorithm`) asks for it. One that names all it
    can read, as HTTP libraries do by themselves, only allows it: packing costs more time than most networks.
    """
    offered = set()
    for part in (accept_encoding or "").lower().split(","):
        name, _, quality = part.partition(";")
        if not re.fullmatch(r"q=0(\.0*)?", quality.replace(" ", "")):
            offered.add(name.strip())
    return [name for name in ("gzip", "deflate") if name in offered]


def encoded(body: bytes, encoding: str) -> bytes:
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, _WINDOWS[encoding])
    return packer.compress(body) + packer.flush()
