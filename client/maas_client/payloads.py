"""How much a call carries: Lambda takes 6 MB for an event, in which bytes are base64 and text has escaped quotes."""

import gzip
from dataclasses import replace

from maas_client.calls import Body
from maas_client.errors import TooLarge

EVENT_BYTES = 6 * 1024 * 1024  # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
RESERVED_BYTES = 32 * 1024  # what else is in the event: headers, path, the authorizer's context
BODY_BYTES = EVENT_BYTES - RESERVED_BYTES
BINARY_BYTES = BODY_BYTES // 4 * 3
UNPACKED_BYTES = 64 * 1024 * 1024  # the server refuses gzip that holds more
FAST = 1
LATER = "infer_later, infer(..., large='later') and `maas predict --later` take more"


def carried(body: Body) -> Body:
    """The body, gzipped if it is too large otherwise. Raises TooLarge."""
    if _fits(body):
        return body
    if len(body.content) > UNPACKED_BYTES:
        raise TooLarge(413, f"the request has {len(body.content):,} bytes, a call takes {UNPACKED_BYTES:,}; {LATER}")
    packed = gzip.compress(body.content, FAST, mtime=0)
    if len(packed) > BINARY_BYTES:
        came = f"the request has {len(body.content):,} bytes, {len(packed):,} with gzip"
        raise TooLarge(413, f"{came}; a call takes {BINARY_BYTES:,}. {LATER}")
    return replace(body, content=packed, headers={**body.headers, "content-encoding": "gzip"})


def _fits(body: Body) -> bool:
    content = body.content
    if body.headers["content-type"] != "application/json":
        return len(content) <= BINARY_BYTES
    if len(content) * 2 <= BODY_BYTES:  # counting is slow
        return True
    return len(content) + content.count(b'"') + content.count(b"\\") <= BODY_BYTES
