"""The runner: loading, the signature, running, refusals."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from maas.deployment.trial.fills import TYPICAL, Trial
from maas.errors import ModelRejected, RunFailed
from maas.records import MetadataTensor
from maas.serving import graph_outputs
from maas.serving.runner import Runner
from support import onnx_models


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


def test_every_type_round_trips(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.identities(onnx_models.ALL_TYPES)), threads=1)
    assert [tensor.datatype for tensor in runner.inputs] == [
        "BOOL",
        *("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"),
        *("FP16", "FP32", "FP64", "BYTES"),
    ]
    shapes = {tensor.name: [2 if size < 0 else size for size in tensor.shape] for tensor in runner.inputs}
    inputs = Trial(shapes, dict.fromkeys(shapes, TYPICAL)).arrays(runner.inputs)
    outputs = runner.run(inputs)
    for given, came in zip(inputs.values(), outputs, strict=True):
        assert came.dtype == given.dtype
        assert came.tolist() == given.tolist()


def test_symbolic_dimensions_are_variable(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.linear()), threads=1)
    assert runner.inputs == (MetadataTensor("x", "FP32", (-1, 3)),)
    assert runner.outputs == (MetadataTensor("y", "FP32", (-1, 2)),)


def test_bfloat16_as_bits(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.identities({"s": TensorProto.BFLOAT16})), threads=1)
    bits = np.array([0x3F80, 0xFF80, 0x7FC1], np.uint16)
    assert runner.run({"in_s": bits})[0].tolist() == bits.tolist()
    assert runner.run({"in_s": bits[:0]})[0].shape == (0,)


def test_symbols_name_variable_dimensions(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.added()), threads=1)
    assert runner.symbols == {"a": ["n", None], "b": ["n", None]}


def test_overridable_initializer_is_an_optional_input(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.added(optional=True)), threads=1)
    assert [tensor.optional for tensor in runner.inputs] == [False, True]
    assert runner.run({"a": np.zeros((1, 2), np.float32)})[0].tolist() == [[10, 10]]


def test_maps_and_sequences_become_tensors(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.zipmap(["a", "b"])), threads=1)
    assert runner.outputs == (
        MetadataTensor("label", "INT64", (-1,)),
        MetadataTensor("probabilities", "FP32", (-1, -1)),
        MetadataTensor("probabilities_labels", "BYTES", (-1,)),
    )
    scores = np.array([[0.5, 0.25]], np.float32)
    assert [array.tolist() for array in runner.run({"scores": scores})] == [[0], [[0.5, 0.25]], ["a", "b"]]
    assert runner.run({"scores": scores}, ["probabilities_labels", "label"])[1].tolist() == [0]
    assert [array.shape for array in runner.run({"scores": scores[:0]})] == [(0,), (0, 0), (0,)]


def test_sequence_of_different_shapes_is_refused(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.split()), threads=1)
    assert runner.run({"x": np.ones((2, 2), np.float32)})[0].shape == (2, 1, 2)
    with pytest.raises(RunFailed, match="one tensor cannot hold them, give the model an output for each"):
        graph_outputs.served("y", "seq(tensor(float))", ())[0].convert([np.zeros(1), np.zeros(2)])


def test_arena_limit_fails_one_run_only(tmp_path: Path) -> None:
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from maas.errors import RunFailed\n"
        "from maas.serving.memory import limit_models\n"
        "from maas.serving.runner import Runner\n"
        "limit_models(256 * 1024 * 1024)\n"
        "runner = Runner(Path(sys.argv[1]), 1)\n"
        "for shape in ([100_000, 100_000], [1 << 40, 1 << 40], [-5, 1]):\n"
        "    try:\n"
        "        runner.run({'shape': np.array(shape)})\n"
        "    except RunFailed as error:\n"
        "        print('refused')\n"
        "print(runner.run({'shape': np.array([1000, 1000])})[0].shape)\n"
    )
    path = written(tmp_path, onnx_models.expanded())
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n") == [*["refused"] * 3, "(1000, 1000)", ""], done.stderr


@pytest.mark.parametrize("kind", [TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2])
def test_types_without_a_datatype_are_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ModelRejected, match="has no datatype: cast it inside the model"):
        Runner(written(tmp_path, onnx_models.identities({"s": kind}, opset=21)), threads=1)


def test_labels_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, onnx_models.linear())
    (tmp_path / "labels.txt").write_bytes("Kätzchen\n".encode("cp1252"))
    with pytest.raises(ModelRejected, match=r"labels\.txt is not UTF-8 text"):
        Runner(path, threads=1)


def test_run_failure_message_has_no_path(tmp_path: Path) -> None:
    runner = Runner(written(tmp_path, onnx_models.linear()), threads=1)
    with pytest.raises(RunFailed, match=r"onnxruntime cannot run these inputs, x \[1, 4\]: ") as caught:
        runner.run({"x": np.ones((1, 4), np.float32)})
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (onnx_models.linear()[:-20], "model.onnx is not a readable ONNX file: it is truncated or has another format"),
        (b"hello", "model.onnx is not a readable ONNX file"),
        (b"", "cannot load the model"),
        (onnx_models.linear(opset=99), "Opset 99 is under development"),
        (onnx_models.identities({"odd": TensorProto.COMPLEX64}), "complex64"),
    ],
)
def test_load_failure_message_has_no_path(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason) as caught:
        Runner(written(tmp_path, content), threads=1)
    assert str(tmp_path) not in caught.value.message
    assert "/onnxruntime_src" not in caught.value.message


def test_outputs_of_one_name_are_rejected(tmp_path: Path) -> None:
    twice = onnx.load_from_string(onnx_models.linear())
    twice.graph.output.append(twice.graph.output[0])
    labels = onnx.load_from_string(onnx_models.zipmap(["a", "b"]))
    labels.graph.node[0].output[0] = labels.graph.output[0].name = "probabilities_labels"
    for content, name in ((twice, "y"), (labels, "probabilities_labels")):
        with pytest.raises(ModelRejected, match=f"more than one output is named '{name}'"):
            Runner(written(tmp_path, content.SerializeToString()), 1)
