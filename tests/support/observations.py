"""Inferences as the counters see them."""

from dataclasses import replace
from datetime import datetime

from maas.records import ModelVersion, Status
from maas.telemetry.observation import Observation
from maas.telemetry.stages import Stage

MS = 1_000_000
VERSION = ModelVersion("m", 1, Status.READY, (), "", "", 1)


def seen(
    at: datetime, ms: float = 5, status: int = 200, version: int = 1, error: str = "", rows: int = 1
) -> Observation:
    found = Observation({})
    found.version, found.stage = replace(VERSION, number=version), Stage.start()
    found.stage.rows, found.stage.ns = rows, {"compute_infer": int(ms * MS) // 2}
    found.status, found.error, found.now_ns, found.elapsed_ns = status, error, int(at.timestamp() * 1e9), int(ms * MS)
    found.bytes_in, found.bytes_out = 100, 10
    return found
