"""Test vectors in a version's folder `golden/`: the version is READY only if its outputs match them.

Either ONNX's convention, `test_data_set_*/input_N.pb` and `output_N.pb` (serialised TensorProto, in the order of
the graph's inputs and outputs), or `*.json` with an Open Inference Protocol `request` and `response`.
https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maas.errors import MaasError, ModelRejected
from maas.numbers import whole_number
from maas.records import GOLDEN_FOLDER, MetadataTensor
from maas.serving import oip, tensors
from maas.serving.comparison import differs
from maas.serving.datatypes import DTYPES, Array
from maas.serving.oip import RequestInput
from maas.serving.runner import Runner
from maas.serving.strings import array_of


@dataclass(frozen=True, slots=True)
class Vector:
    """Inputs, and the outputs that the model has to give for them."""

    name: str
    inputs: Mapping[str, Array]
    expected: Mapping[str, Array]


def check(runner: Runner, path: Path, threads: int, rtol: float, atol: float) -> int:
    """The number of test vectors beside the model at `path`, all matched by `runner`, which has so many `threads`.

    Raises ModelRejected for one that cannot be read, and for one that differs, naming its worst element.
    """
    count = 0
    for vector in vectors(runner, path.parent / GOLDEN_FOLDER):
        try:
            came = dict(zip(vector.expected, runner.run(vector.inputs, list(vector.expected)), strict=True))
        except MaasError as error:
            raise ModelRejected(f"{vector.name}: {error.message}") from None
        if reason := _first_difference(came, vector.expected, rtol, atol):
            advice = _thread_advice(path, threads, vector, came, rtol, atol)
            raise ModelRejected(f"{vector.name}: {reason}{advice}")
        count += 1
    return count


def _first_difference(came: Mapping[str, Array], wanted: Mapping[str, Array], rtol: float, atol: float) -> str | None:
    reasons = (differs(f"output '{name}'", came[name], wanted[name], rtol, atol) for name in wanted)
    return next(filter(None, reasons), None)


def _thread_advice(
    path: Path, threads: int, vector: Vector, came: Mapping[str, Array], rtol: float, atol: float
) -> str:
    """What to do if the model's outputs depend on the number of threads, as those of int8 LSTMs do; else empty."""
    others = 1 if threads > 1 else 2
    outputs = Runner(path, others).run(vector.inputs, list(vector.expected))
    if _first_difference(dict(zip(vector.expected, outputs, strict=True)), came, rtol, atol) is None:
        return ""
    return (
        f"; the outputs of this model depend on the number of threads, as those of int8 LSTMs do: they differ as much "
        f"between {threads} and {others}. Write the vectors with intra_op_num_threads={threads}, as the deployment "
        "function has, or allow the difference with golden.rtol and golden.atol (--rtol, --atol)"
    )


def vectors(runner: Runner, folder: Path) -> Iterator[Vector]:
    """Those of the graph: `golden_tasks` has the ones of a task. Raises ModelRejected for one that cannot be read."""
    for path in sorted(folder.rglob("*.json")):
        if is_of_task(path):
            continue
        yield Vector(path.relative_to(folder).as_posix(), *_json_vector(runner, path))
    for inner in sorted({path.parent for path in folder.rglob("output_*.pb")}):
        yield Vector(inner.relative_to(folder).as_posix(), *_pb_vector(runner, inner))


def is_of_task(path: Path) -> bool:
    """Whether a file is a vector of a task."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "input" in document and "request" not in document


def _json_vector(runner: Runner, path: Path) -> tuple[Mapping[str, Array], dict[str, Array]]:
    try:
        document = json.loads(path.read_bytes())
        request = oip.parse_request(json.dumps(document["request"]).encode())
        inputs = tensors.decode(request.inputs, runner.inputs, runner.symbols)
        outputs = [
            RequestInput(one["name"], one["datatype"], tuple(one["shape"]), one["data"])
            for one in document["response"]["outputs"]
        ]
        return inputs, tensors.decode(outputs, [_any_shape(one, outputs) for one in runner.outputs])
    except MaasError as error:
        raise ModelRejected(f"{path.name}: {error.message}") from None
    except (ValueError, KeyError, TypeError):
        raise ModelRejected(f"{path.name}: expected JSON with a request and a response with outputs") from None


def _any_shape(tensor: MetadataTensor, given: Sequence[RequestInput]) -> MetadataTensor:
    """The declared output with the rank of the vector's: its shape is compared later. An output may be left out."""
    rank = next((len(one.shape) for one in given if one.name == tensor.name), 0)
    return MetadataTensor(tensor.name, tensor.datatype, (-1,) * rank, optional=True)


def _pb_vector(runner: Runner, folder: Path) -> tuple[Mapping[str, Array], dict[str, Array]]:
    def read(kind: str, declared: Sequence[MetadataTensor]) -> dict[str, Array]:
        found = {}
        for path in sorted(folder.glob(f"{kind}_*.pb")):
            number = whole_number(path.stem.removeprefix(f"{kind}_"))
            if number is None or number >= len(declared):
                raise ModelRejected(f"{folder.name}/{path.name}: the model has {len(declared)} {kind}s")
            found[declared[number].name] = read_tensor(path)
        return found

    return read("input", runner.inputs), read("output", runner.outputs)


def read_tensor(path: Path) -> Array:
    """The array of a serialised TensorProto; bfloat16 as its bits, strings as `str`. Raises ModelRejected."""
    import onnx  # here: it takes half a second, and only the deployment function has it
    from google.protobuf.message import DecodeError

    where = f"{path.parent.name}/{path.name}"
    try:
        tensor = onnx.TensorProto.FromString(path.read_bytes())
    except DecodeError:
        raise ModelRejected(f"{where} is not a readable tensor: truncated, or of another format") from None
    if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise ModelRejected(f"{where} has its values in another file: a test vector holds them itself")
    is_bfloat16 = tensor.data_type == onnx.TensorProto.BFLOAT16
    if not is_bfloat16 and tensor.data_type not in map(onnx.helper.np_dtype_to_tensor_dtype, DTYPES.values()):
        raise ModelRejected(f"{where}: tensors of data type {tensor.data_type} cannot be compared")
    try:
        if tensor.data_type == onnx.TensorProto.STRING:  # numpy_helper drops NUL at the end of a string
            array = array_of([str(one, "utf-8", "replace") for one in tensor.string_data]).reshape(tensor.dims)
        else:
            array = onnx.numpy_helper.to_array(tensor)
    except (ValueError, TypeError, OverflowError):
        array = None
    if array is None or list(array.shape) != list(tensor.dims):
        raise ModelRejected(f"{where}: its values do not fit its shape {list(tensor.dims)}")
    return array.view(np.uint16) if is_bfloat16 else array
