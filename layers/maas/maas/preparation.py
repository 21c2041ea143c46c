"""Deciding whether an uploaded model may go live, without opening it in this process."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maas.errors import ModelRejected
from maas.observability import logger
from maas.records import MetadataTensor

TIMEOUT_SECONDS = 600
_SIGNALS = {signal.SIGKILL: "ran out of memory or was killed", signal.SIGSEGV: "crashed onnxruntime"}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a model turned out to be: its signature, and `profile` with load_ms, run_ms, peak_memory_bytes."""

    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]
    profile: dict[str, float]


def inspect(path: Path, threads: int, timeout_seconds: float = TIMEOUT_SECONDS) -> Inspection:
    """Load and run the model in a child process that has no credentials and writes no files.

    Raises ModelRejected with a reason a person can act on, also when the child crashes or does not end.
    """
    command = [sys.executable, "-m", "maas.inspection", str(path), str(threads)]
    # Only what Python needs to find its packages: above all no AWS credentials.
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.defpath, "LANG": "C.UTF-8"}
    for variable in ("LD_LIBRARY_PATH", "HOME"):
        if variable in os.environ:
            environment[variable] = os.environ[variable]
    try:
        child = subprocess.run(  # noqa: S603 (our own interpreter and module)
            command,
            env=environment,
            cwd=path.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            preexec_fn=_limits(timeout_seconds),
        )
    except subprocess.TimeoutExpired:
        raise ModelRejected(f"loading and one run took over {timeout_seconds:.0f} s") from None
    if child.returncode < 0:
        what = _SIGNALS.get(signal.Signals(-child.returncode), "ended")
        raise ModelRejected(f"the model {what} when it was loaded and run (signal {-child.returncode})")
    if child.returncode:
        trace = child.stderr.decode(errors="replace")
        logger().error("the inspection of a model failed", extra={"trace": trace[-4000:]})
        last_line = trace.strip().rpartition("\n")[2] or "no reason given"
        raise ModelRejected(f"the model could not be loaded and run: {last_line:.500}")
    return _inspection(child.stdout)


def _inspection(output: bytes) -> Inspection:
    answer = json.loads(output)
    if "rejected" in answer:
        raise ModelRejected(answer["rejected"])
    return Inspection(
        tuple(MetadataTensor.of(fields) for fields in answer["inputs"]),
        tuple(MetadataTensor.of(fields) for fields in answer["outputs"]),
        answer["profile"],
    )


def _limits(timeout_seconds: float) -> Callable[[], None]:
    def set_limits() -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        cpu_seconds = int(timeout_seconds) * (os.cpu_count() or 1) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))

    return set_limits
