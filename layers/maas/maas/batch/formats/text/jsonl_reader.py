"""Reads JSON Lines: a line is an object with the inputs by name, a bare value, or a request of the protocol."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from maas.batch.formats import cuts
from maas.batch.formats.blocks import TAIL_BYTES, UNPACKED_END, stream, unpacked
from maas.batch.formats.interface import Chunk, Options, Plan, Source
from maas.batch.formats.signatures import record_inputs
from maas.batch.formats.stacking import stacked
from maas.batch.formats.text.lines import MAX_CHUNK_BYTES, MAX_LINE_BYTES, Lines, after_newline
from maas.batch.formats.text.number_lines import number_lines
from maas.batch.formats.text.taken import Line, Taken, TooLong, Unread
from maas.errors import InvalidRequest, InvalidTensor
from maas.records import MetadataTensor
from maas.serving import oip
from maas.serving.datatypes import Array
from maas.serving.tensors import decode

WHOLE = "whole"  # the key of a record that is a request of the Open Inference Protocol
FEWEST_LINES = 16  # that are worth being read at once
SURELY_WRITTEN = 250  # levels of JSON that orjson always writes
_PART = "record: got the first line of a longer value, expected a whole record in each line: JSONL, no JSON array"


class JsonRecord(NamedTuple):
    """A line and its value. Records of equal `key` can be stacked; a record with an `error` does not run."""

    line: Line
    end: int
    value: Any = None
    key: Hashable = None
    error: str = ""


def plan(source: Source, shard_bytes: int) -> Plan:
    """Byte ranges that end anywhere: a record belongs to the range it begins in. Reads nothing."""
    return Plan(cuts.even(0, source.size_bytes, cuts.shard_count(source.size_bytes, shard_bytes)))


def plan_packed() -> Plan:
    """The plan of a compressed file: one range, because decompression starts at the beginning."""
    return Plan([(0, UNPACKED_END)])


class JsonlReader:
    def __init__(self, options: Options, signature: Sequence[MetadataTensor], *, packed: bool = False) -> None:
        """Raises InvalidRequest for options of other formats, and for models whose inputs JSON cannot hold."""
        for name in ("columns", "exclude"):
            if getattr(options, name) is not None:
                expected = "expected it for CSV or Parquet, which have columns"
                raise InvalidRequest(f"{name}: got it for JSONL, {expected}", field=name)
        self._inputs = record_inputs(signature, "JSONL")
        self._single = self._inputs.single
        self._packed, self._join = packed, options.join
        self._names = {tensor.name for tensor in self._inputs.required}
        self._is_plain = not any(-1 in tensor.shape or tensor.optional for tensor in self._inputs.tensors)
        self._number_lines = None if self._join or not self._inputs.is_batched else number_lines(self._inputs.tensors)
        self._has_inputs = any(tensor.name == "inputs" for tensor in signature)
        self._numbers = [tensor for tensor in self._inputs.tensors if tensor.datatype not in ("BOOL", "BYTES")]

    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        lines = self._lines(source, start, end)
        waiting: list[JsonRecord] = []
        for rows in cuts.growing(batch_rows if self._inputs.is_batched else 1):
            left_bytes = MAX_CHUNK_BYTES - sum(map(_size_bytes, waiting))
            taken = lines.take(rows - len(waiting), left_bytes)
            chunk = None if waiting else self._at_once(taken, end)
            if chunk:
                yield chunk
                continue
            waiting += self._records(taken)
            if not waiting:
                return
            count = _alike(waiting)
            yield self._chunk(waiting[:count], end)
            del waiting[:count]

    def _lines(self, source: Source, start: int, end: int) -> Lines:
        if self._packed:
            return Lines(unpacked(source, start), start, end)
        if start == 0:
            return Lines(stream(source, 0, end, TAIL_BYTES), 0, end)
        return Lines(*after_newline(stream(source, start - 1, end, TAIL_BYTES), start - 1, end), end)

    def _at_once(self, taken: Taken, end: int) -> Chunk | None:
        """The chunk of lines that are numbers alone; None otherwise."""
        if self._number_lines is None or len(taken) < FEWEST_LINES or taken.size_bytes > MAX_CHUNK_BYTES:
            return None
        text = taken.text
        rows = self._number_lines.read(text, len(taken)) if text else None
        if rows is None:
            return None
        try:
            inputs = self._inputs.arrays({self._inputs.tensors[0].name: rows})
        except InvalidRequest:  # a number that the datatype cannot hold
            return None
        count = len(taken)
        return Chunk(min(taken.ends[-1], end), count, range(count), inputs, {}, carried=Unread(taken, self._records))

    def _records(self, taken: Taken) -> list[JsonRecord]:
        lines, ends = taken.lines, taken.ends
        values = self._plain(lines) if self._is_plain else None
        if values is None:
            return list(map(self._record, lines, ends))
        return [JsonRecord(line, end, value) for line, end, value in zip(lines, ends, values, strict=True)]

    def _plain(self, lines: list[Line]) -> list[Any] | None:
        """The values of lines that all are objects with every input and need no further check; None otherwise."""
        try:
            values = list(map(orjson.loads, lines))  # type: ignore[arg-type]
        except (TypeError, orjson.JSONDecodeError):
            return None
        names = self._names
        are_plain = all(type(value) is dict and names <= value.keys() and "inputs" not in value for value in values)
        if self._join and any(map(is_too_deep, lines, values)):  # type: ignore[arg-type]
            return None
        if not are_plain or (self._numbers and any(b"true" in line or b"false" in line for line in lines)):  # type: ignore[operator]
            return None
        return values

    def _record(self, line: Line, end: int) -> JsonRecord:
        if isinstance(line, TooLong):
            error = f"record: got a line of {line.size_bytes:,} bytes, expected at most {MAX_LINE_BYTES:,}"
            return JsonRecord(line, end, error=error)
        value = None
        try:
            value = oip.loads(line, "record")
            if self._join and is_too_deep(line, value):
                expected = f"less than {SURELY_WRITTEN} for join"
                raise InvalidRequest(f"record: got more levels of JSON than can be written, expected {expected}")
            if self._is_request(value):
                if len(line) > oip.MAX_JSON_BYTES:
                    came, expected = f"a request of {len(line):,} bytes", f"at most {oip.MAX_JSON_BYTES:,}"
                    raise InvalidRequest(f"record: got {came}, expected {expected}, or an object with inputs by name")
                return JsonRecord(line, end, value, WHOLE)
            values = self._by_name(value)
            self._check(line, values)
            return JsonRecord(line, end, value, None if self._is_plain else self._key(values))
        except InvalidRequest as error:
            is_part = line.strip() in (b"[", b"{")
            return JsonRecord(line, end, value, error=_PART if is_part else error.message)

    def _is_request(self, record: Any) -> bool:
        inputs = record.get("inputs") if type(record) is dict else None
        return type(inputs) is list and (not self._has_inputs or (bool(inputs) and type(inputs[0]) is dict))

    def _by_name(self, value: Any) -> dict[str, Any]:
        """The record's values by field. Raises InvalidRequest for a bare value if the model has several inputs."""
        if type(value) is dict:
            return value
        if self._single is None:
            came, names = oip.kind_of(value), [tensor.name for tensor in self._inputs.required]
            raise InvalidRequest(f"record: got {came}, expected an object with {names}", field="record")
        return {self._single.name: value}

    def _check(self, line: bytes, values: dict[str, Any]) -> None:
        """Raises InvalidRequest for a missing input, and InvalidTensor for booleans where numbers are expected.

        NumPy converts booleans to 0 and 1 only beside numbers, so the result would depend on neighbouring records.
        """
        if missing := sorted(self._names - values.keys()):
            raise InvalidRequest(f"record: got {sorted(values)!s:.200}, expected also {missing}", field="record")
        if b"true" in line or b"false" in line:
            for tensor in self._numbers:
                if _has_boolean(values.get(tensor.name)):
                    raise InvalidTensor(tensor.name, "data", "booleans", f"{tensor.datatype} values")

    def _key(self, values: dict[str, Any]) -> Hashable:
        given = [tensor for tensor in self._inputs.tensors if tensor.name in values]
        return tuple((tensor.name, self._inputs.shape_of(tensor, values[tensor.name])) for tensor in given)

    def _chunk(self, records: list[JsonRecord], end: int) -> Chunk:
        refused = {place: record.error for place, record in enumerate(records) if record.error}
        places = [place for place in range(len(records)) if place not in refused] if refused else range(len(records))
        good, inputs, errors = stacked(places, lambda some: self._arrays([records[place] for place in some]))
        whole = bool(good) and (not self._inputs.is_batched or records[good[0]].key is WHOLE)
        return Chunk(min(records[-1].end, end), len(records), good, inputs, refused | errors, whole, records)

    def _arrays(self, records: list[JsonRecord]) -> dict[str, Array]:
        first = records[0]
        if first.key is WHOLE:
            assert isinstance(first.line, bytes)
            return decode(oip.parse_request(first.line).inputs, self._inputs.signature)
        values = [one.value if type(one.value) is dict else self._by_name(one.value) for one in records]
        names = [tensor.name for tensor in self._inputs.tensors if tensor.name in values[0]]
        return self._inputs.arrays({name: [value[name] for value in values] for name in names})


def _alike(records: list[JsonRecord]) -> int:
    """How many leading records form a chunk: those of one key and bad ones between; a request is a chunk alone."""
    key: Hashable = None
    has_key = False
    size_bytes = 0
    for count, record in enumerate(records):
        size_bytes += _size_bytes(record)
        if count and (key is WHOLE or size_bytes > MAX_CHUNK_BYTES):
            return count
        if not record.error:
            if count and (record.key is WHOLE or (has_key and record.key != key)):
                return count
            key, has_key = record.key, True
    return len(records)


def _size_bytes(record: JsonRecord) -> int:
    return len(record.line) if isinstance(record.line, bytes) else 0


def _has_boolean(value: Any) -> bool:
    """Whether nested lists hold a boolean. Not recursive: a record may be nested deeper than Python's stack."""
    level = [value]
    while level:
        if bool in set(map(type, level)):
            return True
        level = [one for inner in level if type(inner) is list for one in inner]
    return False


def is_too_deep(line: bytes, value: Any) -> bool:
    """Whether orjson, which reads more levels than it writes, cannot write the record as a field."""
    if line.count(b"[") + line.count(b"{") < SURELY_WRITTEN:
        return False
    try:
        orjson.dumps([value])
    except orjson.JSONEncodeError:
        return True
    return False
