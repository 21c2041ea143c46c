"""Works off sampled requests: writes those to be captured, runs those with a shadow and compares the outputs.

Capturing comes first and is tried again: twice is as once. A comparison is tried once, and dropped if it is late: it
may have been the end of this function. Nothing of a sample is kept but what is captured.
"""

import logging
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from maas.aws.s3_reader import S3Reader
from maas.aws.s3_writer import S3Writer
from maas.errors import DeadlineExceeded, Gone, InvalidRequest, MaasError, NotFound, NotReady, ServiceUnavailable
from maas.metrics.counters import Counters
from maas.metrics.counts import Counts
from maas.records.samples import Shadow
from maas.sampling.capture_files import CaptureFiles, together
from maas.sampling.places import SHADOW
from maas.sampling.sample import ID, BrokenSample, Sample
from maas.serving.comparison import Compared, compared
from maas.serving.dataplane import DataPlane
from maas.serving.datatypes import Array
from maas.serving.served_model import ServedModel

MAX_AGE_SECONDS = 300  # of a comparison, since the answer
RUN_SECONDS = 25  # a run that takes longer would have been no answer either
_NOT_THE_MODEL = (NotFound, Gone, NotReady, ServiceUnavailable)  # the version is gone, or AWS does not answer
_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """`received` counts its deliveries, this one included."""

    id: str
    body: str
    received: int


class _Stored(NamedTuple):
    key: str
    s3_version: str | None


class _Taken(NamedTuple):
    message: Message
    sample: Sample
    stored: _Stored | None


class Shadowing:
    def __init__(
        self, dataplane: DataPlane, reader: S3Reader, writer: S3Writer, captures: CaptureFiles, counters: Counters
    ) -> None:
        self._dataplane, self._reader, self._writer = dataplane, reader, writer
        self._captures, self._counters = captures, counters

    def work(self, messages: Sequence[Message], deadline: float) -> list[str]:
        """The ids of messages to deliver again. Comparisons that may not end before `deadline` (monotonic) drop."""
        again: list[str] = []
        taken: list[_Taken] = []
        for message in messages:
            try:
                taken.append(self._read(message))
            except BrokenSample as error:
                _log.error("message %s dropped: %s", message.id, error)
            except NotFound:
                _log.warning("message %s dropped: its sample is not there any more", message.id)
            except ServiceUnavailable as error:
                _log.warning("message %s: %s", message.id, error)
                again.append(message.id)
        failed = self._capture([one.sample for one in taken])
        for one in taken:
            if one.sample.id in failed:
                again.append(one.message.id)
                continue
            self._shadow(one, deadline)
            self._forget(one)
        return again

    def _read(self, message: Message) -> _Taken:
        try:
            document = orjson.loads(message.body)
            if "sample" in document:
                return _Taken(message, Sample.of(b64decode(document["sample"], validate=True)), None)
            if not ID.fullmatch(document["stored"]):
                raise ValueError("its id")
            stored = _Stored(SHADOW + document["stored"], document["s3_version"])
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenSample(f"no message of a sample: {error!r:.300}") from error
        return _Taken(message, Sample.of(self._reader.read(stored.key)), stored)

    def _capture(self, samples: Sequence[Sample]) -> set[str]:
        """The ids of samples that could not be written."""
        failed: set[str] = set()
        for some in together(samples):
            try:
                self._captures.write(some)
            except MaasError as error:
                _log.warning("%d requests not captured yet: %s", len(some), error)
                failed.update(sample.id for sample in some)
                continue
            for sample in some:
                self._counters.count_samples(sample.model, sample.version, sample.alias, Counts(captured=1))
        return failed

    def _shadow(self, taken: _Taken, deadline: float) -> None:
        sample, shadow = taken.sample, taken.sample.samples.shadow
        if shadow is None:
            return
        late = time.time() - sample.at_ms / 1000 > MAX_AGE_SECONDS or time.monotonic() + RUN_SECONDS > deadline
        counts = Counts(shadow_dropped=1)
        if taken.message.received == 1 and not late:
            try:
                found = self._compared(sample, shadow, deadline)
                counts = Counts(shadow_compared=1, shadow_mismatched=int(not found.is_same))
                counts.add_difference(found.difference)
            except _NOT_THE_MODEL as error:
                _log.warning("not compared: %s", error)
            except Exception as error:
                self._tell(sample, shadow, error)
                counts = Counts(shadow_compared=1, shadow_mismatched=1, shadow_failed=1)
        self._counters.count_samples(sample.model, shadow.version, sample.alias, counts)

    def _compared(self, sample: Sample, shadow: Shadow, deadline: float) -> Compared:
        resolved = self._dataplane.resolve(sample.model, str(shadow.version))
        try:
            self._dataplane.runner(resolved, deadline - RUN_SECONDS, sample.parameters)
        except DeadlineExceeded:
            raise ServiceUnavailable("S3") from None  # the download of the model takes longer than there is time
        wanted = {one.name: one.array for one in sample.outputs}

        def decode(runner: ServedModel) -> Mapping[str, Array]:
            if missing := wanted.keys() - set(runner.output_names):
                raise InvalidRequest(f"version {shadow.version} has no output {sorted(missing)}", field="outputs")
            return {one.name: one.array for one in sample.inputs}

        until, names = time.monotonic() + RUN_SECONDS, list(wanted) or None
        answered = self._dataplane.predict(resolved, decode, until, None, sample.parameters, names)
        return compared(answered.outputs, wanted, shadow)

    def _tell(self, sample: Sample, shadow: Shadow, error: Exception) -> None:
        """Only the class: a message may quote the request."""
        kind = type(error).__name__
        _log.warning("version %d of model %s failed as a shadow: %s", shadow.version, sample.model, kind)

    def _forget(self, taken: _Taken) -> None:
        if taken.stored is None:
            return
        try:
            self._writer.delete(*taken.stored)
        except MaasError as error:
            _log.warning("%s stays until its lifecycle ends it: %s", taken.stored.key, error)
