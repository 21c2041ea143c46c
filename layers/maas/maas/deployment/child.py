"""A child process for untrusted models: no credentials, limited memory and time, one JSON document as its answer."""

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maas.deployment.child_stages import STAGES, Report, reported
from maas.errors import ModelRejected
from maas.settings import MB
from maas.telemetry.observability import logger

TIMEOUT_SECONDS = 600
SPARE_FILE_BYTES = 64 * MB  # a written file may exceed twice the model's size by this
NEARLY = 0.8  # of the memory limit: a rejection beyond it may be for lack of memory
_PR_SET_DUMPABLE = 4  # linux/prctl.h
_SIGNALS: Mapping[int, str] = {
    signal.SIGKILL: "ran out of memory or was killed",
    signal.SIGABRT: "ran out of memory or made a library give up",
    signal.SIGSEGV: "crashed onnxruntime",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the child process. `memory_bytes` is what it may allocate; mapped files do not count."""

    memory_bytes: int
    timeout_seconds: float = TIMEOUT_SECONDS


def run(module: str, job: dict[str, Any], folder: Path, limits: Limits, report: Report | None = None) -> dict[str, Any]:
    """Runs `python -m module JOB` in the model's folder and returns its answer. `report` gets its stages.

    Raises ModelRejected with the child's reason, or that it crashed or took too long.
    """
    _dumpable(False)
    size_bytes = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    try:
        with reported(report) as stages:
            child = subprocess.run(  # noqa: S603 (our own interpreter and module)
                [sys.executable, "-m", module, json.dumps(job)],
                env=_environment() | {STAGES: str(stages)},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limits.timeout_seconds,
                preexec_fn=_set_limits(limits, 2 * size_bytes + SPARE_FILE_BYTES),
                pass_fds=[stages],
            )
    except subprocess.TimeoutExpired:
        raise ModelRejected(f"loading and running took over {limits.timeout_seconds:.0f} s") from None
    answer = _answer(child)
    if "rejected" in answer:
        raise ModelRejected(answer["rejected"] + _memory_hint(answer.get("peak_memory_bytes", 0), limits))
    return answer


def _environment() -> dict[str, str]:
    """What Python needs to find its packages, and no AWS credentials."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath, "LANG": "C.UTF-8"}
    return environment | {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "HOME") if name in os.environ}


def _answer(child: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    if child.returncode < 0:
        what = _SIGNALS.get(-child.returncode, "ended")
        raise ModelRejected(f"the model {what} when it was loaded and run (signal {-child.returncode})")
    if child.returncode:
        trace = child.stderr.decode(errors="replace")
        logger().error("the inspection of a model failed", extra={"trace": trace[-4000:]})
        last_line = trace.strip().rpartition("\n")[2] or "no reason given"
        raise ModelRejected(f"the model could not be loaded and run: {last_line:.500}")
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def _dumpable(wanted: bool) -> None:
    """Sets whether processes of the same user may trace this one and read its environment (credentials) in /proc.

    https://man7.org/linux/man-pages/man2/pr_set_dumpable.2const.html
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, int(wanted), 0, 0, 0)


def _memory_hint(peak_bytes: int, limits: Limits) -> str:
    if peak_bytes <= limits.memory_bytes * NEARLY:
        return ""
    peak_mb, limit_mb = peak_bytes // MB, limits.memory_bytes // MB
    return f" (it took {peak_mb:,} of {limit_mb:,} MB: raise DeploymentMemory of the template)"


def _set_limits(limits: Limits, file_bytes: int) -> Callable[[], None]:
    cpu_seconds = int(limits.timeout_seconds) * (os.cpu_count() or 1) + 1

    def set_limits() -> None:
        _dumpable(True)  # else it cannot read its own /proc
        for what, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, file_bytes),
            (resource.RLIMIT_DATA, limits.memory_bytes),
            (resource.RLIMIT_CPU, cpu_seconds),
        ):
            resource.setrlimit(what, (most, most))
        # If the machine runs out of memory, the kernel kills this process rather than its parent.
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")

    return set_limits
