"""Gzip: members of any size are one stream of lines, in time linear in its bytes."""

import gzip
import json
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maas.batch.formats.blocks import unpacked
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, echoed, records, tensor

X = [tensor("x", "FP32", -1, 2)]


def lines_of(files: list[dict[str, bytes]]) -> list[Any]:
    return [json.loads(line) for part in files for line in part["jsonl"].splitlines()]


@pytest.mark.parametrize(
    "data", [b"", b"no gzip", gzip.compress(b"[1,2]\n" * 1000, mtime=0)[:-9]], ids=["empty", "other", "cut"]
)
def test_damaged_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"input: got a (truncated|damaged) gzip file"):
        records(chunks("jsonl.gz", MemorySource(data), X, Cut(batch_rows=8)))


def test_gzip_members_with_a_high_ratio() -> None:
    text = b"[1,2]" + b" " * (20 << 20) + b"\n"
    data = gzip.compress(text) + gzip.compress(b"[3,4]\n") + b"\0" * 100
    assert len(data) < 40_000
    assert lines_of(echoed("jsonl.gz", MemorySource(data), X, Cut(batch_rows=8))) == [
        {"x": [1.0, 2.0]},
        {"x": [3.0, 4.0]},
    ]


@pytest.mark.full
def test_many_small_gzip_members_take_linear_time() -> None:
    streams = gzip.compress(b"") * 9999 + gzip.compress(b"[1,2]\n")

    def seconds(data: bytes, times: int) -> float:
        began = time.process_time()
        for _ in range(times):
            assert b"".join(unpacked(MemorySource(data), 0)) == b"[1,2]\n" * (len(data) // len(streams))
        return time.process_time() - began

    assert seconds(streams * 30, 1) < 4 * seconds(streams, 30)


@pytest.mark.full
@settings(max_examples=30)
@given(st.lists(st.sampled_from([0, 1, 3000, 16 << 10, 70_000, 9 << 20]), max_size=4), st.integers(0, 40_000))
def test_gzip_members_of_any_size_with_padding(sizes: list[int], padding: int) -> None:
    random = np.random.default_rng(0)
    texts = [random.integers(65, 91, size, np.uint8).tobytes() for size in [*sizes, 5]]
    data = b"".join(gzip.compress(text, 1) + bytes(padding) for text in texts)
    assert hash(b"".join(unpacked(MemorySource(data), 0))) == hash(b"".join(texts))
