"""The only home of onnxruntime: a model file becomes something that runs."""

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidProtobuf

from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor

Array = np.ndarray[Any, Any]

# https://onnxruntime.ai/docs/reference/types: its names of tensor types, and the protocol's datatypes.
DATATYPES: Mapping[str, str] = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}


_SOURCE_PLACE = re.compile(r"/onnxruntime_src/\S+ .*?\) (?=[A-Z\[])")


class Runner:
    """A loaded model. `run` may be called from several threads at once (onnxruntime's own guarantee)."""

    def __init__(self, path: Path, threads: int) -> None:
        """Load from a path, which onnxruntime does with less memory than from bytes.

        Raises ModelRejected when onnxruntime does not take the file, or a tensor type has no place in the protocol.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # A frozen Lambda must not burn its next milliseconds on threads that spin for work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        started = time.perf_counter()
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelRejected(_load_failure(error, path)) from error
        self.load_ms = (time.perf_counter() - started) * 1000
        self.inputs = tuple(_metadata(node, "input") for node in self._session.get_inputs())
        self.outputs = tuple(_metadata(node, "output") for node in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """The named outputs (all if None) in order, each an array of the datatype that `outputs` tells.

        Raises RunFailed with onnxruntime's reason: shapes that are well-formed can still not fit the graph.
        """
        try:
            return self._session.run(outputs, inputs)  # type: ignore[no-any-return]
        except Exception as error:
            raise RunFailed(f"onnxruntime cannot run these inputs: {_plain(error)}") from error


def _metadata(node: Any, kind: str) -> MetadataTensor:
    datatype = DATATYPES.get(node.type)
    if datatype is None:
        advice = " (export a scikit-learn classifier with zipmap=False)" if "map(" in node.type else ""
        raise ModelRejected(f"{kind} '{node.name}' is a {node.type}, which cannot be served{advice}")
    shape = tuple(dimension if type(dimension) is int and dimension >= 0 else -1 for dimension in node.shape)
    return MetadataTensor(node.name, datatype, shape)


def _load_failure(error: Exception, path: Path) -> str:
    if isinstance(error, InvalidProtobuf):
        return f"{path.name} is not a readable ONNX file: truncated, or of another format; export and push it again"
    text = _plain(error).replace(str(path), path.name)
    return f"onnxruntime {ort.__version__} cannot load the model: {text}"


def _plain(error: Exception) -> str:
    """onnxruntime's message in one line, without the place in its own source."""
    return _SOURCE_PLACE.sub("", " ".join(str(error).split()))
