"""Writes JSON Lines: one object for each record, with its outputs or its error."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from maas.batch.formats.interface import Chunk, Options
from maas.batch.formats.signatures import record_outputs, record_rows
from maas.batch.formats.text.jsonl_reader import WHOLE, JsonRecord, is_too_deep
from maas.batch.formats.text.taken import TooLong
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.oip_reply import OutputTensor, json_data
from maas.serving.strings import array_of

MAX_SHOWN_BYTES = 16 << 10  # of a bad record; a longer one is cut to CUT_BYTES
CUT_BYTES = 1024
_DUMP = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


class JsonlWriter:
    def __init__(self, options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs that JSON cannot hold."""
        self._outputs = record_outputs(outputs, "JSONL")
        self._join = options.join
        self._lines: list[bytes] = []
        self.size_bytes = 0

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        records: Sequence[JsonRecord] = chunk.carried
        is_request = chunk.whole and records[chunk.good[0]].key is WHOLE
        first = len(self._lines)
        lines = None if self._join or is_request else self._written(predicted, chunk.whole)
        if lines is not None and not failed:
            self._lines += lines
            self.size_bytes += sum(map(len, lines))
            return
        rows = iter(self._requested(predicted) if is_request else self._rows(predicted, chunk.whole))
        for place, record in enumerate(records):
            if place in failed:
                said = {"error": failed[place], "record": _shown(record)}
            else:
                said = next(rows)
                if self._join:
                    said = _fields(record) | said
                elif is_request and "id" in record.value:
                    said = {"id": record.value["id"]} | said
            self._lines.append(orjson.dumps(said, option=_DUMP))
        self.size_bytes += sum(map(len, self._lines[first:]))

    def finish(self) -> dict[str, bytes]:
        return {"jsonl": b"".join(self._lines)}

    def _written(self, predicted: Mapping[str, Array], whole: bool) -> list[bytes] | None:
        """The lines of outputs that are numbers or rows of numbers, faster than by `_rows`; None for others."""
        if not predicted:
            return None
        fields, columns = [], []
        for tensor in self._outputs:
            values = _values(
                OutputTensor(tensor.name, tensor.datatype, record_rows(predicted[tensor.name], tensor, whole))
            )
            levels = values.ndim if isinstance(values, np.ndarray) else 1
            if levels > 2 or not _are_numbers(values):
                return None
            text = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
            columns.append(text[levels:-levels].split((b",", b"],[")[levels - 1]))
            name = orjson.dumps(tensor.name).replace(b"%", b"%%")
            fields.append(name + (b":%b", b":[%b]")[levels - 1])
        line = b"{%b}\n" % b",".join(fields)
        return [line % row for row in zip(*columns, strict=True)]

    def _rows(self, predicted: Mapping[str, Array], whole: bool) -> list[dict[str, Any]]:
        columns = [
            _values(OutputTensor(tensor.name, tensor.datatype, record_rows(predicted[tensor.name], tensor, whole)))
            for tensor in self._outputs
            if predicted
        ]
        names = [tensor.name for tensor in self._outputs]
        return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]

    def _requested(self, predicted: Mapping[str, Array]) -> list[dict[str, Any]]:
        """The answer to a record that is a request: its outputs as tensors of the protocol."""
        tensors = [OutputTensor(one.name, one.datatype, predicted[one.name]) for one in self._outputs if predicted]
        said = [
            {"name": one.name, "datatype": one.datatype, "shape": one.array.shape, "data": json_data(one)}
            for one in tensors
        ]
        return [{"outputs": said}] if predicted else []


def listed(output: OutputTensor) -> Any:
    """Nested lists with the words for NaN and the infinities; the array itself where it needs no words."""
    flat = json_data(output)
    if isinstance(flat, list):
        return array_of(flat).reshape(output.array.shape).tolist()
    return flat.reshape(output.array.shape)


def _values(output: OutputTensor) -> Any:
    """As `listed`, but a column of integers as a list: orjson writes NumPy's arrays, not their items."""
    is_flat = output.array.ndim == 1 and output.array.dtype.kind in "iu"
    return output.array.tolist() if is_flat else listed(output)


def _are_numbers(values: Any) -> bool:
    if isinstance(values, np.ndarray):
        return values.dtype.kind in "fiub"
    return bool(values) and type(values[0]) is int


def _fields(record: JsonRecord) -> dict[str, Any]:
    return record.value if type(record.value) is dict else {"input": record.value}


def _shown(record: JsonRecord) -> Any:
    """The record, or the beginning of its text if it is too long or nested too deeply to be written."""
    line = record.line.beginning if isinstance(record.line, TooLong) else record.line
    if record.value is not None and len(line) <= MAX_SHOWN_BYTES and not is_too_deep(line, record.value):
        return record.value
    return line[:CUT_BYTES].decode("utf-8", "replace") + ("…" if len(line) > CUT_BYTES else "")
