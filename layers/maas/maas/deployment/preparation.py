"""Deciding whether an uploaded model may go live, without opening it in this process."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas.deployment import child
from maas.deployment.child import Limits
from maas.records import MetadataTensor

RTOL, ATOL = 1e-3, 1e-5  # ONNX's own backend tests take 1e-3 and 1e-7; sums of float32 need a little more
QUANTIZE_SECONDS = 200.0  # beside the inspection's time, within the function's


@dataclass(frozen=True, slots=True)
class Job:
    """`prepared` is the folder for the prepared form; `rtol` and `atol` are for the version's own test vectors."""

    path: str
    threads: int
    max_tensor_bytes: int
    prepared: str
    rtol: float = RTOL
    atol: float = ATOL


@dataclass(frozen=True, slots=True)
class QuantizeJob:
    """`to` is the folder for the quantised form; `tolerance` is of its outputs' difference over their largest value."""

    path: str
    threads: int
    to: str
    scheme: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a model turned out to be; `prepared` has the measurements of its prepared form, if there is one."""

    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]
    profile: dict[str, float]
    prepared: dict[str, float] | None


def inspect(job: Job, limits: Limits) -> Inspection:
    """Check, load, run and prepare the model in a child process that has no credentials and bounded means.

    Raises ModelRejected with a reason a person can act on, also when the child crashes or does not end.
    """
    answer = child.run("maas.deployment.inspection", asdict(job), Path(job.path).parent, limits)
    return Inspection(
        tuple(MetadataTensor.of(fields) for fields in answer["inputs"]),
        tuple(MetadataTensor.of(fields) for fields in answer["outputs"]),
        answer["profile"],
        answer["prepared"],
    )


def quantize(job: QuantizeJob, limits: Limits) -> dict[str, Any]:
    """What was measured of the quantised form, as `maas.quantization` tells it; a child process made it.

    For a model that `inspect` has accepted. Raises ModelRejected where there can be no such form.
    """
    limits = Limits(limits.memory_bytes, min(limits.timeout_seconds, QUANTIZE_SECONDS))
    answer = child.run("maas.deployment.quantization", asdict(job), Path(job.path).parent, limits)
    return {name: answer[name] for name in ("size_bytes", "difference", "load_ms", "run_ms", "reason")}
