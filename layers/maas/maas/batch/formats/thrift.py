"""Thrift's compact protocol, as far as a Parquet footer is written in it, to plain values and back.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md. Nothing is known here of what fields
mean, so that those of later versions of the format go through as they came.
"""

import struct
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
MAX_DEPTH = 32

Struct = dict[int, tuple[int, Any]]  # by field: type, value
Items = tuple[int, list[Any]]  # type of all, values


class NotThrift(Exception):
    pass


class Decoder:
    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._depth = data, 0, 0

    def struct(self) -> Struct:
        """Raises NotThrift."""
        fields: Struct = {}
        number = 0
        self._depth += 1
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            kind = head & 15
            fields[number] = (kind, kind == TRUE if kind in (TRUE, FALSE) else self._value(kind))
        self._depth -= 1
        return fields

    def _value(self, kind: int) -> Any:
        if self._depth > MAX_DEPTH:
            raise NotThrift("nested too deeply")
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == BINARY:
            return self._bytes(self._unsigned())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self._list()
        if kind in (TRUE, FALSE, BYTE):
            return self._byte()
        if kind == DOUBLE:
            return struct.unpack("<d", self._bytes(8))[0]
        raise NotThrift(f"a value of type {kind}")

    def _list(self) -> Items:
        head = self._byte()
        size = head >> 4 if head >> 4 < 15 else self._unsigned()
        if size > len(self._data) - self._at:
            raise NotThrift("a list beyond the end")
        self._depth += 1
        items = [self._value(head & 15) for _ in range(size)]
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
