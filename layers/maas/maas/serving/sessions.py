"""onnxruntime sessions: their options, how they load, and why not."""

from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidProtobuf

from maas.serving import locales
from maas.serving.messages import plain_message

RUNTIME: str = ort.__version__
# Without fallback, which would print to standard output and try a failed load or run again.
PROVIDERS = ["CPUExecutionProvider"]


def session_options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Threads that spin for work would take CPU time from the next request on Lambda.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")  # the arena of `memory.limit_models`
    return options


def session(model: Path | bytes, options: ort.SessionOptions) -> ort.InferenceSession:
    """Raises what onnxruntime raises."""
    source = model if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, options, providers=PROVIDERS, enable_fallback=0)
    except Exception:
        if not locales.provide():
            raise
        return ort.InferenceSession(source, options, providers=PROVIDERS, enable_fallback=0)


def load_failure(error: Exception, path: Path) -> str:
    """Why `session` raised this error for a file, in words for who pushed it."""
    if isinstance(error, InvalidProtobuf):
        return (
            f"{path.name} is not a readable ONNX file: it is truncated or has another format; export and push it again"
        )
    text = plain_message(error).replace(str(path), path.name)
    return f"onnxruntime {ort.__version__} cannot load the model: {text}"
