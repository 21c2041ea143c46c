"""The example of a version: inputs in JSON or NPZ, decoded as a request would be, refused by name."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maas.deployment.trial.example import example_inputs
from maas.errors import ModelRejected
from maas.serving.runner import Runner
from support import onnx_models
from support.onnx_models import parsed

TWO = "(float[n, 2] x, int64[n] i) => (float y) { y = Gather (x, i) }"
WORDS = "(string[n, 1] s) => (string y) { y = Identity (s) }"
ONE = "(float[n, 3] x) => (float y) { y = Relu (x) }"
OPTIONAL = "(float[n, 3] x, float[1] w) => (float y) <float[1] w = {2}> { y = Mul (x, w) }"
X = [[1.5, 2.0, 3.0]]
REQUEST = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1.5, 2, 3]}]}


def given(folder: Path, graph: str, document: object = None, **arrays: np.ndarray) -> dict[str, np.ndarray]:
    (folder / "model.onnx").write_bytes(parsed(graph))
    if arrays:
        np.savez_compressed(folder / "example.npz", **arrays)
    else:
        (folder / "example.json").write_text(json.dumps(document))
    example = example_inputs(Runner(folder / "model.onnx", 1), folder)
    assert example
    return example.inputs


@pytest.mark.parametrize("document", [REQUEST, {"x": X}, {"x": X[0]}, X, X[0]])
@pytest.mark.parametrize("graph", [ONE, OPTIONAL])
def test_forms_of_json(tmp_path: Path, graph: str, document: object) -> None:
    x = given(tmp_path, graph, document)["x"]
    assert (x.tolist(), x.dtype) == (X, np.float32)


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u1"])
def test_numbers_of_npz_are_cast(tmp_path: Path, dtype: str) -> None:
    arrays = {"x": np.array([[1, 2]], dtype), "i": np.array([0], "u1")}
    found = given(tmp_path, TWO, **arrays)
    assert found["x"].dtype == np.float32
    assert found["i"].dtype == np.int64
    assert found["x"].tolist() == [[1, 2]]


@pytest.mark.parametrize("words", [np.array([["größer"], ["b"]]), np.array([["größer".encode()], [b"b"]])])
def test_strings_of_npz(tmp_path: Path, words: np.ndarray) -> None:
    assert given(tmp_path, WORDS, s=words)["s"].tolist() == [["größer"], ["b"]]


def test_strings_of_json(tmp_path: Path) -> None:
    assert given(tmp_path, WORDS, [["größer"], ["b"]])["s"].tolist() == [["größer"], ["b"]]


def test_bfloat16_of_npz_is_its_bits(tmp_path: Path) -> None:
    graph = "(bfloat16[2] x) => (bfloat16 y) { y = Identity (x) }"
    assert given(tmp_path, graph, x=np.array([0x3F80, 0], np.uint16))["x"].tolist() == [0x3F80, 0]


@pytest.mark.parametrize(
    ("graph", "document", "reason"),
    [
        (ONE, {"x": [[1, 2]]}, r"inputs\[x\].shape: got \[1, 2\], expected \[-1, 3\]"),
        (ONE, {"z": X}, r"inputs\[z\].name: got 'z', expected one of \['x'\]"),
        (ONE, {"x": "a"}, r"inputs\[x\]"),
        (ONE, {"x": [["1", "2", "3"]]}, r"inputs\[x\].data: got strings"),
        (ONE, "text", "expected an inference request, an object of inputs by name, or the array of the only input"),
        (ONE, None, "expected an inference request"),
        (TWO, [[1, 2]], "expected an inference request"),
        (TWO, {"x": [[1, 2]]}, r"inputs: got \['x'\], expected also \['i'\]"),
        (TWO, {"x": [[1, 2]], "i": [0.5]}, r"inputs\[i\].data"),
    ],
)
def test_wrong_json_is_rejected(tmp_path: Path, graph: str, document: object, reason: str) -> None:
    with pytest.raises(ModelRejected, match=rf"example\.json: {reason}"):
        given(tmp_path, graph, document)


def bomb() -> bytes:
    """An archive of a few hundred kilobytes that unpacks to 300 MB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (25_000_000, 3)})
        for _ in range(300):
            file.write(bytes(1_000_000))
    return content.getvalue()


def with_object() -> bytes:
    content = io.BytesIO()
    np.savez(content, x=np.array([[object]]))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected an archive of numpy.savez"),
        (b"PK\x03\x04 not an archive", "expected an archive of numpy.savez"),
        (bomb, r"unpacks to 300,\d+,\d+ bytes, allowed are 268,435,456"),
        (with_object(), "Object arrays cannot be loaded"),
    ],
)
def test_wrong_npz_is_rejected(tmp_path: Path, content: bytes | Callable[[], bytes], reason: str) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    (tmp_path / "example.npz").write_bytes(content if isinstance(content, bytes) else content())
    with pytest.raises(ModelRejected, match=rf"example\.npz: .*{reason}"):
        example_inputs(Runner(tmp_path / "model.onnx", 1), tmp_path)


def test_no_example(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    assert example_inputs(Runner(tmp_path / "model.onnx", 1), tmp_path) is None
