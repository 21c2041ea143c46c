"""Deciding whether an uploaded model may go live, without opening it in this process."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maas.errors import ModelRejected
from maas.observability import logger
from maas.records import MetadataTensor
from maas.settings import MB

TIMEOUT_SECONDS = 600
RTOL, ATOL = 1e-3, 1e-5  # ONNX's own backend tests take 1e-3 and 1e-7; sums of float32 need a little more
_SIGNALS = {signal.SIGKILL: "ran out of memory or was killed", signal.SIGSEGV: "crashed onnxruntime"}
SPARE_FILE_BYTES = 64 * MB  # beyond the model's own size, which the prepared form has too
NEARLY = 0.8


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
class Limits:
    """Of the child process. `memory_bytes` is what it may allocate; files that are mapped do not count."""

    memory_bytes: int
    timeout_seconds: float = TIMEOUT_SECONDS


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
    path = Path(job.path)
    size_bytes = sum(file.stat().st_size for file in path.parent.rglob("*") if file.is_file())
    command = [sys.executable, "-m", "maas.inspection", json.dumps(asdict(job))]
    try:
        child = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command,
            env=_environment(),
            cwd=path.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.timeout_seconds,
            preexec_fn=_set_limits(limits, 2 * size_bytes + SPARE_FILE_BYTES),
        )
    except subprocess.TimeoutExpired:
        raise ModelRejected(f"loading and running took over {limits.timeout_seconds:.0f} s") from None
    return _inspection(_answer(child), limits)


def _environment() -> dict[str, str]:
    """Only what Python needs to find its packages: above all no AWS credentials."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath, "LANG": "C.UTF-8"}
    return environment | {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "HOME") if name in os.environ}


def _answer(child: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    if child.returncode < 0:
        what = _SIGNALS.get(signal.Signals(-child.returncode), "ended")
        raise ModelRejected(f"the model {what} when it was loaded and run (signal {-child.returncode})")
    if child.returncode:
        trace = child.stderr.decode(errors="replace")
        logger().error("the inspection of a model failed", extra={"trace": trace[-4000:]})
        last_line = trace.strip().rpartition("\n")[2] or "no reason given"
        raise ModelRejected(f"the model could not be loaded and run: {last_line:.500}")
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def _inspection(answer: dict[str, Any], limits: Limits) -> Inspection:
    if "rejected" in answer:
        peak_bytes = answer.get("peak_memory_bytes", 0)
        hint = ""
        if peak_bytes > limits.memory_bytes * NEARLY:
            peak_mb, limit_mb = peak_bytes // MB, limits.memory_bytes // MB
            hint = f" (it took {peak_mb:,} of {limit_mb:,} MB: raise DeploymentMemory of the template)"
        raise ModelRejected(answer["rejected"] + hint)
    return Inspection(
        tuple(MetadataTensor.of(fields) for fields in answer["inputs"]),
        tuple(MetadataTensor.of(fields) for fields in answer["outputs"]),
        answer["profile"],
        answer["prepared"],
    )


def _set_limits(limits: Limits, file_bytes: int) -> Callable[[], None]:
    cpu_seconds = int(limits.timeout_seconds) * (os.cpu_count() or 1) + 1

    def set_limits() -> None:
        for what, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, file_bytes),
            (resource.RLIMIT_DATA, limits.memory_bytes),
            (resource.RLIMIT_CPU, cpu_seconds),
        ):
            resource.setrlimit(what, (most, most))
        # Where memory ends nevertheless, the kernel takes this process and not its parent.
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")

    return set_limits
