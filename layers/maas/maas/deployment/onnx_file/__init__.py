"""A model file is walked before a library parses it: one reading of its bytes, sizes and external data within bounds.

Memory does not grow with the model, and no C++ parser sees an untrusted file before (docs/adr/0012).
"""

from maas.deployment.onnx_file.checks import check, parts, read_externals
from maas.deployment.onnx_file.external_data import External
from maas.deployment.onnx_file.walk import Keep, Part

__all__ = ["External", "Keep", "Part", "check", "parts", "read_externals"]
