"""Objects of gigabytes: kept on disk, while everything else goes on to the endpoint behind. In a process of its own.

moto keeps objects in memory and copies a whole one for each range that is read of it.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from support.aws.engine import ROOT

PART_BYTES = 8 << 20  # of boto3's own multipart uploads
PIECE_BYTES = 1 << 20
HOP_BY_HOP = {"connection", "content-length", "date", "server", "transfer-encoding"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder: Path
    prefix: str
    behind: str  # host and port

    def log_message(self, *_: object) -> None:
        pass

    def _any(self) -> None:
        url = urlsplit(self.path)
        path = self.folder / url.path.removeprefix(self.prefix).replace("/", "~")
        query = parse_qs(url.query, keep_blank_values=True)
        if not url.path.startswith(self.prefix):
            self._pass_on()
        elif self.command == "PUT":
            self._write(path, int(query.get("partNumber", ["1"])[0]))
        elif self.command == "POST":
            self._read_body()
            self._answer(200, b"<Result><UploadId>1</UploadId></Result>")
        else:
            self._read(path)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815 (http.server's names)

    def _read(self, path: Path) -> None:
        if not path.exists():
            self._answer(404, b"" if self.command == "HEAD" else b"<Error><Code>NoSuchKey</Code></Error>")
            return
        start, end, status = 0, path.stat().st_size, 200
        if asked := self.headers.get("range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end, status = int(first), int(last) + 1, 206
        self._start(status, end - start)
        with path.open("rb") as file:
            if self.command == "GET":
                self.connection.sendfile(file, start, end - start)

    def _write(self, path: Path, part: int) -> None:
        left = int(self.headers["content-length"])
        if self.headers.get("expect"):
            self.send_response_only(100)
            self.end_headers()
        path.touch()
        with path.open("r+b") as file:
            file.seek((part - 1) * PART_BYTES)
            while left:
                piece = self.rfile.read(min(PIECE_BYTES, left))
                file.write(piece)
                left -= len(piece)
        self._answer(200, b"")

    def _pass_on(self) -> None:
        connection = HTTPConnection(self.behind, timeout=60)
        connection.request(self.command, self.path, self._read_body(), dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        length = int(answer.headers.get("content-length", len(body)))
        self._start(answer.status, length, {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP})
        self.wfile.write(body)
        connection.close()

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def _answer(self, status: int, body: bytes) -> None:
        self._start(status, len(body))
        self.wfile.write(body)

    def _start(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in (headers or {"x-amz-version-id": "1", "etag": '"1"'}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(length))
        self.end_headers()


@contextmanager
def disk_bucket(endpoint_url: str, prefix: str, folder: Path) -> Iterator[str]:
    """The address of an endpoint like the one behind it, with the objects under `prefix` (`/BUCKET/…`) in `folder`."""
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.disk_bucket", urlsplit(endpoint_url).netloc, prefix, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def main() -> None:
    """Until standard input ends."""
    behind, prefix, folder = sys.argv[1:]
    fields = {"folder": Path(folder), "prefix": prefix, "behind": behind}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), fields))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
