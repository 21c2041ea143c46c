"""Chooses, in the inference function, which requests are copied, and sends the copies off after the answer.

A request that is not chosen costs a random number. One that is chosen costs no more before its answer; what cannot be
sent is dropped and counted.
"""

import logging
import os
import random
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import orjson

from maas.aws.s3_writer import S3Writer
from maas.aws.signed_sqs import MAX_BYTES, SignedQueue
from maas.metrics.counters import Counters
from maas.metrics.counts import Counts
from maas.records.samples import BOTH, INPUTS, NOTHING, OUTPUTS, Samples
from maas.sampling.places import SHADOW
from maas.sampling.sample import Sample
from maas.serving.dataplane import Prediction
from maas.serving.oip_reply import OutputTensor
from maas.serving.traffic import Resolved
from maas.telemetry.observation import Observation, current

MAX_PENDING = 32  # samples of a few MB that wait to be sent
PAUSE_SECONDS = 30  # without a try, after one that failed: each costs seconds of the environment's time
_random = random.SystemRandom()  # environments from one snapshot must not draw the same numbers
_log = logging.getLogger(__name__)


class Outbox:
    """The way to the shadow function: its queue, and the bucket for what is too large for a message."""

    def __init__(self, queue: SignedQueue, writer: S3Writer) -> None:
        self._queue, self._writer = queue, writer

    def send(self, sample: Sample) -> None:
        """Raises ServiceUnavailable."""
        packed = sample.packed()
        message: dict[str, str | None] = {"sample": b64encode(packed).decode()}
        if len(packed) * 4 // 3 + 100 > MAX_BYTES:
            message = {"stored": sample.id, "s3_version": self._writer.put(SHADOW + sample.id, packed)}
        self._queue.send(orjson.dumps(message).decode())


class _Taken(NamedTuple):
    at_ns: int
    resolved: Resolved
    samples: Samples
    parameters: Mapping[str, Any]
    answered: Prediction
    observation: Observation | None


class Sampler:
    """A `maas.serving.dataplane.Sampler`. `add` is that of `maas.aws.after_answer`."""

    def __init__(self, add: Callable[[Callable[[], object]], bool], outbox: Outbox, counters: Counters) -> None:
        self._add, self._outbox, self._counters = add, outbox, counters
        self._room = threading.BoundedSemaphore(MAX_PENDING)
        self._paused_until = 0.0

    def __call__(self, resolved: Resolved, parameters: Mapping[str, Any], answered: Prediction) -> None:
        samples, drawn = resolved.samples, _random.random() * 100
        if samples is None or drawn >= samples.percent:
            return
        taken = _Taken(time.time_ns(), resolved, samples.due(drawn), parameters, answered, current())
        if not self._room.acquire(blocking=False):
            self._drop(taken)
        elif not self._add(partial(self._send, taken)):
            self._room.release()
            self._drop(taken)

    def _send(self, taken: _Taken) -> None:
        try:
            if time.monotonic() < self._paused_until:
                return self._drop(taken)
            self._outbox.send(_sample(taken))
        except Exception as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            self._drop(taken)
            _log.warning("sample not sent, none for %d s: %r", PAUSE_SECONDS, error)
        finally:
            self._room.release()

    def _drop(self, taken: _Taken) -> None:
        version, alias, samples = taken.resolved.version, taken.resolved.alias or "", taken.samples
        if samples.shadow:
            self._counters.count_samples(version.model, samples.shadow.version, alias, Counts(shadow_dropped=1))
        if samples.capture:
            self._counters.count_samples(version.model, version.number, alias, Counts(capture_dropped=1))


def _sample(taken: _Taken) -> Sample:
    version, answered, seen = taken.resolved.version, taken.answered, taken.observation
    shadow, capture = taken.samples.shadow, taken.samples.capture
    what, hidden = (capture.what, capture.redact) if capture else ("", ())
    kinds = {one.name: one.datatype for one in answered.runner.inputs}
    inputs = [OutputTensor(name, kinds.get(name, "BYTES"), array) for name, array in answered.inputs.items()]
    kinds = dict(answered.runner.datatypes)  # without what a task gives beside its outputs
    outputs = [OutputTensor(name, kinds[name], array) for name, array in answered.outputs.items() if name in kinds]
    return Sample(
        os.urandom(16).hex(),
        taken.at_ns // 1_000_000,
        version.model,
        version.number,
        taken.resolved.alias or "",
        taken.samples,
        seen.caller if seen else "",
        seen.ids.get("request_id") if seen else None,
        {name: value for name, value in taken.parameters.items() if shadow or name not in hidden},
        _needed(inputs, shadow is not None, what in (INPUTS, BOTH), hidden),
        _needed(outputs, shadow is not None and shadow.compare != NOTHING, what in (OUTPUTS, BOTH), hidden),
    )


def _needed(
    tensors: list[OutputTensor], is_compared: bool, is_captured: bool, hidden: Collection[str]
) -> list[OutputTensor]:
    """What is redacted leaves the function only for the comparison."""
    if is_compared:
        return tensors
    return [one for one in tensors if one.name not in hidden] if is_captured else []
