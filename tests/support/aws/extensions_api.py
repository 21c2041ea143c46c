"""Lambda's Extensions API: what an execution environment does around an invocation."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Any, Self

IDENTIFIER = "0b1d5d1e-4c5c-4a4f-8f0b-0d3a5b8f7a11"
PATIENCE_SECONDS = 60


class ExtensionsApi:
    """Serves one extension. `happened` has what came, and what the test adds, in order."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.happened, self.failures = status, SimpleQueue[str](), SimpleQueue[str]()
        self.registration: dict[str, Any] = {}
        self._asked, self._events = threading.Semaphore(0), SimpleQueue[dict[str, Any] | None]()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": self}))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def await_next(self) -> None:
        """Wait until the extension asks for its next event: a real environment would freeze now."""
        assert self._asked.acquire(timeout=PATIENCE_SECONDS), "the extension does not ask for its next event"

    def invoke(self, handler: Callable[[Any, Any], Any]) -> Any:
        """One invocation of an environment that waits for one; returns when it may freeze."""
        self.announce()
        answer = handler({}, None)
        self.happened.put("answered")
        self.await_next()
        return answer

    def announce(self) -> None:
        """Tell the extension of an invocation."""
        self._events.put({"eventType": "INVOKE", "requestId": "1"})

    def lose(self) -> None:
        """Close the connection on which the extension waits."""
        self._events.put(None)

    def story(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.happened.get_nowait())
            except Empty:
                return found

    def respond(self, request: "_Handler") -> None:
        if request.path.endswith("/register"):
            body = request.rfile.read(int(request.headers["content-length"]))
            self.registration = {"headers": dict(request.headers), "body": json.loads(body)}
            return request.send(self.status, {"functionName": "f"}, {"Lambda-Extension-Identifier": IDENTIFIER})
        assert request.path == "/2020-01-01/extension/event/next"
        assert request.headers["Lambda-Extension-Identifier"] == IDENTIFIER
        self.happened.put("next")
        self._asked.release()
        event = self._events.get()
        if event is None:
            request.close_connection = True
            return None
        return request.send(200, event, {"Lambda-Extension-Event-Identifier": "e"})


class _Handler(BaseHTTPRequestHandler):
    api: ExtensionsApi
    protocol_version = "HTTP/1.1"  # kept alive

    def do_GET(self) -> None:
        self.api.respond(self)

    def do_POST(self) -> None:
        self.api.respond(self)

    def send(self, status: int, document: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
