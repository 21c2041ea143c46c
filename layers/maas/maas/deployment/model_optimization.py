"""Writes other forms of a model file: optimised for this CPU, or with int8 weights."""

import tempfile
from pathlib import Path

import onnxruntime as ort

from maas.errors import ModelRejected
from maas.serving.messages import plain_message
from maas.serving.sessions import load_failure, session, session_options

_QUANTIZED_OPERATORS = ["MatMul", "Gemm", "Attention", "EmbedLayerNormalization", "Gather", "LSTM"]


def write_prepared(path: Path, to: Path, data_name: str, threads: int) -> None:
    """Writes the graph as optimised for this CPU, with its weights beside it in a file that can be mapped.

    Raises ModelRejected if onnxruntime cannot write it.
    """
    try:
        _write_optimized(path, to, data_name, session_options(threads))
    except Exception as error:
        raise ModelRejected(load_failure(error, path)) from error


def _write_optimized(path: Path, to: Path, data_name: str, options: ort.SessionOptions) -> None:
    options.optimized_model_filepath = str(to)
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", data_name)
    options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
    session(path, options)


def write_quantized(path: Path, to: Path) -> None:
    """Writes the model with int8 matrices and dynamically quantised activations; weights in a file beside it.

    Weights behind Identity, Transpose or Cast, such as tied ones, first become initialisers, in a temporary file: the
    quantiser sees no others. Convolutions stay as they are: with int8 weights they run at a third of the speed. Weights
    use 7 of 8 bits, with a scale per column: with 8 bits, CPUs without VNNI overflow and answer differently from the
    CPU that measured here. Raises ModelRejected if onnxruntime cannot quantise it.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # needs onnx: the deployment function's alone

    options = session_options(threads=1)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC  # operators of ONNX, of any CPU
    try:
        with tempfile.TemporaryDirectory() as folder:
            folded = Path(folder) / "folded.onnx"
            _write_optimized(path, folded, "folded.data", options)
            quantize_dynamic(
                str(folded),
                str(to),
                op_types_to_quantize=_QUANTIZED_OPERATORS,
                per_channel=True,
                reduce_range=True,
                weight_type=QuantType.QInt8,
                use_external_data_format=True,
            )
    except MemoryError:
        raise ModelRejected("not enough memory to quantise the model: raise DeploymentMemory of the template") from None
    except Exception as error:
        raise ModelRejected(
            f"onnxruntime {ort.__version__} cannot quantise the model: {plain_message(error)}"
        ) from error
