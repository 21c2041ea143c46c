"""Runs a model on chunks of records: as one batch, or record by record where the batch fails."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import numpy as np

from maas.batch.formats import Chunk
from maas.errors import InvalidRequest, RunFailed, TooLarge
from maas.records import MetadataTensor, ModelVersion
from maas.serving.datatypes import DTYPES, Array
from maas.serving.served_model import ServedModel

TARGET_BATCH_BYTES = (
    4 << 20
)  # of inputs: the overhead of a call is negligible, intermediate tensors still fit in memory
TARGET_BATCH_MS = 200.0  # larger batches of a slow model gain nothing
MAX_BATCH_ROWS, MIN_SLOW_ROWS = 4096, 32
REFUSED = (RunFailed, InvalidRequest, TooLarge)  # the error is of the records
Predicted = tuple[dict[str, Array], dict[int, str]]


def one_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks; a thread reads the next one while the model runs, which releases Python's lock."""
    with ThreadPoolExecutor(1, "chunks") as pool:
        under_way = pool.submit(next, chunks, None)
        while chunk := under_way.result():
            under_way = pool.submit(next, chunks, None)
            yield chunk


class OneBehind:
    """Runs calls in a thread, one after another: the next one waits for the last, whose exception it raises."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "writer")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def call(self, function: Callable[..., None], *arguments: object) -> None:
        self.wait()
        self._under_way = self._pool.submit(function, *arguments)

    def wait(self) -> None:
        if self._under_way:
            self._under_way.result()


class Predictor:
    """Runs a model on the chunks of one shard, for the outputs `names`. Checks that their first axis is the records."""

    def __init__(self, runner: ServedModel, names: Sequence[str]) -> None:
        self._runner, self._names = runner, names
        self._checked: set[tuple[tuple[int, ...], ...]] = set()  # shapes of records

    def predict(self, chunk: Chunk, deadline: float | None = None) -> Predicted:
        """Outputs of the chunk's good records, each (rows, …), for a `whole` chunk as the model returns them; and why
        the other records failed, by place in the chunk.

        A batch that the model refuses is run record by record, so that one record does not fail the others. Raises
        InvalidRequest for an output whose first axis is not the records, DeadlineExceeded.
        """
        failed = dict(chunk.errors)
        if not len(chunk.good):
            return {}, failed
        try:
            arrays = self._runner.run(chunk.inputs, self._names, deadline)
        except REFUSED as error:
            if chunk.whole or len(chunk.good) == 1:
                return {}, failed | {chunk.good[0]: error.message}
            return self._one_by_one(chunk, failed, deadline)
        if not chunk.whole:
            if len(chunk.good) == 1:
                self._check_axes(arrays, 1)
            elif any(array.shape[:1] != (len(chunk.good),) for array in arrays):
                return self._one_by_one(chunk, failed, deadline)
            else:
                self._check_batch(chunk, arrays, deadline)
        return dict(zip(self._names, arrays, strict=True)), failed

    def _one_by_one(self, chunk: Chunk, failed: dict[int, str], deadline: float | None) -> Predicted:
        found: list[list[Array]] = []
        for index, place in enumerate(chunk.good):
            try:
                arrays = self._runner.run(_records(chunk, index, index + 1), self._names, deadline)
            except REFUSED as error:
                failed[place] = error.message
                continue
            self._check_axes(arrays, 1)
            found.append([np.asarray(array[0], array.dtype) for array in arrays])  # of text, too: an item is a str
        if not found:
            return {}, failed
        return {name: _stacked([one[index] for one in found]) for index, name in enumerate(self._names)}, failed

    def _check_batch(self, chunk: Chunk, arrays: Sequence[Array], deadline: float | None) -> None:
        """Run fewer records: a first axis of another meaning may be as long as the batch by chance.

        Done for the first batch, and for later ones of other record shapes where a second axis is as long.
        """
        count = len(chunk.good)
        shapes = tuple(array.shape[1:] for array in chunk.inputs.values())
        if shapes in self._checked or (self._checked and not any(count in array.shape[1:] for array in arrays)):
            return
        for fewer in dict.fromkeys((1, count - 1)):  # some models refuse a single record
            try:
                found = self._runner.run(_records(chunk, 0, fewer), self._names, deadline)
            except REFUSED:
                continue
            self._check_axes(found, fewer)
            break
        self._checked.add(shapes)

    def _check_axes(self, arrays: Sequence[Array], count: int) -> None:
        """Raises InvalidRequest unless the first axis of each output has one entry for each of `count` records."""
        for name, array in zip(self._names, arrays, strict=True):
            if array.shape[:1] != (count,):
                came = f"shape {list(array.shape)} for {count} record{'s'[: count - 1]}"
                what = f"output '{name}': got {came}, expected the records on the first axis"
                raise InvalidRequest(
                    f"{what}: transpose it in the model, or leave it out with select", field="options.select"
                )


def _records(chunk: Chunk, start: int, end: int) -> dict[str, Array]:
    return {name: array[start:end] for name, array in chunk.inputs.items()}


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


def selected(runner: ServedModel, names: Sequence[str] | None) -> list[MetadataTensor]:
    """The outputs that a job writes: `names`, or all with one entry a record. Raises InvalidRequest."""
    possible = {tensor.name: tensor for tensor in runner.outputs if tensor.name in runner.row_outputs}
    unknown = [name for name in names or () if name not in possible]
    if unknown:
        raise InvalidRequest(
            f"options.select: got {unknown[0]!r:.100}, expected some of {sorted(possible)}", field="options.select"
        )
    return [possible[name] for name in names] if names else list(possible.values())
