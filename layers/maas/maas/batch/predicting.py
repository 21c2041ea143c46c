"""Runs a model on chunks of records: as one batch, or record by record where the batch fails."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from maas.batch.formats import Chunk
from maas.errors import InvalidRequest, RunFailed
from maas.records import MetadataTensor, ModelVersion
from maas.serving.datatypes import DTYPES
from maas.serving.runner import Array, Runner

TARGET_BATCH_BYTES = (
    4 << 20
)  # of inputs: the overhead of a call is negligible, intermediate tensors still fit in memory
TARGET_BATCH_MS = 200.0  # larger batches of a slow model gain nothing
MAX_BATCH_ROWS, MIN_SLOW_ROWS = 4096, 32
Predicted = tuple[dict[str, Array], dict[int, str]]


def one_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks; a thread reads the next one while the model runs, which releases Python's lock."""
    with ThreadPoolExecutor(1, "chunks") as pool:
        under_way = pool.submit(next, chunks, None)
        while chunk := under_way.result():
            under_way = pool.submit(next, chunks, None)
            yield chunk


def predict(runner: Runner, chunk: Chunk, names: Sequence[str]) -> Predicted:
    """Outputs of the chunk's good records, each (rows, …), for a `whole` chunk as the model returns them; and why the
    other records failed, by place in the chunk.

    A batch that the model refuses is run record by record, so that one record does not fail the others.
    """
    failed = dict(chunk.errors)
    if not len(chunk.good):
        return {}, failed
    if chunk.whole:
        try:
            return dict(zip(names, runner.run(chunk.inputs, names), strict=True)), failed
        except RunFailed as error:
            return {}, failed | {chunk.good[0]: error.message}
    try:
        arrays = runner.run(chunk.inputs, names)
        if all(array.shape[:1] == (len(chunk.good),) for array in arrays):
            return dict(zip(names, arrays, strict=True)), failed
    except RunFailed as error:
        if len(chunk.good) == 1:
            return {}, failed | {chunk.good[0]: error.message}
    return _one_by_one(runner, chunk, names, failed)


def _one_by_one(runner: Runner, chunk: Chunk, names: Sequence[str], failed: dict[int, str]) -> Predicted:
    found: list[list[Array]] = []
    for index, place in enumerate(chunk.good):
        record = {name: array[index : index + 1] for name, array in chunk.inputs.items()}
        try:
            found.append([_first(array) for array in runner.run(record, names)])
        except RunFailed as error:
            failed[place] = error.message
    return {name: _stacked([one[index] for one in found]) for index, name in enumerate(names)} if found else {}, failed


def _first(array: Array) -> Array:
    """The entry of a batch of one; an output without a batch axis is returned as it is."""
    return np.asarray(array[0]) if array.shape[:1] == (1,) else array


def _stacked(arrays: Sequence[Array]) -> Array:
    """(records, …); an array of objects, one array a record, where shapes differ."""
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    ragged = np.empty(len(arrays), DTYPES["BYTES"])
    for index, array in enumerate(arrays):
        ragged[index] = array
    return ragged


def has_batch(signature: Sequence[MetadataTensor]) -> bool:
    """Whether records can run together: the first dimension of every required input is variable."""
    return {tensor.shape[:1] for tensor in signature if not tensor.optional} == {(-1,)}


def row_ms(version: ModelVersion) -> float | None:
    """Milliseconds a record, from the version's profile; None without one."""
    profile = version.profile or {}
    return profile["run_ms_batch_32"] / 32 if "run_ms_batch_32" in profile else profile.get("run_ms")


def batch_rows(signature: Sequence[MetadataTensor], wanted: int | None, one_ms: float | None = None) -> int:
    """How many records to run at once: 1 without a batch axis, else `wanted` or a few MB of inputs.

    A slow model (`one_ms` a record) gets fewer, so that reading overlaps with its runs. Nothing else may decide this:
    each delivery of a shard has to run the same batches to write the same bytes.
    """
    if not has_batch(signature):
        return 1
    if wanted:
        return wanted
    row_bytes = sum(
        DTYPES[tensor.datatype].itemsize * int(np.prod([16 if size == -1 else size for size in tensor.shape[1:]]))
        for tensor in signature
        if not tensor.optional  # weights that are inputs too come with no record
    )
    slow = max(MIN_SLOW_ROWS, int(TARGET_BATCH_MS / one_ms)) if one_ms else MAX_BATCH_ROWS
    return max(1, min(MAX_BATCH_ROWS, slow, TARGET_BATCH_BYTES // max(row_bytes, 1)))


def selected(runner: Runner, names: Sequence[str] | None) -> list[MetadataTensor]:
    """The outputs that a job writes: `names`, or all with one entry a record. Raises InvalidRequest."""
    possible = {tensor.name: tensor for tensor in runner.outputs if tensor.name in runner.row_outputs}
    unknown = [name for name in names or () if name not in possible]
    if unknown:
        raise InvalidRequest(
            f"options.select: got {unknown[0]!r:.100}, expected some of {sorted(possible)}", field="options.select"
        )
    return [possible[name] for name in names] if names else list(possible.values())
