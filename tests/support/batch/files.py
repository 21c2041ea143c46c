"""Cuts, reads and writes an input in memory like a job, with a model that returns its inputs."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from maas.aws.attributes import Attribute, pack, unpack
from maas.batch import formats
from maas.batch.formats import Chunk, Options
from maas.records import MetadataTensor
from maas.serving.datatypes import Array

ALL = Options()


@dataclass(eq=False)  # each its own
class MemorySource:
    """Records what was read."""

    data: bytes
    reads: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, start: int, end: int) -> bytes:
        assert 0 <= start < end <= len(self.data), (start, end)
        self.reads.append((start, end))
        return self.data[start:end]

    @property
    def read_bytes(self) -> int:
        return sum(end - start for start, end in self.reads)


@dataclass(frozen=True)
class Cut:
    """How a file is cut: shards of `shard_bytes`, each in `pieces`, each of which ends after `chunks` chunks."""

    shard_bytes: int = 1 << 30
    pieces: int = 1
    chunks: int = 1 << 30
    batch_rows: int = 1


def tensor(name: str, datatype: str, *shape: int, optional: bool = False) -> MetadataTensor:
    return MetadataTensor(name, datatype, shape, optional)


def stored(layout: dict[str, Any]) -> dict[str, Any]:
    """The layout as DynamoDB returns it, with maps in another order."""
    found: dict[str, Any] = unpack(_disordered(pack(layout)))
    return found


def _hashed(name: str) -> bytes:
    return sha256(name.encode()).digest()


def _disordered(attribute: Attribute) -> Attribute:
    ((kind, value),) = attribute.items()
    if kind == "M":
        return {"M": {name: _disordered(value[name]) for name in sorted(value, key=_hashed)}}
    return {"L": list(map(_disordered, value))} if kind == "L" else attribute


def chunks(
    format_: str, source: MemorySource, signature: Sequence[MetadataTensor], cut: Cut, options: Options = ALL
) -> Iterator[list[Chunk]]:
    """The chunks of each part in order. Asserts the invariants of chunks."""
    plan = formats.plan(format_, source, cut.shard_bytes)
    assert all(start < end for start, end in plan.shards)
    assert all(one[1] == two[0] for one, two in zip(plan.shards, plan.shards[1:], strict=False))
    layout = stored(plan.layout)
    reader = formats.reader(format_, layout, options, signature)
    for shard in plan.shards:
        for start, end in formats.pieces(format_, source, layout, *shard, cut.pieces):
            position = start
            while position < end:
                part = []
                for chunk in reader.chunks(source, position, end, cut.batch_rows):
                    assert position < chunk.end <= end
                    assert 0 < chunk.rows <= cut.batch_rows
                    assert sorted([*chunk.good, *chunk.errors]) == list(range(chunk.rows))
                    position = chunk.end
                    part.append(chunk)
                    if len(part) == cut.chunks:
                        break
                else:
                    position = end
                yield part


def records(parts: Iterator[list[Chunk]]) -> list[Any]:
    """For each record the values of its inputs, or its error."""
    return [record for part in parts for chunk in part for record in _records(chunk)]


def _records(chunk: Chunk) -> Iterator[Any]:
    if chunk.whole:
        yield {name: _plain(array) for name, array in chunk.inputs.items()}
        return
    for array in chunk.inputs.values():
        assert len(array) == len(chunk.good)
        assert array.flags.c_contiguous
    for place in range(chunk.rows):
        if place in chunk.errors:
            yield chunk.errors[place]
        else:
            index = list(chunk.good).index(place)
            yield {name: _plain(array[index]) for name, array in chunk.inputs.items()}


def _plain(array: Any) -> Any:
    if isinstance(array, str):
        return array
    array = np.asarray(array)
    return array.tolist() if array.dtype.hasobject else (str(array.dtype), array.shape, array.tobytes())


def echoed(
    format_: str,
    source: MemorySource,
    signature: Sequence[MetadataTensor],
    cut: Cut,
    options: Options = ALL,
    failing: Mapping[int, str] | None = None,
    outputs: Sequence[MetadataTensor] | None = None,
) -> list[dict[str, bytes]]:
    """The files of each part for a model that returns its inputs and fails the places `failing` of each chunk."""
    layout = stored(formats.plan(format_, source, cut.shard_bytes).layout)
    outputs = signature if outputs is None else outputs
    written = []
    for part in chunks(format_, source, signature, cut, options):
        writer = formats.writer(format_, layout, options, outputs)
        for chunk in part:
            refused = {place: said for place, said in (failing or {}).items() if place in chunk.good}
            writer.add(chunk, _predicted(chunk, refused), refused | chunk.errors)
        files = writer.finish()
        assert writer.finish() == files
        written.append(files)
    return written


def _predicted(chunk: Chunk, refused: Mapping[int, str]) -> dict[str, Array]:
    kept = [index for index, place in enumerate(chunk.good) if place not in refused]
    if not kept:
        return {}
    return chunk.inputs if len(kept) == len(chunk.good) else {n: array[kept] for n, array in chunk.inputs.items()}


def csv_rows(files: list[dict[str, bytes]]) -> list[dict[str, str]]:
    """The rows of CSV parts, by the standard library."""
    return [row for part in files for row in csv.DictReader(io.StringIO(part["csv"].decode(), newline=""))]
