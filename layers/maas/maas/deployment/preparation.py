"""Inspects and quantises an uploaded model in a child process."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas.deployment import child
from maas.deployment.child import Limits
from maas.deployment.child_stages import Report
from maas.records import MetadataTensor, Task
from maas.records.samples import ATOL, RTOL

SEARCH_SECONDS = 60.0  # for inputs that the model takes
QUANTIZE_SECONDS = 200.0  # inspection and quantisation together stay within the function's time limit


@dataclass(frozen=True, slots=True)
class Job:
    """`prepared` is the folder for the prepared form; `rtol` and `atol` are the tolerances of the test vectors.

    `smoke_run` "optional" accepts a model for which no generated input runs. `shapes` of inputs are known to fit;
    without them, inputs are searched for `search_seconds`. `task` is the one that the push names.
    """

    path: str
    threads: int
    max_tensor_bytes: int
    prepared: str
    rtol: float = RTOL
    atol: float = ATOL
    smoke_run: str = "required"
    shapes: dict[str, list[int]] | None = None
    search_seconds: float = SEARCH_SECONDS
    task: str | None = None


@dataclass(frozen=True, slots=True)
class QuantizeJob:
    """`to` is the folder for the quantised form; `tolerance` is the allowed difference of outputs, relative.

    `trial` is the inspection's, `task` the name of the version's.
    """

    path: str
    threads: int
    to: str
    scheme: str
    tolerance: float
    trial: dict[str, Any] | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Signature, task and measurements of a model; `prepared` are those of its prepared form, if there is one.

    `warnings` say what is odd about the model, but does not prevent that it runs. Without a `profile` it never ran.
    `trial` is how the inputs of the smoke run were generated, None if they came with the version.
    """

    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]
    profile: dict[str, Any] | None
    prepared: dict[str, Any] | None
    warnings: tuple[str, ...] = ()
    trial: dict[str, Any] | None = None
    task: Task | None = None


def inspect(job: Job, limits: Limits, report: Report | None = None) -> Inspection:
    """Checks, loads, runs and prepares the model in a child process without credentials, within limits.

    `report` gets the stages of this. Raises ModelRejected with the reason, also when the child crashes or takes too
    long.
    """
    answer = child.run("maas.deployment.inspection", asdict(job), Path(job.path).parent, limits, report)
    return Inspection(
        tuple(MetadataTensor.of(fields) for fields in answer["inputs"]),
        tuple(MetadataTensor.of(fields) for fields in answer["outputs"]),
        answer["profile"],
        answer["prepared"],
        tuple(answer["warnings"]),
        answer["trial"],
        Task.of(answer["task"]) if answer["task"] else None,
    )


def quantize(job: QuantizeJob, limits: Limits) -> dict[str, Any]:
    """Quantises an inspected model in a child process; returns the measurements of `maas.deployment.quantization`.

    Raises ModelRejected if onnxruntime cannot quantise the model.
    """
    limits = Limits(limits.memory_bytes, min(limits.timeout_seconds, QUANTIZE_SECONDS))
    answer = child.run("maas.deployment.quantization", asdict(job), Path(job.path).parent, limits)
    return {name: answer[name] for name in ("size_bytes", "difference", "load_ms", "run_ms", "reason")}
