"""Fields of protobuf messages: every field that ONNX knows, numbers only as a serialiser writes them."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import ModelProto

from maas.deployment.onnx_file.messages import MESSAGES
from maas.deployment.onnx_file.wire import BYTES, FIXED32, FIXED64, VARINT, Field, fields, numbers
from maas.errors import ModelRejected
from support.fuzzing.protobuf import Piece, varint

NEGATIVE_INT32 = range((1 << 64) - (1 << 31), 1 << 64)
_WIRE_TYPES = {
    FieldDescriptor.TYPE_FLOAT: FIXED32,
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_INT32: VARINT,
    FieldDescriptor.TYPE_INT64: VARINT,
    FieldDescriptor.TYPE_UINT64: VARINT,
    FieldDescriptor.TYPE_ENUM: VARINT,
    FieldDescriptor.TYPE_STRING: BYTES,
    FieldDescriptor.TYPE_BYTES: BYTES,
    FieldDescriptor.TYPE_MESSAGE: BYTES,
}


@pytest.mark.parametrize(("number", "allowed"), [(7, [range(1 << 64)]), (5, [range(1 << 31), NEGATIVE_INT32])])
@given(content=st.binary(max_size=24))
@example(b"\x80\x00")
@example(b"\xff" * 9 + b"\x01")
@example(b"\xff" * 9 + b"\x02")
@example(b"\xff" * 10 + b"\x01")
@example(b"\xff\xff\xff\xff\x07")
@example(b"\xff\xff\xff\xff\x08")
@example(b"\x80\x80\x80\x80\xf8" + b"\xff" * 4 + b"\x01")
@example(b"\x80\x80\x80\x80\xf7" + b"\xff" * 4 + b"\x01")
def test_numbers_are_taken_as_a_serialiser_writes_them(number: int, allowed: list[range], content: bytes) -> None:
    """Fields int64_data and int32_data, packed and each with its tag."""
    expected = [value for value in _varints(content) if any(value in one for one in allowed)]
    if b"".join(map(varint, expected)) != content:
        with pytest.raises(ModelRejected):
            _read(Piece(number, BYTES, content).written())
        return
    assert _read(Piece(number, BYTES, content).written()) == expected
    assert _read(b"".join(Piece(number, VARINT, value).written() for value in expected)) == expected


def _varints(content: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in content:
        value, shift = value | (byte & 127) << shift, shift + 7
        if byte < 128:
            yield value
            value = shift = 0


def _read(tensor: bytes) -> list[int]:
    return [
        one for field, value in fields(memoryview(tensor), MESSAGES["TensorProto"]) for one in numbers(field, value)
    ]


def test_table_has_every_field_of_onnx() -> None:
    known: dict[str, dict[int, Field]] = {}
    waiting: list[Descriptor] = [ModelProto.DESCRIPTOR]
    while waiting:
        kind = waiting.pop()
        name = _name(kind)
        if name not in known:
            known[name] = dict(pair for field in kind.fields for pair in _fields(field))
            waiting += [field.message_type for field in kind.fields if field.message_type]
    assert known == {
        name: {tag: replace(field, run=None) for tag, field in message.fields.items()}
        for name, message in MESSAGES.items()
    }


def _fields(known: FieldDescriptor) -> Iterator[tuple[int, Field]]:
    """By tag. A oneof has the bit 0."""
    wire_type, tag = _WIRE_TYPES[known.type], known.number << 3
    if known.is_repeated and wire_type != BYTES:
        yield tag | BYTES, Field(known.name, packed=True)
    is_int32 = known.type == FieldDescriptor.TYPE_INT32 and not known.is_repeated
    below = len(known.enum_type.values) if known.enum_type else 1 << (31 if is_int32 else 64)
    once = 0 if known.is_repeated else 1 if known.containing_oneof else 1 << known.number
    inner = _name(known.message_type) if known.message_type else None
    yield tag | wire_type, Field(known.name, inner, once, below=below, signed32=is_int32)


def _name(kind: Descriptor) -> str:
    return str(kind.full_name).removeprefix("onnx.")
