"""A small HTTP server that keeps the contract of both APIs and of S3's presigned uploads, for the client to talk to."""

import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple

from support.server.state import ContractState, Refusal

HANG_UP = None


class Drip(NamedTuple):
    """Bytes as they are on the wire, one every `pause_seconds`, until the client hangs up."""

    raw: bytes
    pause_seconds: float


Trouble = Drip | int | float | None | tuple[int, dict[str, str], bytes]


class ContractServer(ContractState, ThreadingHTTPServer):
    """`trouble` is what the next requests whose method and path match a pattern meet.

    A status, or status, headers and body; seconds to sleep before the right answer; a Drip; or HANG_UP.
    """

    daemon_threads = True

    def __init__(self) -> None:
        ContractState.__init__(self)
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.trouble: list[tuple[str, Trouble]] = []
        self.connections = 0
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are part of the tests

    def seen_paths(self, method: str) -> list[str]:
        return [path for seen, path, _, _ in self.seen if seen == method]

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.seen]

    def next_trouble(self, path: str) -> Trouble:
        with self.lock:
            for index, (pattern, trouble) in enumerate(self.trouble):
                if re.search(pattern, path):
                    del self.trouble[index]
                    return trouble
        return 0.0


class _Handler(BaseHTTPRequestHandler):
    server: ContractServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.command, self.path, headers, body))
        match self.server.next_trouble(f"{self.command} {self.path}"):
            case None:
                self.close_connection = True
            case int(status):
                self._answer(status, {"message": "Service Unavailable"})
            case Drip(raw, pause_seconds):
                self._drip(raw, pause_seconds)
            case (status, more, content):
                self._answer(status, content, more)
            case seconds:
                time.sleep(seconds)
                self._answer_rightly(body)

    def _drip(self, raw: bytes, pause_seconds: float) -> None:
        self.close_connection = True
        for at in range(len(raw)):
            self.wfile.write(raw[at : at + 1])
            self.wfile.flush()
            time.sleep(pause_seconds)

    def _answer_rightly(self, body: bytes) -> None:
        try:
            self._answer(*self._route(body))
        except Refusal as refusal:
            self._answer(refusal.status, refusal.body)

    def _answer(self, status: int, answer: object, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        body = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def _infer(
        self, name: str, reference: str | None, body: bytes
    ) -> tuple[int, object] | tuple[int, object, dict[str, str]]:
        length = int(self.headers.get("inference-header-content-length", 0)) or None
        if "respond-async" in self.headers.get("prefer", ""):
            return 202, self.server.infer_later(name, reference, body, length)
        answer, head = self.server.infer(name, reference, body, length)
        return 200, answer, {"Inference-Header-Content-Length": str(head)} if head else {}

    def _route(self, body: bytes) -> tuple[int, object] | tuple[int, object, dict[str, str]]:
        path, _, query = self.path.partition("?")
        with self.server.lock:
            if path.startswith("/bucket/") and self.command == "GET":
                return 200, self.server.content(path.removeprefix("/bucket/"))
            if path.startswith("/bucket/"):
                assert "transfer-encoding" not in self.headers
                self.server.parts[path][int(query.rpartition("=")[2])] = body
                return 200, None
            if self.command == "POST" and (asked := re.fullmatch(f"{SERVED}/infer", path)):
                return self._infer(*asked.groups(), body)
            if self.command == "POST" and (asked := re.fullmatch(f"{SERVED}/profile", path)):
                return 200, self.server.profile(*asked.groups(), json.loads(body))
            if (self.command, path) == ("POST", JOBS):
                return 201, self.server.create_job(json.loads(body), self.headers.get("idempotency-key"))
            argument = json.loads(body) if body else dict(re.findall(r"(\w+)=([^&]*)", query))
            for route, (status, call) in ROUTES.items():
                method, _, pattern = route.partition(" ")
                found = re.fullmatch(pattern, path)
                if found and method == self.command:
                    answer = call(self.server, argument, *found.groups())
                    return 204 if answer is None else status, answer
        raise Refusal(404, f"there is no {self.path}")


MODELS, MODEL = "/api/v1/models", "/api/v1/models/([^/]+)"
VERSION, ALIAS = f"{MODEL}/versions/(\\d+)", f"{MODEL}/aliases/([^/]+)"
ROLLOUTS = f"{MODEL}/rollouts"
JOBS, JOB = "/api/v1/jobs", "/api/v1/jobs/([0-9a-f]{20})"
KEYS, KEY = "/api/v1/keys", "/api/v1/keys/([0-9a-f]{16})"
SERVED = "/v2/models/([^/]+)(?:/versions/([^/]+))?"
# Calls get the server, the body or the query, and the groups of the path.
ROUTES: dict[str, tuple[int, Callable[..., object]]] = {
    f"POST {MODELS}": (201, lambda server, body: server.create_model(body)),
    f"GET {MODELS}": (200, lambda server, query: server.list_models(query)),
    f"GET {MODEL}": (200, lambda server, query, name: server.model_json(name, deleted="include_deleted" in query)),
    f"PATCH {MODEL}": (200, lambda server, body, name: server.update(body, name)),
    f"DELETE {MODEL}": (200, lambda server, query, name: server.delete(query, name)),
    f"POST {MODEL}/restore": (200, lambda server, _, name: server.restore(name)),
    f"GET {MODEL}/history": (200, lambda server, query, name: server.list_history(query, name)),
    f"GET {MODEL}/metrics": (200, lambda server, query, name: server.metrics(query, name)),
    f"POST {MODEL}/versions": (201, lambda server, body, name: server.create_version(name, body)),
    f"GET {MODEL}/versions": (200, lambda server, query, name: server.list_versions(name, query)),
    f"GET {VERSION}": (200, lambda server, query, name, number: server.look(name, int(number), query)),
    f"PATCH {VERSION}": (200, lambda server, body, name, number: server.update(body, name, int(number))),
    f"DELETE {VERSION}": (200, lambda server, query, name, number: server.delete(query, name, int(number))),
    f"POST {VERSION}/restore": (200, lambda server, _, name, number: server.restore(name, int(number))),
    f"POST {VERSION}/complete": (202, lambda server, _, name, number: server.complete(name, int(number))),
    f"GET {VERSION}/files": (200, lambda server, _, name, number: server.files(name, int(number))),
    f"GET {VERSION}/captures": (200, lambda *_: {"captures": [], "next_page_token": None}),
    f"GET {MODEL}/aliases": (200, lambda server, _, name: server.list_aliases(name)),
    f"GET {ALIAS}": (200, lambda server, _, *names: server.alias_json(*names)),
    f"PUT {ALIAS}": (200, lambda server, body, *names: server.put_alias(*names, body)),
    f"POST {ALIAS}/rollback": (200, lambda server, _, *names: server.roll_back(*names)),
    f"DELETE {ALIAS}": (204, lambda server, _, *names: server.delete_alias(*names)),
    f"POST {ROLLOUTS}": (201, lambda server, body, name: server.start_rollout(name, body)),
    f"GET {ROLLOUTS}": (200, lambda server, query, name: server.list_rollouts(name, query)),
    f"GET {ROLLOUTS}/(\\d+)": (200, lambda server, _, *names: server.rollout_json(*names)),
    f"POST {ROLLOUTS}/(\\d+)/(pause|resume|abort|breach)": (200, lambda server, _, *names: server.move_rollout(*names)),
    f"GET {JOBS}": (200, lambda server, query: server.list_jobs(query)),
    f"GET {JOB}": (200, lambda server, _, job: server.look_at_job(job)),
    f"POST {JOB}/complete": (202, lambda server, _, job: server.complete_job(job)),
    f"GET {JOB}/results": (200, lambda server, query, job: server.job_results(job, query)),
    f"POST {JOB}/retry": (202, lambda server, _, job: server.retry_job(job)),
    f"DELETE {JOB}": (200, lambda server, _, job: server.cancel_job(job)),
    f"POST {KEYS}": (201, lambda server, body: server.create_key(body)),
    "GET /api/v1/caller": (200, lambda server, _: server.caller_json()),
    f"GET {KEYS}": (200, lambda server, query: server.list_keys(query)),
    f"GET {KEY}": (200, lambda server, _, key: server.key_json(key)),
    f"POST {KEY}/rotate": (200, lambda server, _, key: server.rotate_key(key)),
    f"DELETE {KEY}": (200, lambda server, _, key: server.revoke_key(key)),
    f"GET {SERVED}": (200, lambda server, _, name, reference: server.metadata(name, reference)),
}


def inferences(*troubles: Trouble) -> list[tuple[str, Trouble]]:
    """Trouble for the next inferences, one each."""
    return [("/infer", trouble) for trouble in troubles]


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
