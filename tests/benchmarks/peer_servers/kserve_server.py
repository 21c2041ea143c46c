"""KServe over ONNX files: `python kserve_server.py PORT THREADS NAME=PATH …`, in the environment of `make peers`."""

import logging
import sys

import onnx_session
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.numpy_codec import from_np_dtype
from kserve.utils.utils import generate_uuid


class OnnxModel(Model):
    """Every input to every output. The answer is arrays: KServe itself makes JSON or binary of them."""

    def __init__(self, name: str, path: str, threads: int) -> None:
        super().__init__(name)
        self._session = onnx_session.load(path, threads)
        self._outputs = [node.name for node in self._session.get_outputs()]
        self.ready = True

    def predict(self, payload: InferRequest, headers: dict[str, str] | None = None) -> InferResponse:
        arrays = self._session.run(self._outputs, {tensor.name: tensor.as_numpy() for tensor in payload.inputs})
        outputs = [
            InferOutput(name, list(array.shape), from_np_dtype(array.dtype), array)
            for name, array in zip(self._outputs, arrays, strict=True)
        ]
        return InferResponse(
            payload.id or generate_uuid(),
            self.name,
            outputs,
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


def main() -> None:
    port, threads, *models = sys.argv[1:]
    server = ModelServer(http_port=int(port), workers=1, enable_grpc=False, enable_latency_logging=False)
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    server.start([OnnxModel(*model.split("=", 1), int(threads)) for model in models])


if __name__ == "__main__":
    main()
