"""A small HTTP server that keeps the contract of both APIs and of S3's presigned uploads, for the client to talk to."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.server.state import ContractState, Refusal


class ContractServer(ContractState, ThreadingHTTPServer):
    """`trouble` answers the next requests whose path it matches: (pattern, status or None to hang up)."""

    daemon_threads = True

    def __init__(self) -> None:
        ContractState.__init__(self)
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.trouble: list[tuple[str, int | None]] = []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are part of the tests

    def seen_paths(self, method: str) -> list[str]:
        return [path for seen, path, _, _ in self.seen if seen == method]

    def next_trouble(self, path: str) -> tuple[bool, int | None]:
        with self.lock:
            for index, (pattern, status) in enumerate(self.trouble):
                if re.search(pattern, path):
                    del self.trouble[index]
                    return True, status
        return False, None


class _Handler(BaseHTTPRequestHandler):
    server: ContractServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        troubled, status = self.server.next_trouble(f"{self.command} {self.path}")
        if troubled and status is None:
            self.close_connection = True
            return None
        if troubled and status is not None:
            return self._answer(status, {"message": "Service Unavailable"})
        try:
            self._answer(*self._route(body))
        except Refusal as refusal:
            self._answer(refusal.status, refusal.body)

    def _answer(self, status: int, answer: object) -> None:
        body = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _route(self, body: bytes) -> tuple[int, object]:
        path, _, query = self.path.partition("?")
        with self.server.lock:
            if path.startswith("/bucket/") and self.command == "GET":
                return 200, self.server.content(path.removeprefix("/bucket/"))
            if path.startswith("/bucket/"):
                assert "transfer-encoding" not in self.headers
                self.server.parts[path][int(query.rpartition("=")[2])] = body
                return 200, None
            if "respond-async" in self.headers.get("prefer", "") and (asked := re.fullmatch(f"{SERVED}/infer", path)):
                length = self.headers.get("inference-header-content-length")
                return 202, self.server.infer_later(*asked.groups(), body, length)
            if (self.command, path) == ("POST", JOBS):
                return 201, self.server.create_job(json.loads(body), self.headers.get("idempotency-key"))
            argument = json.loads(body) if body else dict(re.findall(r"(\w+)=([^&]*)", query))
            for route, (status, call) in ROUTES.items():
                method, _, pattern = route.partition(" ")
                found = re.fullmatch(pattern, path)
                if found and method == self.command:
                    return status, call(self.server, argument, *found.groups())
        raise Refusal(404, f"there is no {self.path}")


MODELS, MODEL = "/api/v1/models", "/api/v1/models/([^/]+)"
JOBS, JOB = "/api/v1/jobs", "/api/v1/jobs/([0-9a-f]{20})"
SERVED = "/v2/models/([^/]+)(?:/versions/([^/]+))?"
ROUTES: dict[str, tuple[int, Callable[..., object]]] = {
    f"POST {MODELS}": (201, lambda server, body: server.create_model(body)),
    f"GET {MODELS}": (200, lambda server, query: server.list_models(query)),
    f"GET {MODEL}": (200, lambda server, _, name: server.model_json(name)),
    f"POST {MODEL}/versions": (201, lambda server, body, name: server.create_version(name, body)),
    f"GET {MODEL}/versions": (200, lambda server, query, name: server.list_versions(name, query)),
    f"GET {MODEL}/versions/(\\d+)": (200, lambda server, _, name, number: server.look(name, int(number))),
    f"POST {MODEL}/versions/(\\d+)/complete": (202, lambda server, _, name, number: server.complete(name, int(number))),
    f"GET {MODEL}/aliases": (200, lambda server, _, name: server.list_aliases(name)),
    f"GET {MODEL}/aliases/([^/]+)": (200, lambda server, _, name, alias: server.alias_json(name, alias)),
    f"PUT {MODEL}/aliases/([^/]+)": (200, lambda server, body, *names: server.put_alias(*names, body["version"])),
    f"DELETE {MODEL}/aliases/([^/]+)": (204, lambda server, _, *names: server.delete_alias(*names)),
    f"GET {JOBS}": (200, lambda server, query: server.list_jobs(query)),
    f"GET {JOB}": (200, lambda server, _, job: server.look_at_job(job)),
    f"POST {JOB}/complete": (202, lambda server, _, job: server.complete_job(job)),
    f"GET {JOB}/results": (200, lambda server, query, job: server.job_results(job, query)),
    f"POST {JOB}/retry": (202, lambda server, _, job: server.retry_job(job)),
    f"DELETE {JOB}": (200, lambda server, _, job: server.cancel_job(job)),
    f"GET {SERVED}": (200, lambda server, _, name, reference: server.metadata(name, reference)),
    f"POST {SERVED}/infer": (200, lambda server, body, name, reference: server.infer(name, reference, body)),
}


@contextmanager
def contract_server() -> Iterator[ContractServer]:
    with ContractServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
