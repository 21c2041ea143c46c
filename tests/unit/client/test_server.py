"""A server of the Open Inference Protocol, written by hand on NumPy, for the clients to talk to; Triton's judges it."""

import asyncio
import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import tritonclient.http as triton

from maas_client import AsyncMaasClient, MaasClient

KINDS = {"BOOL": "?", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", "BF16": "<u2"}
KINDS |= {
    f"{prefix}INT{8 * size}": f"<{kind}{size}" for prefix, kind in (("U", "u"), ("", "i")) for size in (1, 2, 4, 8)
}


class OipServer(ThreadingHTTPServer):
    """Model `echo` answers its inputs as they came, under the names y0, y1, ... Its signature is `inputs`.

    `script` has what the next inferences get instead: a status, headers and body, or seconds to sleep, or None.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
        self.seen: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.arrays: list[np.ndarray] = []
        self.script: list[tuple[int, dict[str, str], bytes] | float | None] = []
        self.connections = 0

    def handle_error(self, *_: object) -> None:
        pass  # clients that hang up are part of the tests


class _Handler(BaseHTTPRequestHandler):
    server: OipServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        if not self.path.startswith("/v2/models/echo"):
            self.answer(404, {}, b'{"error": "there is no such model"}')
            return
        said = {"name": "echo", "versions": ["3"], "platform": "onnx_onnxv1", "inputs": self.server.inputs}
        self.answer(200, {}, json.dumps(said | {"outputs": []}).encode())

    def do_POST(self) -> None:
        self.server.seen.append(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        scripted = self.server.script.pop(0) if self.server.script else 0.0
        if scripted is None:
            self.close_connection = True
        elif isinstance(scripted, tuple):
            self.answer(*scripted)
        else:
            time.sleep(scripted)
            self.infer(body)

    def infer(self, body: bytes) -> None:
        at = int(self.headers.get("inference-header-content-length", len(body)))
        request = json.loads(body[:at])
        self.server.requests.append(request)
        names = {one["name"] for one in self.server.inputs}
        if any(tensor["name"] not in names for tensor in request["inputs"]):
            self.answer(400, {}, b'{"error": "no such input", "field": "inputs"}')
            return
        outputs, raws = [], b""
        for index, tensor in enumerate(request["inputs"]):
            size = tensor.get("parameters", {}).get("binary_data_size", 0)
            array = read_raw(tensor, body[at : at + size]) if "data" not in tensor else read_json(tensor)
            at += size
            self.server.arrays.append(array)
            if "outputs" in request and {"name": f"y{index}"} not in request["outputs"]:
                continue
            output = {"name": f"y{index}", "datatype": tensor["datatype"], "shape": tensor["shape"]}
            if request.get("parameters", {}).get("binary_data_output"):
                raw = write_raw(array)
                output["parameters"], raws = {"binary_data_size": len(raw)}, raws + raw
            else:
                output["data"] = [_spelled(value) for value in array.ravel().tolist()]
            outputs.append(output)
        assert at == len(body)
        said = {"model_name": "echo", "model_version": "3", "outputs": outputs}
        head = json.dumps(said | ({"id": request["id"]} if "id" in request else {})).encode()
        self.answer(200, {"Inference-Header-Content-Length": str(len(head))} if raws else {}, head + raws)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def read_raw(tensor: dict[str, Any], raw: bytes) -> np.ndarray:
    if tensor["datatype"] != "BYTES":
        return np.frombuffer(raw, KINDS[tensor["datatype"]]).reshape(tensor["shape"])
    elements, at = [], 0
    while at < len(raw):
        length = struct.unpack("<I", raw[at : at + 4])[0]
        elements.append(raw[at + 4 : at + 4 + length])
        at += 4 + length
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(tensor["shape"])


def read_json(tensor: dict[str, Any]) -> np.ndarray:
    return np.array(tensor["data"], KINDS.get(tensor["datatype"], object)).reshape(tensor["shape"])


def write_raw(array: np.ndarray) -> bytes:
    if array.dtype != object:
        return array.tobytes()
    return b"".join(struct.pack("<I", len(one)) + one for one in array.ravel())


def _spelled(value: object) -> object:
    odd = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return odd.get(str(value), value) if isinstance(value, float) else value


class Awaited:
    """AsyncMaasClient with methods that can be called as those of MaasClient are."""

    def __init__(self, client: AsyncMaasClient, runner: asyncio.Runner) -> None:
        self._client, self._runner = client, runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return lambda *arguments, **named: self._runner.run(method(*arguments, **named))


@contextmanager
def oip_server() -> Iterator[OipServer]:
    with OipServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def client_of(kind: str, url: str, **settings: Any) -> Iterator[Any]:
    if kind == "blocking":
        with MaasClient(url, **settings) as client:
            yield client
    else:
        with asyncio.Runner() as runner:
            client = AsyncMaasClient(url, **settings)
            yield Awaited(client, runner)
            runner.run(client.close())


def test_tritons_client_finds_it_right() -> None:
    given = triton.InferInput("x", [2], "BYTES")
    given.set_data_from_numpy(np.array([b"a", b"\xff\x00"], object))
    with oip_server() as server:
        client = triton.InferenceServerClient(server.url.removeprefix("http://"))
        assert client.infer("echo", [given]).as_numpy("y0").tolist() == [b"a", b"\xff\x00"]
        client.close()
        assert server.arrays[0].tolist() == [b"a", b"\xff\x00"]
