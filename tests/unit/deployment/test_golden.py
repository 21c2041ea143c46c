"""Test vectors that come with a version: it answers them, or is FAILED with the worst element."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from maas.deployment import golden
from maas.deployment.tensor_proto import read_tensor
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
    return golden.check(runner, folder.parent, rtol, 1e-5)


def test_onnxs_own_convention(runner: Runner, folder: Path) -> None:
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


def test_requests_and_responses(runner: Runner, folder: Path) -> None:
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


def test_files_that_are_no_vectors(runner: Runner, folder: Path) -> None:
    write_pb(folder, [[6, 6]])
    (folder / "output_7.pb").write_bytes(b"")
    with pytest.raises(ModelRejected, match=r"output_7.pb: the model has 1 outputs"):
        check(runner, folder)
    (folder / "output_7.pb").unlink()
    (folder / "output_0.pb").write_bytes(b"\xff\xff")
    with pytest.raises(ModelRejected, match="not a readable"):
        check(runner, folder)


def test_no_vectors_are_no_failure(runner: Runner, tmp_path: Path) -> None:
    assert golden.check(runner, tmp_path / "absent", 0, 0) == 0


@pytest.mark.parametrize("datatype", sorted(DTYPES.keys() - {"BF16"}))
@pytest.mark.parametrize("raw", [True, False])
def test_every_type_of_tensor_is_read_as_onnx_writes_it(tmp_path: Path, datatype: str, raw: bool) -> None:
    dtype = DTYPES[datatype]
    array = np.array([["a", "größer"]], object) if dtype.hasobject else np.array([[0, 1], [1, 100]]).astype(dtype)
    if raw or dtype.hasobject:
        proto = numpy_helper.from_array(array)
    else:
        kind = helper.np_dtype_to_tensor_dtype(dtype)
        proto = helper.make_tensor("t", kind, array.shape, array.ravel().tolist())
    (tmp_path / "t.pb").write_bytes(proto.SerializeToString())
    came = read_tensor(tmp_path / "t.pb")
    assert came.tolist() == array.tolist()
    assert came.dtype == array.dtype
    proto.dims[0] = 7
    (tmp_path / "t.pb").write_bytes(proto.SerializeToString())
    with pytest.raises(ModelRejected, match="elements for the shape"):
        read_tensor(tmp_path / "t.pb")


def test_negative_numbers_and_odd_types(tmp_path: Path) -> None:
    for kind in (TensorProto.INT8, TensorProto.INT32, TensorProto.INT64):
        (tmp_path / "t.pb").write_bytes(helper.make_tensor("t", kind, [2], [-1, -100]).SerializeToString())
        assert read_tensor(tmp_path / "t.pb").tolist() == [-1, -100]
    (tmp_path / "t.pb").write_bytes(TensorProto(data_type=14).SerializeToString())
    with pytest.raises(ModelRejected, match="data type 14 cannot be compared"):
        read_tensor(tmp_path / "t.pb")
