"""A server that has a system under a path of its own, as a stage or a custom domain's mapping does."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

_NOT_PASSED_ON = {"content-length", "transfer-encoding", "connection", "host"}


@contextmanager
def under(prefix: str, url: str) -> Iterator[str]:
    """The address under which the system at `url` answers below `prefix`; all else there is 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.close_connection = True
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                return
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
            target = url + self.path.removeprefix(prefix)
            with client.stream(self.command, target, headers=headers, content=body) as answer:
                content = b"".join(answer.iter_raw())  # as it is packed
                self.send_response(answer.status_code)
                for name, value in answer.headers.items():
                    if name not in _NOT_PASSED_ON:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with httpx.Client(timeout=60) as client, ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{prefix}"
        server.shutdown()
