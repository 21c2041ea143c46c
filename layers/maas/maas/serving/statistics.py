"""Triton's statistics extension: of this execution environment since its start, or of all by their counters.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from maas.metrics.counts import Counts
from maas.records import ModelVersion
from maas.serving.traffic import Resolved
from maas.telemetry.observation import inference_begins
from maas.telemetry.stages import Stage

STAGES = ("queue", "compute_input", "compute_infer", "compute_output")
Key = tuple[str, int]


class _Counts:
    """Each success has all stages, so that their count is that of the successes."""

    def __init__(self) -> None:
        self.last_inference_ms = 0
        self.succeeded = self.failed = 0
        self.ns = dict.fromkeys(("success", "fail", *STAGES), 0)

    def add_success(self, total_ns: int, stages_ns: Mapping[str, int]) -> None:
        self.succeeded += 1
        sums = self.ns
        sums["success"] += total_ns
        for name in STAGES:
            sums[name] += stages_ns.get(name, 0)
        self.last_inference_ms = time.time_ns() // 1_000_000

    def add_failure(self, total_ns: int) -> None:
        self.failed += 1
        self.ns["fail"] += total_ns


class Statistics:
    def __init__(self) -> None:
        self._counts: dict[Key, _Counts] = {}
        self._lock = threading.Lock()

    def measure(self, resolved: Resolved, stage: Stage) -> "_Measured":
        """A context that counts its block as one inference, failed if it raises."""
        return _Measured(self, resolved, stage)

    def add(self, version: ModelVersion, stage: Stage, *, succeeded: bool) -> None:
        total_ns = time.perf_counter_ns() - stage.started_ns
        key = version.model, version.number
        with self._lock:
            counts = self._counts.get(key)
            if counts is None:
                counts = self._counts[key] = _Counts()
            if succeeded:
                counts.add_success(total_ns, stage.ns)
            else:
                counts.add_failure(total_ns)

    def document(self, model: str | None = None, number: int | None = None) -> dict[str, Any]:
        """Counts of all models, of one model's versions, or of one version (zeros before its first inference)."""
        with self._lock:
            if model and number:
                self._counts.setdefault((model, number), _Counts())
            return {
                "model_stats": [
                    _document(key, counts)
                    for key, counts in sorted(self._counts.items())
                    if model in (None, key[0]) and number in (None, key[1])
                ]
            }


class _Measured:
    """A class, since a generator as context takes three times as long."""

    def __init__(self, statistics: Statistics, resolved: Resolved, stage: Stage) -> None:
        self._statistics, self._resolved, self._stage = statistics, resolved, stage

    def __enter__(self) -> None:
        inference_begins(self._resolved.version, self._resolved.alias, self._stage)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._statistics.add(self._resolved.version, self._stage, succeeded=kind is None)


def _document(key: Key, counts: _Counts) -> dict[str, Any]:
    return {
        "name": key[0],
        "version": str(key[1]),
        "last_inference": counts.last_inference_ms,
        "inference_count": counts.succeeded,
        "execution_count": counts.succeeded,
        "inference_stats": {
            name: {"count": counts.failed if name == "fail" else counts.succeeded, "ns": ns}
            for name, ns in counts.ns.items()
        },
        "batch_stats": [],
    }


def fleet_document(model: str, number: int, counts: Counts, last: datetime | None) -> dict[str, Any]:
    """Of all environments. `last` is the beginning of a minute, hour or day. Three stages are not counted: count 0."""
    failed = counts.errors + counts.refused
    succeeded = counts.requests - failed
    stages = {"success": (succeeded, counts.success_us), "fail": (failed, counts.fail_us)}
    stages |= dict.fromkeys(STAGES, (0, 0)) | {"compute_infer": (succeeded, counts.compute_us)}
    return {
        "name": model,
        "version": str(number),
        "last_inference": int(last.timestamp() * 1000) if last else 0,
        "inference_count": succeeded,
        "execution_count": succeeded,
        "inference_stats": {name: {"count": count, "ns": us * 1000} for name, (count, us) in stages.items()},
        "batch_stats": [],
    }
