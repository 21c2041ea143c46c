"""Real models run chunks as one batch, or record by record where the batch fails."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from maas.batch.formats import Chunk
from maas.batch.planner import SHARD_SECONDS, fitting_bytes, max_rows
from maas.batch.predicting import MAX_BATCH_ROWS, Predicted, Predictor, batch_rows, row_ms, selected
from maas.errors import InvalidRequest
from maas.records import MetadataTensor, ModelVersion, Status
from maas.serving.runner import Runner
from support import onnx_models

Load = Callable[[bytes], Runner]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load_bytes(content: bytes) -> Runner:
        path = tmp_path / "model.onnx"
        path.write_bytes(content)
        return Runner(path, threads=1)

    return load_bytes


def chunk(good: list[int], errors: dict[int, str] | None = None, *, whole: bool = False, **inputs: Any) -> Chunk:
    arrays = {name: np.array(value, np.float32) for name, value in inputs.items()}
    return Chunk(0, len(good) + len(errors or {}), good, arrays, errors or {}, whole)


def predict(runner: Runner, given: Chunk, names: list[str]) -> Predicted:
    return Predictor(runner, names).predict(given)


def fixed(shape: list[int]) -> bytes:
    """y = 2 x, of one fixed shape."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "fixed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return onnx_models.model(graph).SerializeToString()


def picky(entries: Any = (10, 20, 30), kind: int = TensorProto.FLOAT) -> bytes:
    """y = entries[i]: one index out of range fails the batch."""
    graph = helper.make_graph(
        [helper.make_node("Cast", ["i"], ["n"], to=TensorProto.INT64), helper.make_node("Gather", ["t", "n"], ["y"])],
        "picky",
        [helper.make_tensor_value_info("i", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", kind, ["n"])],
        [helper.make_tensor("t", kind, [3], entries)],
    )
    return onnx_models.model(graph).SerializeToString()


def test_good_records_run_as_one_batch(load: Load) -> None:
    predicted, failed = predict(load(onnx_models.linear()), chunk([0, 2], {1: "bad"}, x=[[1, 2, 3], [4, 5, 6]]), ["y"])
    assert predicted["y"].tolist() == [[6, 6], [15, 15]]
    assert failed == {1: "bad"}


def test_texts_of_records_that_ran_alone(load: Load) -> None:
    runner = load(picky([b"a", b"b", b"c"], TensorProto.STRING))
    predicted, failed = predict(runner, chunk([0, 1, 2], i=[0, 7, 2]), ["y"])
    assert (predicted["y"].dtype, predicted["y"].tolist(), list(failed)) == (np.dtype(object), ["a", "c"], [1])


def test_chunk_without_good_records(load: Load) -> None:
    assert predict(load(onnx_models.linear()), chunk([], {0: "bad"}), ["y"]) == ({}, {0: "bad"})


def test_record_that_the_model_refuses_fails_alone(load: Load) -> None:
    predicted, failed = predict(load(picky()), chunk([0, 2, 3], {1: "bad"}, i=[0, 7, 2]), ["y"])
    assert predicted["y"].tolist() == [10, 30]
    assert (failed[1], list(failed)) == ("bad", [1, 2])
    assert "onnxruntime cannot run" in failed[2]


def test_failed_batch_runs_record_by_record(load: Load) -> None:
    predicted, failed = predict(load(onnx_models.needs_two_rows()), chunk([0, 1, 2], x=[[1, 2]] * 3), ["y"])
    assert predicted == {}  # it needs two rows at once
    assert set(failed) == {0, 1, 2}


def of_shapes(node: Any, output: list[str | int], *initializers: Any) -> bytes:
    """A model of one node: x [batch, time, features] to y."""
    graph = helper.make_graph(
        [node],
        "shapes",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "time", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        initializers,
    )
    return onnx_models.model(graph).SerializeToString()


def time_major() -> bytes:
    """y [time, batch, features]."""
    return of_shapes(helper.make_node("Transpose", ["x"], ["y"], perm=[1, 0, 2]), ["time", "batch", 2])


def constant() -> bytes:
    """y [3], whatever x is."""
    node = helper.make_node("Constant", [], ["y"], value_floats=[1.0, 2.0, 3.0])
    return of_shapes(node, ["n"])


def steps(count: int, time: int) -> Chunk:
    return chunk(list(range(count)), x=np.arange(count * time * 2).reshape(count, time, 2))


@pytest.mark.parametrize(("count", "time"), [(3, 3), (2, 2), (4, 3), (1, 3), (3, 1000)])
def test_time_major_output_is_refused(load: Load, count: int, time: int) -> None:
    """Also where as many steps as records make the first axis look right."""
    with pytest.raises(InvalidRequest, match=rf"output 'y': got shape \[{time}, 1, 2\] for 1 record, expected the rec"):
        predict(load(time_major()), steps(count, time), ["y"])


def test_time_major_output_of_one_step_is_each_record_s_own(load: Load) -> None:
    predicted, _ = predict(load(time_major()), steps(3, 1), ["y"])
    assert predicted["y"].tolist() == [[[0, 1]], [[2, 3]], [[4, 5]]]


def test_time_major_output_is_refused_at_a_later_chunk(load: Load) -> None:
    predictor = Predictor(load(time_major()), ["y"])
    predictor.predict(steps(3, 1))
    with pytest.raises(InvalidRequest, match="transpose it in the model, or leave it out with select"):
        predictor.predict(steps(2, 2))


@pytest.mark.parametrize("count", [1, 3, 5])
def test_output_without_records_is_refused(load: Load, count: int) -> None:
    with pytest.raises(InvalidRequest, match=r"got shape \[3\] for 1 record, expected the records on the first axis"):
        predict(load(constant()), steps(count, 2), ["y"])


def test_batch_first_output_as_long_as_the_batch(load: Load) -> None:
    node = helper.make_node("Identity", ["x"], ["y"])
    given = steps(3, 3)
    predicted, failed = predict(load(of_shapes(node, ["batch", "time", 2])), given, ["y"])
    assert (predicted["y"].tolist(), failed) == (given.inputs["x"].tolist(), {})


def test_model_that_refuses_a_single_record_is_checked_with_fewer(load: Load) -> None:
    predicted, failed = predict(load(onnx_models.needs_two_rows()), chunk([0, 1], x=[[1, 2]] * 2), ["y"])
    assert (len(predicted["y"]), failed) == (2, {})


def test_unbatched_model_takes_one_record(load: Load) -> None:
    assert batch_rows(load(fixed([2, 2])).inputs, 50) == 1


def test_whole_record_runs_unchanged(load: Load) -> None:
    predicted, _ = predict(load(onnx_models.linear()), chunk([0], whole=True, x=[[1, 2, 3], [4, 5, 6]]), ["y"])
    assert predicted["y"].tolist() == [[6, 6], [15, 15]]


def test_selected_outputs(load: Load) -> None:
    runner = load(onnx_models.zipmap(["cat", "dog"]))
    assert [tensor.name for tensor in selected(runner, None)] == ["label", "probabilities"]
    assert [tensor.name for tensor in selected(runner, ["probabilities"])] == ["probabilities"]
    for name in ("nothing", "probabilities_labels"):
        with pytest.raises(InvalidRequest, match=r"options.select: got .*, expected some of"):
            selected(runner, [name])


def test_batch_size_limits() -> None:
    rows = [MetadataTensor("x", "FP32", (-1, 3))]
    images = [MetadataTensor("x", "FP32", (-1, 3, 224, 224))]
    assert batch_rows(rows, None) == MAX_BATCH_ROWS
    assert 1 < batch_rows(images, None) < 16
    assert batch_rows(images, 100) == 100
    weights = MetadataTensor("w", "FP32", (3, 1 << 20), optional=True)
    assert batch_rows([*rows, weights], None) == MAX_BATCH_ROWS


def test_batch_size_of_a_slow_model() -> None:
    rows = [MetadataTensor("x", "FP32", (-1, 64))]
    assert batch_rows(rows, None, row_ms(version(run_ms=0.9, run_ms_batch_32=0.5))) == MAX_BATCH_ROWS
    assert batch_rows(rows, None, row_ms(version(run_ms=2.0, run_ms_batch_32=12.8))) == 500
    assert batch_rows(rows, None, row_ms(version(run_ms=900.0))) == 32
    assert batch_rows(rows, None, row_ms(version())) == MAX_BATCH_ROWS
    assert batch_rows(rows, 1000, row_ms(version(run_ms=900.0))) == 1000


class Memory:
    def __init__(self, content: bytes) -> None:
        self.content, self.size_bytes = content, len(content)

    def read(self, start: int, end: int) -> bytes:
        return self.content[start:end]


def version(**profile: float) -> ModelVersion:
    return ModelVersion("m", 1, Status.READY, (), "", "", 1, profile=profile)


def test_shard_rows_by_profile() -> None:
    rows = max_rows(version(run_ms=500, run_ms_batch_32=3200))
    assert rows == SHARD_SECONDS * 1000 / 100
    source = Memory(b"0123456789\n" * 100_000)
    assert fitting_bytes("jsonl", source, 1 << 20, rows) == pytest.approx(11 * rows, rel=0.01)
    assert fitting_bytes("jsonl", source, 1000, rows) == 1000
    assert max_rows(version(run_ms=10_000_000)) == 1
