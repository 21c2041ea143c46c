"""The example of a version, `example.npz` or `example.json`: inputs that its model takes."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maas.errors import MaasError, ModelRejected
from maas.records import EXAMPLE_NAMES, MetadataTensor
from maas.serving import oip, tensors
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput
from maas.serving.runner import Runner

MOST_BYTES = 256 << 20  # unpacked: a small archive may hold a thousand times its size
_FORMS = "an inference request, an object of inputs by name, or the array of the only input"


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    inputs: dict[str, Array]


def example_inputs(runner: Runner, folder: Path) -> Example | None:
    """The example in a version's folder, decoded; None if there is none. Raises ModelRejected."""
    path = next((folder / name for name in EXAMPLE_NAMES if (folder / name).is_file()), None)
    if path is None:
        return None
    try:
        given = _from_json(path, runner.inputs) if path.suffix == ".json" else _from_npz(path, runner.inputs)
        return Example(path.name, tensors.decode(given, runner.inputs, runner.symbols))
    except ModelRejected:
        raise
    except MaasError as error:
        raise ModelRejected(f"{path.name}: {error.message}") from None


def _from_json(path: Path, declared: Sequence[MetadataTensor]) -> Sequence[RequestInput]:
    document = oip.loads(path.read_bytes(), "the file")
    if isinstance(document, dict):
        listed = document.get("inputs")
        if isinstance(listed, list) and listed and all(isinstance(one, dict) for one in listed):
            return oip.parse_request(json.dumps(document).encode()).inputs
        return [_of_value(name, value, declared) for name, value in document.items()]
    required = [tensor.name for tensor in declared if not tensor.optional]
    if isinstance(document, list) and len(required) == 1:
        return [_of_value(required[0], document, declared)]
    raise ModelRejected(f"{path.name}: expected {_FORMS}; the model takes {required}")


def _from_npz(path: Path, declared: Sequence[MetadataTensor]) -> Sequence[RequestInput]:
    try:
        with zipfile.ZipFile(path) as archive:
            size_bytes = sum(file.file_size for file in archive.infolist())
        if size_bytes > MOST_BYTES:
            raise ModelRejected(f"{path.name}: unpacks to {size_bytes:,} bytes, allowed are {MOST_BYTES:,}")
        with np.load(path, allow_pickle=False) as loaded:
            arrays: Mapping[str, Array] = {name: loaded[name] for name in loaded.files}
    except ModelRejected:
        raise
    except Exception as error:  # zipfile and NumPy raise many kinds
        reason = f"expected an archive of numpy.savez, strings as fixed-width arrays: {error}"
        raise ModelRejected(f"{path.name}: {reason:.400}") from None
    return [_of_array(name, array, declared) for name, array in arrays.items()]


def _of_array(name: str, array: Array, declared: Sequence[MetadataTensor]) -> RequestInput:
    tensor = _declared(name, declared)
    if array.dtype.kind == "S":
        array = np.strings.decode(array, "utf-8", "replace")
    if tensor and array.dtype == DTYPES[tensor.datatype] and not array.dtype.hasobject:
        return RequestInput(name, tensor.datatype, array.shape, raw=memoryview(array.tobytes()))
    return RequestInput(name, tensor.datatype if tensor else "FP32", array.shape, data=array.ravel().tolist())


def _of_value(name: str, value: object, declared: Sequence[MetadataTensor]) -> RequestInput:
    """A JSON value; a single record becomes a batch of one."""
    tensor = _declared(name, declared)
    data = value if isinstance(value, list) else [value]
    shape = _shape(value)
    if tensor and len(shape) == len(tensor.shape) - 1:
        shape = (1, *shape)
        data = [value]
    return RequestInput(name, tensor.datatype if tensor else "FP32", shape, data=data)


def _declared(name: str, declared: Sequence[MetadataTensor]) -> MetadataTensor | None:
    """None for an unknown name, which `tensors.decode` refuses."""
    return next((tensor for tensor in declared if tensor.name == name), None)


def _shape(value: object) -> tuple[int, ...]:
    """Of nested lists, by their first elements; decoding checks the others."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)
