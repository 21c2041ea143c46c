"""Files that parsers read differently are refused, though onnxruntime loads many of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper

from maas.deployment import onnx_file
from maas.errors import ModelRejected
from support import onnx_models
from support.fuzzing import two_parsers
from support.fuzzing.protobuf import BYTES, FIXED32, VARINT, Piece, Pieces, read, written
from support.onnx_models import external, with_weights

LIMIT = 1 << 20
GRAPH, INITIALIZER, NODE, RAW_DATA, DATA_TYPE, DIMS = 7, 5, 1, 9, 2, 1
BIT_35 = 1 << (34 - 3)  # of a tag, counted from 1: C++ protobuf reads five bytes and drops what is beyond 32 bits
Change = Callable[[Piece], "Piece | Pieces"]


def changed(model: ModelProto | bytes, path: tuple[int, ...], change: Change) -> bytes:
    """The model, with the first field at this path of field numbers changed."""
    content = model if isinstance(model, bytes) else model.SerializeToString()
    return written(_changed(read(content, ModelProto.DESCRIPTOR), path, change))


def _changed(pieces: Pieces, path: tuple[int, ...], change: Change) -> Pieces:
    at = next(at for at, piece in enumerate(pieces) if piece.number == path[0])
    one = pieces[at]
    if len(path) > 1:
        assert isinstance(one.value, list)
        new: Piece | Pieces = replace(one, value=_changed(one.value, path[1:], change))
    else:
        new = change(one)
    return [*pieces[:at], *(new if isinstance(new, list) else [new]), *pieces[at + 1 :]]


def refused(folder: Path, content: bytes, data: bytes = bytes(64)) -> str:
    """Why."""
    (folder / "model.onnx").write_bytes(content)
    (folder / "weights.bin").write_bytes(data)
    with pytest.raises(ModelRejected) as error:
        onnx_file.check(folder / "model.onnx", LIMIT)
    return error.value.message


def loads(content: bytes) -> bool:
    try:
        ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception:
        return False
    return True


def hidden(one: Piece) -> Piece:
    return replace(one, number=one.number | BIT_35)


def twice(one: Piece) -> Pieces:
    return [one, one]


def in_two(one: Piece) -> Pieces:
    """Parsers merge the values of a message field."""
    assert isinstance(one.value, list)
    return [replace(one, value=one.value[:1]), replace(one, value=one.value[1:])]


ONCE = "two values for"
NO_FIELD = "has no field with number"
LONG = "longer than it needs to be"


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ((GRAPH,), hidden, NO_FIELD),
        ((GRAPH, INITIALIZER), hidden, NO_FIELD),
        ((GRAPH,), lambda one: replace(one, pads=(1, 0)), LONG),
        ((GRAPH,), lambda one: replace(one, pads=(0, 3)), LONG),
        ((1,), lambda one: replace(one, pads=(0, 8)), LONG),
        ((1,), lambda one: replace(one, value=one.value | 1 << 64), "beyond 64 bits"),
        ((GRAPH, INITIALIZER, DATA_TYPE), lambda one: replace(one, value=one.value | 1 << 32), "beyond its range"),
        ((GRAPH, INITIALIZER, DIMS), lambda one: replace(one, pads=(0, 1)), LONG),
        ((GRAPH,), twice, ONCE),
        ((GRAPH,), in_two, ONCE),
        ((GRAPH, INITIALIZER, DATA_TYPE), twice, ONCE),
        ((GRAPH, INITIALIZER, RAW_DATA), twice, ONCE),
        ((GRAPH, 11, 2, 1), lambda one: [one, Piece(4, BYTES, [])], ONCE),  # TypeProto: tensor_type, sequence_type
        ((GRAPH, 2), lambda one: [one, Piece(30, BYTES, b"x")], NO_FIELD),
        ((GRAPH, 2), lambda one: [one, Piece(0, BYTES, b"")], NO_FIELD),
        ((GRAPH, 2), lambda one: [one, Piece(30, 3, b""), Piece(30, 4, b"")], NO_FIELD),
        ((GRAPH, 2), lambda one: Piece(2, FIXED32, b"abcd"), NO_FIELD),
        ((GRAPH, 2), lambda one: [one, Piece(2, 6, b"")], NO_FIELD),
        ((GRAPH, 2), lambda one: [one, Piece(2, 7, b"")], NO_FIELD),
        ((GRAPH,), lambda one: replace(one, tail=b"\0"), NO_FIELD),
        ((GRAPH,), lambda one: replace(one, tail=b"\x0c"), NO_FIELD),
        ((8,), lambda one: replace(one, length_error=1), "ends 1 bytes after its message"),
        ((GRAPH, INITIALIZER, RAW_DATA), lambda one: replace(one, length_error=1 << 40), "bytes after its message"),
    ],
)
def test_second_reading_is_refused(tmp_path: Path, path: tuple[int, ...], change: Change, reason: str) -> None:
    assert reason in refused(tmp_path, changed(onnx_models.linear(), path, change))


def test_packed_and_unpacked_numbers_are_one_reading(tmp_path: Path) -> None:
    content = changed(onnx_models.linear(), (GRAPH, INITIALIZER, DIMS), lambda one: Piece(DIMS, BYTES, b"\x03"))
    (tmp_path / "model.onnx").write_bytes(content)
    onnx_file.check(tmp_path / "model.onnx", LIMIT)
    assert two_parsers.verdict(content) == "same"
    assert loads(content)


def test_graph_behind_bit_35(tmp_path: Path) -> None:
    content = changed(onnx_models.linear(), (GRAPH,), hidden)
    assert loads(content)
    assert NO_FIELD in refused(tmp_path, content)


def test_overlapping_data_behind_bit_35(tmp_path: Path) -> None:
    overlapping = with_weights(external(offset="0"), external(offset="12"))
    content = changed(overlapping, (GRAPH,), hidden)
    (tmp_path / "model.onnx").write_bytes(content)
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    ort.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    assert NO_FIELD in refused(tmp_path, content)
    assert "overlaps" in refused(tmp_path, overlapping.SerializeToString())


def test_nested_ifs_behind_bit_35(tmp_path: Path) -> None:
    content = changed(nested_ifs(28), (GRAPH,), hidden)
    assert loads(content)
    assert NO_FIELD in refused(tmp_path, content)
    assert "nested more than 64 deep" in refused(tmp_path, nested_ifs(28).SerializeToString())


def nested_ifs(depth: int) -> ModelProto:
    def graph(number: int) -> GraphProto:
        output = [helper.make_tensor_value_info(f"y{number}", TensorProto.FLOAT, [1])]
        plain = helper.make_graph([helper.make_node("Identity", ["x"], [f"z{number}"])], "g", [], [])
        plain.output.append(helper.make_tensor_value_info(f"z{number}", TensorProto.FLOAT, [1]))
        if not number:
            return helper.make_graph([helper.make_node("Identity", ["x"], ["y0"])], "g", [], output)
        node = helper.make_node("If", ["c"], [f"y{number}"], then_branch=graph(number - 1), else_branch=plain)
        return helper.make_graph([node], "g", [], output)

    outermost = graph(depth)
    outermost.input.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, [1]))
    outermost.input.append(helper.make_tensor_value_info("c", TensorProto.BOOL, []))
    return onnx_models.model(outermost)


def test_tensor_of_an_attribute_twice(tmp_path: Path) -> None:
    """Merged, they are one tensor in another file: apart, neither says where."""
    constant = helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(np.zeros(4, np.float32)))
    output = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])]
    model = onnx_models.model(helper.make_graph([constant], "g", [], output))
    content = changed(model, (GRAPH, NODE, 5, 5), lambda one: [one, Piece(5, BYTES, [Piece(DATA_TYPE, VARINT, 1)])])
    assert loads(content)
    assert "AttributeProto has two values for t" in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"prepacked_0": "key|0;64;0"}, "unknown entry 'prepacked_0'"),
        ({"basepath": "/etc"}, "unknown entry 'basepath'"),
        ({"location": "*/_ORT_MEM_ADDR_/*", "offset": "4096"}, "not uploaded"),
    ],
)
def test_unknown_external_entry_is_refused(tmp_path: Path, entries: dict[str, str], reason: str) -> None:
    model = with_weights(external(**entries))
    assert reason in refused(tmp_path, model.SerializeToString())


def test_external_entry_twice_is_refused(tmp_path: Path) -> None:
    model = with_weights(external(offset="0"))
    model.graph.initializer[0].external_data.add(key="offset", value="1000000")
    assert "two entries 'offset'" in refused(tmp_path, model.SerializeToString())


def test_one_file_under_two_names_overlaps(tmp_path: Path) -> None:
    for other in ("./weights.bin", ".//./weights.bin"):
        model = with_weights(external(offset="0"), external(other, offset="12"))
        assert "overlaps in weights.bin" in refused(tmp_path, model.SerializeToString())


def test_dense_size_of_sparse_tensor_is_limited(tmp_path: Path) -> None:
    values = helper.make_tensor("s", TensorProto.FLOAT, [1], [1.0])
    indices = helper.make_tensor("i", TensorProto.INT64, [1], [2])
    sparse = helper.make_sparse_tensor(values, indices, [1 << 20, 1 << 20])
    graph = helper.make_graph([], "g", [], [], sparse_initializer=[sparse])
    reason = refused(tmp_path, onnx_models.model(graph).SerializeToString())
    assert "tensor 's' of shape [1048576, 1048576] has 4,398,046,511,104 bytes" in reason


def test_too_many_are_refused(tmp_path: Path) -> None:
    def model(number: int, content: bytes) -> bytes:
        return Piece(number, BYTES, content).written()

    dims = Piece(GRAPH, BYTES, [Piece(INITIALIZER, BYTES, [Piece(DIMS, BYTES, b"\1" * 65)])]).written()
    assert "more than 64 dimensions" in refused(tmp_path, dims)
    entries = model(GRAPH, model(INITIALIZER, b"\x6a\0" * 257))
    assert "more than 256 values for external_data" in refused(tmp_path, entries)
    functions = b"".join(model(25, model(1, b"%d" % number)) for number in range(10_001))
    assert "more than 10,000 functions" in refused(tmp_path, functions)


@pytest.mark.full
def test_too_many_fields_are_refused(tmp_path: Path) -> None:
    inputs = Piece(GRAPH, BYTES, [Piece(NODE, BYTES, b"\x0a\0" * 10_000_001)]).written()
    assert "more than 10,000,000 fields" in refused(tmp_path, inputs)


def test_mutated_files_have_one_reading() -> None:
    """Of 100,000 tried once, the parsers read none otherwise."""
    counted = two_parsers.run(400, seed=1)
    assert counted["differs"] == 0, counted
    assert counted["same"] > 50
    assert counted["refused"] > 200


@pytest.mark.full
def test_thousands_of_mutated_files_have_one_reading() -> None:
    counted = two_parsers.run(5000, seed=2)
    assert counted["differs"] == 0, counted
