# Made from _async/captures_api.py by client/generate_sync.py: change that file.
"""`maas.captures`: requests that an alias has captured."""

import builtins
import zlib
from datetime import datetime
from typing import Any

from maas_client._sync import downloads
from maas_client._sync.transport import Transport
from maas_client.calls import api_path, times
from maas_client.errors import DownloadFailed
from maas_client.reading import instant, parse
from maas_client.records.captures import CaptureFile

MAX_BYTES = 1 << 30  # of a file, unpacked


class Captures:
    """Captured requests of a version, for keys of scope `captures:read`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self, model: str, version: int, *, start: datetime | None = None, end: datetime | None = None
    ) -> builtins.list[CaptureFile]:
        """The files of every hour that has a part in the time, oldest first; by default of the last day.

        >>> maas.captures.list("digits", 1)
        []
        """
        path = api_path("models", model, "versions", str(version), "captures")
        return self._transport.pages(path, "captures", CaptureFile, None, times(start, end))

    def lines(
        self, model: str, version: int, *, start: datetime | None = None, end: datetime | None = None
    ) -> builtins.list[dict[str, Any]]:
        """The requests that were answered in the time, oldest first, each once. Raises DownloadFailed.

        >>> maas.captures.lines("digits", 1)
        []
        """
        found: dict[str, dict[str, Any]] = {}
        for file in self.list(model, version, start=start, end=end):
            for line in _unpacked(downloads.content(file.url, file.name), file.name).splitlines():
                request = parse(line)
                at = instant(request["at"])
                if (start is None or at >= start) and (end is None or at < end):
                    found[request["id"]] = request
        return sorted(found.values(), key=lambda one: (one["at"], one["id"]))


def _unpacked(packed: bytes, name: str) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        content = unpacking.decompress(packed, MAX_BYTES)
    except zlib.error as error:
        raise DownloadFailed(f"{name} is no gzip file: {error}") from None
    if not unpacking.eof:
        raise DownloadFailed(f"{name} is cut off, or larger than {MAX_BYTES:,} bytes unpacked")
    return content
