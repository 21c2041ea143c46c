"""NumPy arrays to and from the JSON form of the Open Inference Protocol."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas_client.errors import InvalidInput
from maas_client.records import InferenceResponse

DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
_DATATYPES = {dtype: datatype for datatype, dtype in DTYPES.items()}


def encode_request(inputs: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None) -> dict[str, Any]:
    """The request as JSON values. Raises InvalidInput for an array that JSON or the protocol cannot carry."""
    request: dict[str, Any] = {"inputs": [_encode(name, np.asarray(array)) for name, array in inputs.items()]}
    if outputs is not None:
        request["outputs"] = [{"name": name} for name in outputs]
    return request


def _encode(name: str, array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind in "US":
        array = array.astype(np.object_)
    datatype = _DATATYPES.get(array.dtype.newbyteorder("="))
    if datatype is None:
        known = ", ".join([str(dtype) for dtype in _DATATYPES if dtype.kind != "O"] + ["str"])
        raise InvalidInput(f"input '{name}' is of dtype {array.dtype}: convert it to one of {known}")
    values = array.ravel(order="C").tolist()
    if datatype == "BYTES":
        values = [_text(name, value) for value in values]
    elif array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InvalidInput(f"input '{name}' has NaN or infinite values, which JSON cannot carry: replace them")
    return {"name": name, "shape": list(array.shape), "datatype": datatype, "data": values}


def _text(name: str, value: object) -> str:
    try:
        text = value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise InvalidInput(f"input '{name}' has bytes that are not UTF-8, which JSON cannot carry") from None
    if not isinstance(text, str):
        raise InvalidInput(f"input '{name}' holds a {type(value).__name__}: an array of objects is for text alone")
    return text


def decode_response(response: Mapping[str, Any]) -> InferenceResponse:
    """Outputs of datatype BYTES become object arrays of str, as onnxruntime's own do; null in a float output is NaN."""
    outputs = {one["name"]: _decode(one) for one in response["outputs"]}
    return InferenceResponse(response["model_name"], str(response["model_version"]), outputs)


def _decode(output: Mapping[str, Any]) -> np.ndarray:
    dtype = DTYPES[output["datatype"]]
    data = output["data"]
    if dtype.kind == "f":
        data = np.asarray(data, np.float64)  # where None is NaN
    return np.asarray(data, dtype).reshape(output["shape"])
