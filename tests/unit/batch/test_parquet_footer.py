"""Parquet's footer: only the needed fields are decoded, in bounded time and memory."""

import io
import time
from typing import Any

import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import write_parquet
from hypothesis import given
from hypothesis import strategies as st

from maas.batch import formats
from maas.batch.formats.parquet import thrift
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, records, tensor


def saved(columns: dict[str, Any]) -> MemorySource:
    file = io.BytesIO()
    write_parquet(Table.from_pydict(columns), file)
    return MemorySource(file.getvalue())


def with_footer(footer: bytes) -> MemorySource:
    return MemorySource(b"PAR1" * 2 + footer + len(footer).to_bytes(4, "little") + b"PAR1")


LARGE = 4 << 20
STRUCTS = 0xF0 | thrift.STRUCT
SKIPPED = b"\x49\x1c\x19"  # a row group whose columns are a list with the bytes that follow


@pytest.mark.parametrize(
    ("footer", "said"),
    [
        *((SKIPPED + head + b"\xff" * LARGE, "a number beyond 64 bits") for head in (b"\x15", b"\x18", b"\xf5")),
        (SKIPPED + b"\x1c\x05" + b"\xff" * LARGE, "a number beyond 64 bits"),
        (b"\x49" + bytes([STRUCTS]) + b"\x80\x80\x80\x01" + bytes(LARGE), "more than 1,048,576 values"),
        (b"\x29" + bytes([STRUCTS]) + b"\x80\x80\x80\x01" + bytes(LARGE), "more than 1,048,576 values"),
        (b"\x2c" + b"\x11" * LARGE, "more than 1,048,576 values"),
        (b"\x49\x1c\x11\x00\x00", ""),  # columns that are a boolean
        (b"\x49\x1c\x15\x00\x00\x00", ""),  # and a number
    ],
)
def test_oversized_footers_are_refused(footer: bytes, said: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest, match=rf"input: got a footer that cannot be read \(.*{said}"):
        formats.plan("parquet", with_footer(footer), 1000)
    assert time.process_time() - began < 20


@pytest.mark.full
def test_unwanted_footer_fields_are_skipped() -> None:
    many = (thrift.LIST, (thrift.I32, [1] * (thrift.MAX_VALUES + 1)))
    data = saved({"x": Array([1.0, 2.0], DataType.float64())}).data
    length = int.from_bytes(data[-8:-4], "little")
    fields = thrift.Decoder(data[-8 - length : -8]).struct()
    footer = thrift.encoded(fields | {8: many, 9: (thrift.TRUE, True)})
    grown = MemorySource(data[: -8 - length] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    found = records(chunks("parquet", grown, [tensor("x", "FP64", -1)], Cut(batch_rows=2)))
    assert [np.frombuffer(one["x"][2])[0] for one in found] == [1.0, 2.0]


@pytest.mark.parametrize("is_set", [True, False])
def test_thrift_boolean_field(is_set: bool) -> None:
    data = thrift.encoded({1: (thrift.TRUE, is_set), 2: (thrift.I32, 7)})
    kind = thrift.TRUE if is_set else thrift.FALSE
    assert thrift.Decoder(data).struct((1,)) == {1: (kind, is_set), 2: (thrift.I32, 7)}
    assert thrift.Decoder(data).struct((), (2,)) == {2: (thrift.I32, 7)}


@given(
    st.recursive(
        st.integers(-(2**63), 2**63 - 1).map(lambda n: (thrift.I64, n))
        | st.binary(max_size=20).map(lambda b: (thrift.BINARY, b))
        | st.booleans().map(lambda b: (thrift.TRUE if b else thrift.FALSE, b))
        | st.lists(st.integers(-99, 99), max_size=20).map(lambda n: (thrift.LIST, (thrift.I32, n))),
        lambda inner: st.dictionaries(st.integers(1, 60), inner, max_size=4).map(lambda s: (thrift.STRUCT, s)),
        max_leaves=8,
    )
)
def test_thrift_round_trip(value: Any) -> None:
    assert thrift.Decoder(thrift.encoded({7: value})).struct() == {7: value}
