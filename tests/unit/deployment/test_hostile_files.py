"""Untrusted model files: wrong external data, sizes and bytes are rejected, each with its reason."""

import gzip
import pickle
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from maas.deployment import onnx_file, preparation
from maas.deployment.child import Limits
from maas.deployment.onnx_file import External
from maas.errors import ModelRejected
from support import onnx_models
from support.onnx_models import external, with_weights

LIMIT = 1 << 20


def written(folder: Path, model: ModelProto | bytes, data: bytes | None = bytes(16)) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    if data is not None:
        (folder / "weights.bin").write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/etc/passwd", "an absolute path"),
        ("C:\\secret", "an absolute path"),
        ("\\\\host\\share", "an absolute path"),
        ("../weights.bin", "outside of the model's folder"),
        ("a/../../weights.bin", "outside of the model's folder"),
        ("a\\..\\..\\b", "outside of the model's folder"),
        ("", "outside of the model's folder"),
        ("other.bin", "was not uploaded with the model"),
        ("folder", "was not uploaded with the model"),
        ("link.bin", "is a link"),
        ("linked/weights.bin", "is a link"),
        ("golden/weights.bin", "for test vectors or examples and is not served"),
        ("./golden//weights.bin", "for test vectors or examples and is not served"),
        ("example.npz", "for test vectors or examples and is not served"),
    ],
)
def test_external_data_outside_the_version_is_rejected(tmp_path: Path, location: str, reason: str) -> None:
    path = written(tmp_path, with_weights(external(location)))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.bin").symlink_to("weights.bin")
    (tmp_path / "linked").symlink_to(".")
    with pytest.raises(ModelRejected, match=reason):
        onnx_file.check(path, LIMIT)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"offset": "1"}, "ends at byte 17 of weights.bin, which has 16"),
        ({"offset": "9" * 18}, "ends at byte"),
        ({"offset": "-1"}, "has the offset '-1'"),
        ({"offset": "010"}, "has the offset '010'"),
        ({"offset": ""}, "has the offset ''"),
        ({"offset": "\u0661"}, "has the offset"),
        ({"offset": "9" * 40}, "has the offset"),
        ({"length": "x"}, "has the length 'x'"),
        ({"length": "8"}, "has 8 bytes, its shape 16"),
    ],
)
def test_external_data_beyond_its_file_is_rejected(tmp_path: Path, entries: dict[str, str], reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason):
        onnx_file.check(written(tmp_path, with_weights(external(**entries))), LIMIT)


def test_overlapping_external_data_is_rejected(tmp_path: Path) -> None:
    overlapping = with_weights(external(offset="0"), external(offset="12"))
    with pytest.raises(ModelRejected, match=r"'w0' and 'w1' overlaps in weights.bin"):
        onnx_file.check(written(tmp_path, overlapping, bytes(64)), LIMIT)
    onnx_file.check(
        written(
            tmp_path,
            with_weights(external(offset="0"), external(offset="16")),
            bytes(32),
        ),
        LIMIT,
    )


def test_external_data_in_nested_graphs_and_functions(tmp_path: Path) -> None:
    inner = with_weights(external("/in/a/graph")).graph
    branch = helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)
    path = written(tmp_path, onnx_models.model(helper.make_graph([branch], "g", [], [])))
    with pytest.raises(ModelRejected, match="absolute"):
        onnx_file.check(path, LIMIT)
    constant = numpy_helper.from_array(np.zeros(4, np.float32))
    external("../in/an/attribute")(constant)
    node = helper.make_node("Constant", [], ["y"], value=constant)
    with pytest.raises(ModelRejected, match="outside"):
        onnx_file.check(written(tmp_path, onnx_models.model(helper.make_graph([node], "g", [], []))), LIMIT)


def test_all_external_files_are_listed(tmp_path: Path) -> None:
    path = written(tmp_path, with_weights(external(offset="16"), lambda _: None))
    assert onnx_file.read_externals(path, LIMIT) == [External("w0", "weights.bin", 16, 16)]


@pytest.mark.parametrize("dims", [[1 << 40], [1 << 62, 1 << 62], [-1]])
def test_tensor_size_limit(tmp_path: Path, dims: list[int]) -> None:
    def change(tensor: TensorProto) -> None:
        tensor.ClearField("dims")
        tensor.dims.extend(dims)

    with pytest.raises(ModelRejected, match=r"allowed are 1,048,576 .parameter MaxTensorBytes|negative dimension"):
        onnx_file.check(written(tmp_path, with_weights(change)), LIMIT)


def nested(depth: int) -> bytes:
    """Graphs in attributes of nodes of graphs, deeper than protobuf's own library writes."""
    message = b""
    for _ in range(depth):
        for field in (6, 5, 1):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            message = bytes([field << 3 | 2]) + _varint(len(message)) + message
    return bytes([7 << 3 | 2]) + _varint(len(message)) + message


def _varint(number: int) -> bytes:
    return bytes([number & 127 | 128]) + _varint(number >> 7) if number > 127 else bytes([number])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a readable ONNX file"),
        (
            b"PK\3\4 a zip file",
            "the file is a zip archive, as of PyTorch or Keras, not an ONNX model: export the model",
        ),
        (pickle.dumps({"a": 1}), "the file is a Python pickle, not an ONNX model: export the model to ONNX first"),
        (gzip.compress(onnx_models.linear()), "the file is compressed with gzip, not an ONNX model: unpack it, then"),
        (b"<!DOCTYPE html>", "the file is HTML or XML, such as a page in place of a download, not an ONNX model"),
        (b"\x3a\xff\xff\xff\xff\x0f", "not a readable ONNX file"),
        (b"\xff" * 20, "not a readable ONNX file"),
        (onnx_models.linear()[:-9], "not a readable ONNX file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "a pointer of Git LFS, not an ONNX model",
        ),
        (nested(40), "nested more than 64 deep"),
    ],
)
def test_unreadable_model_is_rejected(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason):
        onnx_file.check(written(tmp_path, content), LIMIT)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (onnx_models.linear(opset=99), "Opset 99"),
        (onnx_models.model(helper.make_graph([helper.make_node("Foo", [], ["y"])], "g", [], [])), "Foo"),
        (
            onnx_models.model(helper.make_graph([helper.make_node("A", [], ["y"], domain="com.example")], "g", [], [])),
            "com.example",
        ),
        (helper.make_model(helper.make_graph([], "g", [], []), ir_version=999), "IR version"),
    ],
)
def test_unsupported_operator_or_type_is_named(tmp_path: Path, content: ModelProto | bytes, reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason):
        inspect(tmp_path, content)


def inspect(folder: Path, content: ModelProto | bytes) -> preparation.Inspection:
    prepared = folder / "prepared"
    prepared.mkdir(exist_ok=True)
    job = preparation.Job(str(written(folder, content)), 1, LIMIT, str(prepared))
    return preparation.inspect(job, Limits(1 << 30, 60))


def test_mutated_files_are_rejected_or_unchanged(tmp_path: Path) -> None:
    """A few hundred mutations; the benchmarks do many more. Nothing but ModelRejected may come of one."""
    rng = random.Random(5)
    for original in (
        onnx_models.linear(),
        with_weights(external(), external(offset="16")).SerializeToString(),
    ):
        for _ in range(400):
            content = bytearray(original)
            for _ in range(rng.randint(1, 4)):
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            with suppress(ModelRejected):
                onnx_file.check(written(tmp_path, bytes(content[: rng.randint(1, len(content))]), bytes(32)), LIMIT)
