"""Test vectors of a version: a version whose outputs differ is FAILED, naming the worst element."""

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from maas.deployment import golden
from maas.deployment.golden import read_tensor
from maas.deployment.model_optimization import write_quantized
from maas.errors import ModelRejected
from maas.serving.datatypes import DTYPES
from maas.serving.runner import Runner
from support import onnx_models

X = np.array([[1, 2, 3]], np.float32)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    return Runner(tmp_path / "model.onnx", threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "golden" / "test_data_set_0"
    folder.mkdir(parents=True)
    return folder


def write_pb(folder: Path, expected: Any, x: Any = X) -> None:
    for name, array in (("input_0", x), ("output_0", expected)):
        (folder / f"{name}.pb").write_bytes(numpy_helper.from_array(np.asarray(array, np.float32)).SerializeToString())


def vector(data: list[Any], name: str = "y", datatype: str = "FP32") -> dict[str, Any]:
    x = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}
    y = {"name": name, "shape": [1, len(data)], "datatype": datatype, "data": data}
    return {"request": {"inputs": [x]}, "response": {"outputs": [y]}}


def check(runner: Runner, folder: Path, rtol: float = 1e-3) -> int:
    return golden.check(runner, folder.parents[1] / "model.onnx", 1, rtol, 1e-5)


def test_vectors_in_onnx_convention(runner: Runner, folder: Path) -> None:
    write_pb(folder, [[6, 6.001]])
    assert check(runner, folder) == 1
    with pytest.raises(
        ModelRejected,
        match=r"test_data_set_0: output 'y' differs most at \[0, 1\]: got 6.0, expected 6.00\d+ within rtol 1e-06",
    ):
        check(runner, folder, rtol=1e-6)
    write_pb(folder, [[6, 6, 6]])
    with pytest.raises(ModelRejected, match=r"has the shape \[1, 2\], expected \[1, 3\]"):
        check(runner, folder)
    write_pb(folder, [[6, np.nan]])
    with pytest.raises(ModelRejected, match="expected nan"):
        check(runner, folder)
    write_pb(folder, [[6, np.inf]])
    with pytest.raises(ModelRejected, match="expected inf"):
        check(runner, folder)
    write_pb(folder, [[6, 6]], x=np.ones((1, 4)))
    with pytest.raises(ModelRejected, match="test_data_set_0: onnxruntime cannot run"):
        check(runner, folder)


def test_vectors_as_requests_and_responses(runner: Runner, folder: Path) -> None:
    path = folder.parent / "one.json"
    path.write_text(json.dumps(vector([6, 6])))
    assert check(runner, folder) == 1
    for wrong, reason in (
        (vector([6, 7]), r"one.json: output 'y' differs most at \[0, 1\]: got 6.0, expected 7.0"),
        (vector([6, 6], name="z"), "one of"),
        (vector([6, 6], datatype="INT64"), "expected FP32"),
        ({"request": {}}, "one.json"),
        ([], "expected JSON with a request and a response"),
    ):
        path.write_text(json.dumps(wrong))
        with pytest.raises(ModelRejected, match=reason):
            check(runner, folder)


def test_unreadable_vectors_are_rejected(runner: Runner, folder: Path) -> None:
    write_pb(folder, [[6, 6]])
    (folder / "output_7.pb").write_bytes(b"")
    for number in ("²", "٠", "1_0", " 0"):  # digits to str.isdigit or int
        (folder / f"output_{number}.pb").write_bytes(b"")
    with pytest.raises(ModelRejected, match=r"output_.*.pb: the model has 1 outputs"):
        check(runner, folder)
    for path in folder.glob("output_*.pb"):
        path.unlink()
    (folder / "output_0.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ModelRejected, match="not a readable"):
        check(runner, folder)


def test_version_without_vectors(runner: Runner, tmp_path: Path) -> None:
    assert golden.check(runner, tmp_path / "model.onnx", 1, 0, 0) == 0


def test_outputs_that_depend_on_threads_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_int8_lstm(path)
    (tmp_path / "golden" / "set").mkdir(parents=True)
    x = np.random.default_rng(1).standard_normal((20, 8, 32)).astype(np.float32)
    write_pb(tmp_path / "golden" / "set", Runner(path, 1).run({"x": x})[0], x)
    assert golden.check(Runner(path, 1), path, 1, 1e-3, 1e-5) == 1
    with pytest.raises(ModelRejected) as rejected:
        golden.check(Runner(path, 2), path, 2, 1e-3, 1e-5)
    assert "set: output 'y' differs most at" in rejected.value.message
    assert "depend on the number of threads" in rejected.value.message
    assert "intra_op_num_threads=2" in rejected.value.message
    assert "--atol" in rejected.value.message


def test_other_differences_are_not_blamed_on_threads(runner: Runner, folder: Path) -> None:
    write_pb(folder, [[6, 7]])
    with pytest.raises(ModelRejected, match=r"within rtol 0.001 and atol 1e-05$"):
        check(runner, folder)


def write_int8_lstm(path: Path) -> None:
    """y[t, 1, n, 64] of x[t, n, 32]: quantised by row blocks, whose number is that of the threads."""
    rng, hidden, width = np.random.default_rng(0), 64, 32
    tensors = [
        numpy_helper.from_array((rng.standard_normal((1, 4 * hidden, size)) * 0.3).astype(np.float32), name)
        for name, size in (("w", width), ("r", hidden))
    ]
    graph = helper.make_graph(
        [helper.make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=hidden)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["t", "n", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tensors,
    )
    source = path.with_name("float.onnx")
    source.write_bytes(onnx_models.model(graph).SerializeToString())
    write_quantized(source, path)


@pytest.mark.parametrize("datatype", sorted(DTYPES))
@pytest.mark.parametrize("raw", [True, False])
def test_tensor_of_each_datatype(tmp_path: Path, datatype: str, raw: bool) -> None:
    dtype = ml_dtypes.bfloat16 if datatype == "BF16" else DTYPES[datatype]
    array = np.array([["a", "größer\0"]], object) if datatype == "BYTES" else np.array([[0, 1], [1, 100]]).astype(dtype)
    if datatype == "BYTES":
        words = [one.encode() for one in array.ravel()]
        proto = TensorProto(data_type=TensorProto.STRING, dims=array.shape, string_data=words)
    elif raw:
        proto = numpy_helper.from_array(array)
    else:
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        proto = helper.make_tensor("t", kind, array.shape, array.ravel().tolist())
    came = written(tmp_path, proto)
    assert came.tolist() == (array.view(np.uint16) if datatype == "BF16" else array).tolist()
    assert came.dtype == DTYPES[datatype]
    for wrong in (7, -1):
        proto.dims[0] = wrong
        with pytest.raises(ModelRejected, match=r"values do not fit its shape"):
            written(tmp_path, proto)


@pytest.mark.parametrize("kind", [TensorProto.INT8, TensorProto.INT32, TensorProto.INT64])
def test_tensor_with_negative_numbers(tmp_path: Path, kind: int) -> None:
    assert written(tmp_path, helper.make_tensor("t", kind, [2], [-1, -100])).tolist() == [-1, -100]


@pytest.mark.parametrize("kind", [0, 14, 17, 22, 99])
def test_tensor_of_a_datatype_without_place_in_the_protocol(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ModelRejected, match=f"data type {kind} cannot be compared"):
        written(tmp_path, TensorProto(data_type=kind))


def test_tensor_with_external_data(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4))
    proto = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    proto.external_data.add(key="location", value=str(secret))
    with pytest.raises(ModelRejected, match="has its values in another file"):
        written(tmp_path, proto)


def test_truncated_tensor(tmp_path: Path) -> None:
    content = numpy_helper.from_array(np.ones(8, np.float32)).SerializeToString()
    path = tmp_path / "t.pb"
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ModelRejected, match=r"t\.pb"):
            read_tensor(path)


def written(folder: Path, proto: TensorProto) -> np.ndarray:
    (folder / "t.pb").write_bytes(proto.SerializeToString())
    return read_tensor(folder / "t.pb")
