"""The key of the prepared form that an environment can run: onnxruntime's version and the CPU's vector width.

A graph optimised for a CPU has weights in blocks as wide as its vectors (NCHWc) and operators of this onnxruntime
version alone.
"""

import platform
from functools import cache
from pathlib import Path

# https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/mlas/lib/platform.cpp: widths with own kernels.
_WIDTHS = ("avx512f", "avx2", "avx")
MODEL_NAME, DATA_NAME = "model.onnx", "model.data"


@cache
def own_key(runtime: str | None = None) -> str:
    """This environment's key, e.g. `1.32.0-x86_64-avx512f`.

    `runtime` is onnxruntime's version where it is loaded; to look it up in the installed packages takes 10 ms.
    """
    if runtime is None:
        from importlib.metadata import version

        runtime = version("onnxruntime")
    return f"{runtime}-{platform.machine()}-{_width(Path('/proc/cpuinfo'))}"


def _width(cpu_info: Path) -> str:
    try:
        text = cpu_info.read_text()
    except OSError:
        return "base"
    flags = next((line for line in text.splitlines() if line.startswith(("flags", "Features"))), "").split()
    return next((width for width in _WIDTHS if width in flags), "base")
