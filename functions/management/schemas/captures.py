"""Schemas of captures."""

from typing import Self

from pydantic import BaseModel

from maas.sampling.captures import Captured
from schemas.shared import like

_FILE = {
    "name": "2026/01/31/12/0012-0123456789abcdef0123456789abcdef.jsonl.gz",
    "hour": "2026-01-31T12:00:00.000000Z",
    "size_bytes": 4800,
    "url": "https://bucket.s3.amazonaws.com/capture/digits/2/2026/01/31/12/0012-0123456789abcdef.jsonl.gz?X-Amz-Signature=…",
}


class CaptureFile(BaseModel):
    """Gzip-packed JSON Lines of requests that were answered in the hour. Lines of equal `id` are one request."""

    model_config = like(**_FILE)

    name: str
    hour: str
    size_bytes: int
    url: str

    @classmethod
    def of(cls, found: Captured) -> Self:
        return cls(name=found.name, hour=found.hour, size_bytes=found.size_bytes, url=found.url)


class Captures(BaseModel):
    model_config = like(captures=[_FILE], next_page_token=None)

    captures: list[CaptureFile]
    next_page_token: str | None
