"""The fields of one protobuf message, read so that there is one reading (docs/adr/0012).

Parsers differ in what they make of bytes that no serialiser writes: a tag of more than 32 bits, a number in more bytes
than it needs, a second value of a field that has one, a field with the wrong wire type. Such bytes are refused. What is
accepted is what writing the fields in their order gives again. https://protobuf.dev/programming-guides/encoding
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from maas.errors import ModelRejected

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_INT32_END = (1 << 64) - (1 << 31)  # negative numbers are sign-extended to 64 bits


@dataclass(frozen=True, slots=True)
class Field:
    """A field in one of its wire types.

    `message` is the type of its value if that is a message. `once` is a bit that at most one field of the message may
    set; 0 for a repeated field. `run` matches all bytes of repeated numbers: one after the other with their tags, or
    the content of a `packed` field. `below` is the end of a varint's range; int32 may be negative too.
    """

    name: str
    message: str | None = None
    once: int = 0
    run: re.Pattern[bytes] | None = None
    packed: bool = False
    below: int = 1 << 64
    signed32: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A type of message: its fields by tag."""

    name: str
    fields: Mapping[int, Field]


def fields(content: memoryview, kind: Message) -> Iterator[tuple[Field, int | memoryview]]:
    """The message's fields and values in file order: varints as unsigned numbers, everything else as bytes.

    Repeated numbers come as one value, see `numbers`. Raises ModelRejected for bytes with no or several readings.
    """
    position, end, seen = 0, len(content), 0
    while position < end:
        start, tag = position, content[position]
        if tag < 128:  # most are of one byte, which saves a call
            position += 1
        else:
            tag, position = varint(content, position)
        field = kind.fields.get(tag)
        if field is None:
            raise unreadable(f"{kind.name} has no field with number {tag >> 3} and wire type {tag & 7}")
        if field.once & seen:
            raise unreadable(f"{kind.name} has two values for {field.name}, expected one")
        seen |= field.once
        if field.run and not field.packed:
            position = _end_of_run(content, start, field)
            yield field, content[start:position]
        elif tag & 7 == VARINT:
            value, position = varint(content, position)
            if value >= field.below and not (field.signed32 and value >= _INT32_END):
                raise unreadable(f"{kind.name}.{field.name} is {value}, beyond its range")
            yield field, value
        else:
            length, position = varint(content, position) if tag & 7 == BYTES else (_FIXED_BYTES[tag & 7], position)
            start, position = position, position + length
            if position > end:
                raise unreadable(f"{kind.name}.{field.name} ends {position - end:,} bytes after its message")
            piece = content[start:position]
            if field.run and not field.run.fullmatch(piece):
                raise unreadable(f"{kind.name}.{field.name} is not a list of numbers in as few bytes as they take")
            yield field, piece


def _end_of_run(content: memoryview, start: int, field: Field) -> int:
    """Of the numbers that start at `start`, each with its tag."""
    found = field.run and field.run.match(content, start)
    if not found:
        raise unreadable(f"{field.name} has a number that is truncated or longer than it needs to be")
    return found.end()


def varint(content: memoryview, position: int) -> tuple[int, int]:
    """The number at `position`, in as few bytes as it takes, and where it ends."""
    end = len(content)
    if position < end and content[position] < 128:
        return content[position], position + 1
    value = shift = 0
    while position < end:
        byte = content[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if (shift and not byte) or value >> 64:
                break
            return value, position
        shift += 7
        if shift > 63:
            break
    raise unreadable("a number is truncated, beyond 64 bits or longer than it needs to be")


def numbers(field: Field, piece: memoryview) -> Iterator[int]:
    """The varints of a repeated field."""
    position = 0
    while position < len(piece):
        if not field.packed:
            _, position = varint(piece, position)
        number, position = varint(piece, position)
        yield number


def unreadable(what: str) -> ModelRejected:
    return ModelRejected(f"the file is not a readable ONNX file: {what}; it is truncated or of another format")
