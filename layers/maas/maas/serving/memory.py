"""What memory the models of this process may take, and giving it back after a run."""

import math
import resource
import sys
from functools import cache
from pathlib import Path

import onnxruntime as ort

from maas import heap
from maas.serving.sessions import session, session_options

_SPARE_BYTES = 64 << 20  # of the process beside models and their runs: threads, the request, the answer
# A graph of one constant, as ONNX: running it takes no time.
_CONSTANT = (
    b"\x08\x08:1\n\x1f\x12\x01y\x22\x08Constant*\x10\n\tvalue_int\x18\x00\xa0\x01\x02\x12\x01g"
    b"b\x0b\n\x01y\x12\x06\n\x04\x08\x07\x12\x00B\x04\n\x00\x10\r"
)
# The heap's error, and the two of the arena: which one it is depends on how much was free before.
_SHORT = ("std::bad_alloc", "BFCArena", "Failed to allocate memory")

_large_bytes = math.inf  # size of this process's data from which memory is given back


@cache
def limit_models(max_bytes: int) -> None:
    """Limits onnxruntime's arena, which holds the weights and most of the tensors of all models of this process."""
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg({"max_mem": max_bytes, "arena_extend_strategy": 1}))


@cache
def limit_process(model_bytes: int) -> None:
    """Limits all memory that this process allocates from now on: operators also allocate outside of the arena.

    A run beyond the limit fails, and the process lives. Without it, Lambda ends the execution environment.
    """
    global _large_bytes
    if sys.platform != "linux":
        return
    now_bytes = _data_bytes()
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (now_bytes + model_bytes + _SPARE_BYTES, most))
    _large_bytes = now_bytes + model_bytes // 4


def give_back() -> bool:
    """Returns what is free in arena and heap to the system, if this process has taken a quarter of its limit.

    Otherwise both keep it for the next run, which then need not allocate again. The arena always keeps what it
    allocated first: mostly weights. True if a run that had too little memory has more of it now.
    """
    if _large_bytes == math.inf or _data_bytes() <= _large_bytes:
        return False
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    _constant().run(None, {}, options)
    return heap.give_back()


def was_short(error: Exception) -> bool:
    """Whether a run failed for want of memory. onnxruntime tells it by text alone: the class is that of any failure."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _SHORT)


@cache
def _constant() -> ort.InferenceSession:
    return session(_CONSTANT, session_options(1))


def _data_bytes() -> int:
    """What RLIMIT_DATA counts: private memory that can be written. Mapped files, such as weights, do not count."""
    return int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
