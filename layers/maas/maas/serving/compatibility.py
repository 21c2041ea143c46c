"""KServe V1 / TF Serving, data frames and CSV: decodes rows or columns of values, encodes the outputs.

Contracts: https://www.tensorflow.org/tfx/serving/api_rest#predict_api and
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html. Requests name no types: the signature has them.
"""

import base64
import binascii
import csv
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from maas.errors import InvalidRequest, RunFailed
from maas.records import MetadataTensor
from maas.serving import frames, tensors
from maas.serving.csv_values import expected_cell, numbers_at_once, value_of
from maas.serving.datatypes import Array
from maas.serving.numeric import NOT_FINITE
from maas.serving.oip import RequestInput, kind_of
from maas.serving.oip_reply import OutputTensor, json_data
from maas.serving.served_model import ServedModel

FORMS = ("instances", "inputs", frames.SPLIT, frames.RECORDS)
_OF_TENSORS = {"name", "shape", "datatype"}
MAX_RANK = 64  # of NumPy's arrays


def document_of(value: Any) -> Any:
    """The document of an `/invocations` body: a bare array holds instances."""
    return {"instances": value} if isinstance(value, list | np.ndarray) else value


def decode(document: Mapping[str, Any], runner: ServedModel) -> dict[str, Array]:
    """The arrays of a document with one of FORMS: rows in `instances` or a frame, or columns in `inputs`.

    Raises InvalidRequest, InvalidTensor.
    """
    came = [name for name in FORMS if document.get(name) is not None]
    if len(came) != 1:
        shown = " and ".join(came) or "none"
        raise InvalidRequest(f"body: got {shown}, expected one of {', '.join(FORMS)}", field="body")
    rows, columns = document.get("instances"), document.get("inputs")
    if isinstance(columns, list) and columns and isinstance(columns[0], dict) and columns[0].keys() >= _OF_TENSORS:
        expected = "values: tensors of the Open Inference Protocol are for /v2/models/NAME/infer"
        raise InvalidRequest(f"inputs: got objects with name, shape and datatype, expected {expected}", field="inputs")
    required = tensors.required_inputs(runner.inputs)
    if columns is None:
        columns = _columns(rows if came == ["instances"] else frames.rows_of(document, required), runner.inputs)
    elif len(required) == 1 and not _is_named(columns, runner.inputs):
        columns = {required[0].name: columns}
    elif not isinstance(columns, dict):
        names = [tensor.name for tensor in required]
        raise InvalidRequest(f"inputs: got no object, expected one with {names}", field="inputs")
    known, unknown = {tensor.name: tensor for tensor in runner.inputs}, MetadataTensor("", "FP32", ())
    named = [_request_input(name, known.get(name, unknown), value) for name, value in columns.items()]
    return tensors.decode(named, runner.inputs, runner.symbols)


def predictions(outputs: Mapping[str, Array], runner: ServedModel, rows: int) -> list[Any]:
    """One value per row if one output has rows; one object per row if several have. A map is an object by its keys.

    Leaves out outputs without one entry per row, and always the keys of maps, even if there are as many as rows. Raises
    RunFailed if no output is left.
    """
    listed = {
        name: _maps(_listed(name, array, runner), outputs[runner.map_keys[name]])
        if name in runner.map_keys
        else _listed(name, array, runner)
        for name, array in _with_rows(outputs, runner, rows).items()
    }
    if len(listed) == 1:
        return next(iter(listed.values()))
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]


def columnar(outputs: Mapping[str, Array], runner: ServedModel) -> Any:
    listed = {name: _listed(name, array, runner) for name, array in outputs.items()}
    return next(iter(listed.values())) if len(listed) == 1 else listed


def decode_csv(body: bytes, runner: ServedModel) -> dict[str, Array]:
    """Rows of values without a header: the features of the only required input if its rank is 2, else one column each.

    Raises InvalidRequest, InvalidTensor.
    """
    required = tensors.required_inputs(runner.inputs)
    return decode({"inputs": numbers_at_once(body, required) or _csv_columns(body, required)}, runner)


def _csv_columns(body: bytes, required: Sequence[MetadataTensor]) -> dict[str, Any]:
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidRequest(f"body: not CSV in UTF-8 ({error})", field="body") from None
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        came = f"rows of {sorted(widths)} values" if widths else "no row"
        raise InvalidRequest(f"body: got {came}, expected rows of one length", field="body")
    if len(required) == 1 and len(required[0].shape) == 2:
        tensor = required[0]
        return {tensor.name: [[_cell(text, tensor.datatype, row) for text in one] for row, one in enumerate(rows)]}
    if widths == {len(required)}:
        return {
            tensor.name: [_cell(one[index], tensor.datatype, row) for row, one in enumerate(rows)]
            for index, tensor in enumerate(required)
        }
    expected = f"{len(required)}, one for each of {[tensor.name for tensor in required]}"
    raise InvalidRequest(f"body: got rows of {widths.pop()} values, expected {expected}", field="body")


def _cell(text: str, datatype: str, row: int) -> str | float | bool:
    """The value of a cell. Raises InvalidRequest for text where a number or boolean is expected."""
    value = value_of(text, datatype)
    if type(value) is str and datatype != "BYTES" and value not in NOT_FINITE:
        hint = ": rows have no header, and commas between their values" if row == 0 else ""
        expected = expected_cell(text, datatype)
        raise InvalidRequest(f"body: row {row + 1} has {text!r:.80}, expected {expected}{hint}", field="body")
    return value


def encode_csv(outputs: Mapping[str, Array], runner: ServedModel, rows: int) -> bytes:
    """One line per row: all values of the outputs that have rows, in the order of the outputs, without a header.

    The values of a map stand in the order of its keys. Raises RunFailed if no output has rows.
    """
    columns = [_cells(name, array, runner) for name, array in _with_rows(outputs, runner, rows).items()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(itertools.chain.from_iterable(cells) for cells in zip(*columns, strict=True))
    return text.getvalue().encode()


def row_count(inputs: Mapping[str, Array]) -> int:
    """The rows of a request, by its first input. Raises InvalidRequest if that has no dimension."""
    name, first = next(iter(inputs.items()))
    if not first.ndim:
        raise InvalidRequest(f"{name}: got one value without rows, expected rows: send inputs instead", field=name)
    return len(first)


def _with_rows(outputs: Mapping[str, Array], runner: ServedModel, rows: int) -> dict[str, Array]:
    """The outputs with one entry per row. Raises RunFailed if there are none."""
    possible = runner.row_outputs - runner.declared_without_rows  # time may be as long as the rows by chance
    found = {name: array for name, array in outputs.items() if name in possible and array.shape[:1] == (rows,)}
    if not found:
        shapes = {name: list(array.shape) for name, array in outputs.items()}
        raise RunFailed(
            f"no output has one entry for each of {rows} rows, their shapes are {shapes}: send inputs instead"
        )
    return found


def _maps(rows: Any, keys: Array) -> list[dict[str, Any]]:
    """The map of each row; JSON has strings as keys."""
    names = [str(key) for key in keys.tolist()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _cells(name: str, array: Array, runner: ServedModel) -> list[list[Any]]:
    """The values of each row, written as in JSON."""
    width = math.prod(array.shape[1:])
    flat = _listed(name, array.reshape(len(array), width), runner)
    if isinstance(flat, list):
        return flat
    if flat.dtype == bool:
        flat = np.where(flat, "true", "false")
        return flat.tolist()  # type: ignore[no-any-return]
    return orjson.loads(orjson.dumps(flat, option=orjson.OPT_SERIALIZE_NUMPY))  # type: ignore[no-any-return]


def _is_named(value: object, signature: Sequence[MetadataTensor]) -> bool:
    """Whether it is an object of values by input name, not the value of the only input."""
    return isinstance(value, dict) and not value.keys().isdisjoint(tensor.name for tensor in signature)


def _columns(rows: object, signature: Sequence[MetadataTensor]) -> Mapping[str, Any]:
    required = tensors.required_inputs(signature)
    if isinstance(rows, np.ndarray):
        if len(required) == 1:
            return {required[0].name: rows}
        rows = rows.tolist()
    if not isinstance(rows, list) or not rows:
        raise InvalidRequest("instances: got no rows, expected an array of at least one", field="instances")
    if len(required) == 1 and not _is_named(rows[0], signature):
        return {required[0].name: rows}
    names = rows[0].keys() if isinstance(rows[0], dict) else ()
    for index, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != names:
            came = f"one with {[*row]!s:.80}" if isinstance(row, dict) else kind_of(row)
            expected = f"an object with {[tensor.name for tensor in required]} in each row"
            raise InvalidRequest(f"instances[{index}]: got {came}, expected {expected}", field="instances")
    return {name: _stacked([row[name] for row in rows]) for name in names}


def _stacked(values: list[Any]) -> Any:
    """One array of arrays of one shape; other values as a list without arrays."""
    if not any(isinstance(value, np.ndarray) for value in values):
        return values
    if len({getattr(value, "shape", None) for value in values}) == 1:
        return np.stack(values)
    return [value.tolist() if isinstance(value, np.ndarray) else value for value in values]


def _request_input(name: str, tensor: MetadataTensor, value: Any) -> RequestInput:
    """Takes the shape from the nesting of the value. A column of single values may leave out its axis of 1."""
    datatype = tensor.datatype
    is_column = len(tensor.shape) == 2 and tensor.shape[1] == 1
    if isinstance(value, np.ndarray):
        return RequestInput(name, datatype, (len(value), 1) if is_column and value.ndim == 1 else value.shape, value)
    shape: list[int] = []
    inner = value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if is_column and len(shape) == 1:
        value, shape = [[one] for one in value], [*shape, 1]
    if datatype == "BYTES" and len(shape) <= MAX_RANK:  # deeper nesting fits no signature
        value = _without_base64(value, tensor, len(shape))
    return RequestInput(name, datatype, tuple(shape), value if isinstance(value, list) else [value])


def _without_base64(value: Any, tensor: MetadataTensor, rank: int) -> Any:
    if isinstance(value, list) and rank:
        return [_without_base64(one, tensor, rank - 1) for one in value]
    if not isinstance(value, dict) or value.keys() != {"b64"}:
        return value
    if tensor.binary:  # which JSON has as base64 anyway
        return value["b64"]
    name = tensor.name
    try:
        return base64.b64decode(value["b64"], validate=True).decode()
    except (binascii.Error, ValueError, TypeError):
        raise InvalidRequest(f"{name}: got a b64 value that is not UTF-8 text in base64", field=name) from None


def _listed(name: str, array: Array, runner: ServedModel) -> Any:
    datatype = next(tensor.datatype for tensor in runner.outputs if tensor.name == name)
    flat = json_data(OutputTensor(name, datatype, array))
    if isinstance(flat, list):  # strings, or numbers with NaN among them
        objects = np.empty(len(flat), dtype=object)
        objects[:] = flat
        return objects.reshape(array.shape).tolist()
    return flat.reshape(array.shape) if array.ndim else flat[0]
