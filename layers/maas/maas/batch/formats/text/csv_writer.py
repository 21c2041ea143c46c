"""Writes CSV: a header, then one line for each record with its outputs and, in the last column, its error."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson

from maas.batch.formats.columns import check_joined
from maas.batch.formats.interface import Chunk, Options
from maas.batch.formats.signatures import RecordTensor, record_outputs, record_rows
from maas.batch.formats.text.csv_reader import CsvRecord
from maas.batch.formats.text.jsonl_writer import listed
from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.serving.oip_reply import OutputTensor

ERROR = "error"


class CsvWriter:
    def __init__(self, layout: dict[str, Any], options: Options, outputs: Sequence[MetadataTensor]) -> None:
        """Raises InvalidRequest for outputs that CSV cannot hold, and for two columns of one name."""
        self._outputs = record_outputs(outputs, "CSV")
        self._joined: list[str] | None = layout["header"] if options.join else None
        names = [name for tensor in self._outputs for name in _names(tensor)]
        check_joined(self._joined or (), [*names, ERROR])
        header = ",".join(map(_quoted, [*(self._joined or ()), *names, ERROR]))
        self._nothing = "," * len(names)
        self._lines = [header]
        self.size_bytes = len(header)

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        records: Sequence[CsvRecord] = chunk.carried
        rows = self._rows(predicted, chunk.whole)
        if self._joined is None and not failed:
            self._lines.append(",\n".join(rows) + ",")
            self.size_bytes += len(self._lines[-1])
            return
        first = len(self._lines)
        for place, record in enumerate(records):
            line = f"{self._nothing}{_quoted(failed[place])}" if place in failed else f"{next(rows)},"
            self._lines.append(line if self._joined is None else f"{self._fields(record)},{line}")
        self.size_bytes += sum(map(len, self._lines[first:]))

    def finish(self) -> dict[str, bytes]:
        return {"csv": "\n".join([*self._lines, ""]).encode()}

    def _fields(self, record: CsvRecord) -> str:
        """The record's text unchanged, with its quotes; empty cells for an unreadable record."""
        return record.text if record.text is not None else "," * (len(self._joined or ()) - 1)

    def _rows(self, predicted: Mapping[str, Array], whole: bool) -> Iterator[str]:
        if not predicted:
            return iter(())
        columns = [_texts(tensor, record_rows(predicted[tensor.name], tensor, whole)) for tensor in self._outputs]
        return iter(columns[0]) if len(columns) == 1 else map(",".join, zip(*columns, strict=True))


def _names(tensor: RecordTensor) -> list[str]:
    width = _width(tensor)
    return [tensor.name] if width in (None, 1) else [f"{tensor.name}_{index}" for index in range(width or 0)]


def _width(tensor: RecordTensor) -> int | None:
    """How many columns an output has; None where each record is JSON in one cell."""
    if tensor.shape == ():
        return 1
    return tensor.shape[0] if len(tensor.shape) == 1 and tensor.shape[0] > 0 else None


def _texts(tensor: RecordTensor, rows: Array) -> list[str]:
    """The cells of each record, joined by commas. Numbers have the fewest digits that read back as the same value."""
    width = _width(tensor)
    values = listed(OutputTensor(tensor.name, tensor.datatype, rows))
    if width is None:
        return [_quoted(orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()) for value in values]
    if math.prod(rows.shape[1:]) != width:
        came, expected = f"records of shape {list(rows.shape[1:])}", f"{list(tensor.shape)}, or JSONL for the input"
        raise InvalidRequest(f"output '{tensor.name}': got {came}, expected {expected}", field="output")
    if isinstance(values, np.ndarray):
        text = orjson.dumps(values.reshape(-1, width), option=orjson.OPT_SERIALIZE_NUMPY).decode()
        return text[2:-2].split("],[")
    flat = np.array(values, dtype=object).reshape(-1, width)
    return [
        ",".join(_quoted(value) if isinstance(value, str) else repr(value) for value in row) for row in flat.tolist()
    ]


def _quoted(text: str) -> str:
    """The text in quotes where RFC 4180 requires them."""
    needs = any(mark in text for mark in '",\n\r') or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if needs else text
