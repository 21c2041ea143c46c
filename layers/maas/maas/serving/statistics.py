"""Triton's statistics extension. Counts are of this execution environment since its start.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from maas.records import ModelVersion
from maas.telemetry.request_log import inference_begins
from maas.telemetry.stages import Stage

STAGES = ("queue", "compute_input", "compute_infer", "compute_output")
Key = tuple[str, int]


class _Counts:
    def __init__(self) -> None:
        self.last_inference_ms = 0
        self.durations = {name: [0, 0] for name in ("success", "fail", *STAGES)}  # count, ns

    def add(self, name: str, ns: int) -> None:
        self.durations[name][0] += 1
        self.durations[name][1] += ns


class Statistics:
    def __init__(self) -> None:
        self._counts: dict[Key, _Counts] = {}
        self._lock = threading.Lock()

    @contextmanager
    def measure(self, version: ModelVersion, stage: Stage) -> Iterator[None]:
        """Counts the block as one inference, failed if it raises."""
        outcome = "fail"
        inference_begins(version, stage)
        try:
            yield
            outcome = "success"
        finally:
            total_ns = time.perf_counter_ns() - stage.started_ns
            with self._lock:
                counts = self._counts.setdefault((version.model, version.number), _Counts())
                counts.add(outcome, total_ns)
                if outcome == "success":
                    counts.last_inference_ms = time.time_ns() // 1_000_000
                    for name in STAGES:
                        counts.add(name, stage.ns.get(name, 0))

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


def _document(key: Key, counts: _Counts) -> dict[str, Any]:
    succeeded = counts.durations["success"][0]
    return {
        "name": key[0],
        "version": str(key[1]),
        "last_inference": counts.last_inference_ms,
        "inference_count": succeeded,
        "execution_count": succeeded,
        "inference_stats": {name: {"count": count, "ns": ns} for name, (count, ns) in counts.durations.items()},
        "batch_stats": [],
    }
