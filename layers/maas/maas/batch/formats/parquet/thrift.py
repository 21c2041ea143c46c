"""Decodes and encodes Thrift's compact protocol, the part that Parquet footers use, as plain values.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Fields have numbers, no meaning, so
those of later versions of Parquet pass through unchanged.
"""

import struct
from collections.abc import Collection, Sequence
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET = range(1, 11)
STRUCT = 12  # 11, a map, is in no footer of Parquet
MAX_DEPTH = 32
MAX_VALUES = 1 << 20  # decoded at most: a value of one byte takes a hundred in memory

Struct = dict[int, tuple[int, Any]]  # type and value by field number
Items = tuple[int, list[Any]]  # type of the elements, values


class NotThrift(Exception):
    pass


class Decoder:
    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self._at, self._depth = data, at, 0
        self._left = MAX_VALUES

    def struct(self, deferred: Sequence[int] = (), wanted: Collection[int] | None = None) -> Struct:
        """Decode a struct. `deferred` is the path of a field, by numbers through structs and lists of structs, that is
        skipped: its value is its offset in the data. With `wanted`, other fields are skipped too. Raises NotThrift.
        """
        fields: Struct = {}
        number = 0
        self._depth += 1
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            below = deferred[1:] if deferred and number == deferred[0] else None
            is_wanted = wanted is None or number in wanted
            if is_wanted:
                self._count(1)
            if kind in (TRUE, FALSE):  # the type is the value
                found: Any = kind == TRUE
            elif below == () or not is_wanted:
                found = self._at
                self._at = _end(self._data, self._at, kind, self._depth)
            else:
                found = self._value(kind, below or ())
            if is_wanted:
                fields[number] = (kind, found)
        self._depth -= 1
        return fields

    def _count(self, values: int) -> None:
        self._left -= values
        if self._left < 0:
            raise NotThrift(f"more than {MAX_VALUES:,} values")

    def items(self) -> Items:
        """Decode a list. Raises NotThrift."""
        return self._list(())

    def _value(self, kind: int, deferred: Sequence[int]) -> Any:
        if self._depth > MAX_DEPTH:
            raise NotThrift("nested too deeply")
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == BINARY:
            return self._bytes(self._unsigned())
        if kind == STRUCT:
            return self.struct(deferred)
        if kind in (LIST, SET):
            return self._list(deferred)
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind == DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        raise NotThrift(f"a value of type {kind}")

    def _list(self, deferred: Sequence[int]) -> Items:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._unsigned()
        if size > len(self._data) - self._at:
            raise NotThrift("a list beyond the end")
        self._count(size)
        self._depth += 1
        items = [self._value(head & 15, deferred) for _ in range(size)]
        self._depth -= 1
        return head & 15, items

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise NotThrift("it ends too early")
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise NotThrift("it ends too early")
        self._at += size
        return found

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise NotThrift("a number beyond 64 bits")
        return value | byte << shift

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)


def _end(data: bytes, at: int, kind: int, depth: int) -> int:
    """Where a value ends, without decoding it, which is much slower. Raises NotThrift."""
    try:
        return _skipped(data, at, kind, depth)
    except IndexError:
        raise NotThrift("it ends too early") from None


def _skipped(data: bytes, at: int, kind: int, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise NotThrift("nested too deeply")
    if kind == STRUCT:
        return _struct_skipped(data, at, depth)
    if kind in (I16, I32, I64):
        return _number_skipped(data, at)
    if kind == BINARY:
        size, at = _size(data, at)
        return at + size
    if kind in (LIST, SET):
        return _list_skipped(data, at, depth)
    if kind in (TRUE, FALSE, BYTE, DOUBLE):
        return at + (8 if kind == DOUBLE else 1)
    raise NotThrift(f"a value of type {kind}")


def _struct_skipped(data: bytes, at: int, depth: int) -> int:
    while head := data[at]:
        at = at + 1 if head >> 4 else _number_skipped(data, at + 1)
        if head & 15 > FALSE:
            at = _skipped(data, at, head & 15, depth + 1)
    return at + 1


def _number_skipped(data: bytes, at: int) -> int:
    last = at + 9
    while data[at] & 128:
        if at == last:
            raise NotThrift("a number beyond 64 bits")
        at += 1
    return at + 1


def _list_skipped(data: bytes, at: int, depth: int) -> int:
    head = data[at]
    size, at = (head >> 4, at + 1) if head >> 4 < 15 else _size(data, at + 1)
    if size > len(data) - at:
        raise NotThrift("a list beyond the end")
    for _ in range(size):
        at = _skipped(data, at, head & 15, depth + 1)
    return at


def _size(data: bytes, at: int) -> tuple[int, int]:
    """The size that stands at `at`, and the offset after it."""
    if data[at] < 128:
        return data[at], at + 1
    end = _number_skipped(data, at)
    return sum((byte & 127) << 7 * place for place, byte in enumerate(data[at:end])), end


def encoded(fields: Struct) -> bytes:
    parts: list[bytes] = []
    _add_struct(fields, parts)
    return b"".join(parts)


def _add_struct(fields: Struct, parts: list[bytes]) -> None:
    before = 0
    for number in sorted(fields):
        kind, value = fields[number]
        if kind in (TRUE, FALSE):
            kind = TRUE if value else FALSE
        is_near = 0 < number - before < 16
        parts.append(bytes([(number - before) << 4 | kind]) if is_near else bytes([kind]) + _signed(number))
        if kind not in (TRUE, FALSE):
            _add(kind, value, parts)
        before = number
    parts.append(b"\0")


def _add(kind: int, value: Any, parts: list[bytes]) -> None:
    if kind in (I16, I32, I64):
        parts.append(_signed(value))
    elif kind == BINARY:
        parts.append(_unsigned(len(value)) + value)
    elif kind == STRUCT:
        _add_struct(value, parts)
    elif kind == DOUBLE:
        parts.append(struct.pack("<d", value))
    elif kind in (LIST, SET):
        of, items = value
        parts.append(
            bytes([len(items) << 4 | of]) if len(items) < 15 else bytes([15 << 4 | of]) + _unsigned(len(items))
        )
        for item in items:
            _add(of, item, parts)
    else:
        parts.append(bytes([value]))


def _unsigned(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _signed(value: int) -> bytes:
    return _unsigned((value << 1 ^ value >> 63) & (1 << 64) - 1)
