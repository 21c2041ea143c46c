"""HTTP/1.1 as uvicorn reads it, for clients that offer another protocol with their request."""

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_UPGRADE = re.compile(rb"\r\nupgrade:[^\r\n]*", re.IGNORECASE)


class Http1(HttpToolsProtocol):
    """Ignores an `Upgrade`, which Java's client and `curl --http2` send: httptools would drop the request's body.

    https://www.rfc-editor.org/rfc/rfc9110#name-upgrade
    """

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or not self.cycle.more_body:  # a request begins
            end = data.find(b"\r\n\r\n")
            end = len(data) if end < 0 else end
            if _UPGRADE.search(data, 0, end):
                data = _UPGRADE.sub(b"", data[:end]) + data[end:]
        super().data_received(data)
