"""A job's shadow: runs another version on the records that the job's version answered, and compares the outputs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from maas.batch.formats import Chunk
from maas.batch.predicting import Predicted, Predictor
from maas.batch.state.job_records import BatchJob, Shadowed
from maas.errors import DeadlineExceeded, InvalidRequest, MaasError
from maas.metrics.counts import power_above
from maas.records.samples import NOTHING, VALUES, Shadow
from maas.serving.comparison import compared
from maas.serving.dataplane import DataPlane
from maas.serving.datatypes import Array
from maas.telemetry.observability import logger

ATTEMPTS = 2  # deliveries of a shard that run the shadow: it may be what ends the worker, and a shard has five
_TOO_SLOW = "it took longer than a worker has time: the job runs with fewer records at once with a smaller batch_size"
MAX_REASON = 500  # characters in the shard's row


class JobShadow:
    """That of one shard, for a job that has a shadow. Nothing it meets is an exception: what fails is counted.

    It runs until the time `until`, of time.monotonic, in the first deliveries of the shard (`received`).
    """

    def __init__(self, job: BatchJob, dataplane: DataPlane, until: float, received: int) -> None:
        assert job.shadow is not None
        self._job, self._shadow, self._dataplane, self._until = job, job.shadow, dataplane, until
        self._predictor: Predictor | None = None
        self._names: Sequence[str] = ()
        self._broken = "it ran twice in this shard, which was not done then" if received > ATTEMPTS else None
        self.found = Shadowed()

    def begin(self, names: Sequence[str]) -> None:
        """Count from the beginning of the shard, for the outputs `names`."""
        self._names, self.found = names, Shadowed()

    def compare(self, chunk: Chunk, answered: dict[str, Array], failed: dict[int, str]) -> None:
        """Add up how the shadow does on a chunk that the job's version answered, all but the records in `failed`."""
        places = [place for place in chunk.good if place not in failed]
        if not places:
            return
        try:
            came, refused = self._loaded().predict(chunk, self._until)
            reasons = [refused[place] for place in places if place in refused]
            mismatched, largest = differing(chunk, (came, refused), (answered, failed), self._shadow)
            found = Shadowed(len(places), mismatched + len(reasons), len(reasons), power_above(largest))
        except Exception as error:
            if not isinstance(error, MaasError):
                logger().exception("shadow failed", extra={"job": self._job.id, "version": self._shadow.version})
            reasons = [_TOO_SLOW if isinstance(error, DeadlineExceeded) else reason_of(error)]
            found = Shadowed(len(places), len(places), len(places))
        found = replace(found, reason=reasons[0][:MAX_REASON] if reasons else None)
        self.found = Shadowed.sum([self.found, found])

    def _loaded(self) -> Predictor:
        """Tries to load once."""
        if self._broken:
            raise InvalidRequest(self._broken)
        if time.monotonic() > self._until:
            raise DeadlineExceeded("the shadow ran")
        if self._predictor is None:
            try:
                self._predictor = self._load()
            except Exception as error:
                self._broken = reason_of(error)
                raise
        return self._predictor

    def _load(self) -> Predictor:
        resolved = self._dataplane.resolve(self._job.model, str(self._shadow.version))
        runner = self._dataplane.runner(resolved, self._until, self._job.options.get("parameters"))
        if missing := sorted(set(self._names) - set(runner.output_names)):
            raise InvalidRequest(f"version {self._shadow.version} has no output {missing}")
        return Predictor(runner, self._names)


def differing(chunk: Chunk, came: Predicted, answered: Predicted, shadow: Shadow) -> tuple[int, float]:
    """How many records are not the same, of those that both versions answered, and the largest difference.

    Both are what `Predictor.predict` returns for the chunk.
    """
    (outputs, refused), (wanted, failed) = came, answered
    if shadow.compare == NOTHING or not outputs:
        return 0, 0.0
    if chunk.whole:
        found = compared(outputs, wanted, shadow)
        return int(not found.is_same), found.difference
    if refused.keys() == failed.keys() and all(array.dtype.kind != "O" for array in wanted.values()):
        whole = compared(outputs, wanted, replace(shadow, compare=VALUES))
        if whole.is_same and (shadow.compare == VALUES or not whole.difference):
            return 0, whole.difference
    mismatched, largest = 0, 0.0
    rows = {place: row for row, place in enumerate(place for place in chunk.good if place not in failed)}
    for row, place in enumerate(place for place in chunk.good if place not in refused):
        if place in rows:
            found = compared(_record(outputs, row), _record(wanted, rows[place]), shadow)
            mismatched, largest = mismatched + (not found.is_same), max(largest, found.difference)
    return mismatched, largest


def _record(arrays: Mapping[str, Array], row: int) -> dict[str, Array]:
    found = {}
    for name, array in arrays.items():
        one = array[row]
        found[name] = one if isinstance(one, np.ndarray) else np.asarray(one, array.dtype)
    return found


def reason_of(error: Exception) -> str:
    """For a shard's row: what a user may read."""
    if isinstance(error, MaasError):
        return error.message
    return "an internal error; the trace is in the log of the worker function"
