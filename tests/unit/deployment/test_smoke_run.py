"""Inputs that a model takes are found, from the sizes that its graph needs and the values that it wants."""

import itertools
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maas.deployment.trial import smoke_run as smoke_runs
from maas.deployment.trial.fills import LENGTH, ONE, TYPICAL, Trial
from maas.deployment.trial.smoke_run import NothingRuns, SmokeRun, smoke_run
from maas.errors import ModelRejected
from maas.records import MetadataTensor
from maas.serving.runner import Runner
from support.onnx_models import parsed

PAD = 'pads = Constant <value_ints: ints = [0, {0}, 0, {0}]> () y = Pad <mode: string = "reflect"> (x, pads)'


def run(folder: Path, graph: str, seconds: float = 30) -> SmokeRun:
    path = folder / "model.onnx"
    path.write_bytes(parsed(graph))
    return smoke_run(Runner(path, 1), path, search_seconds=seconds)


def weights(name: str, *dims: int) -> str:
    shape = ", ".join(map(str, dims))
    return f"""
        {name}_shape = Constant <value_ints: ints = [{shape}]> ()
        {name} = ConstantOfShape <value: tensor = float[1] {{0.5}}> ({name}_shape)
    """


DOWN_AND_UP = (
    weights("w", 1, 1, 32, 32)
    + """
    down = Conv <strides = [32, 32]> (x, w)
    scales = Constant <value_floats: floats = [1.0, 1.0, 32.0, 32.0]> ()
    up = Resize <mode: string = "nearest"> (down, , scales)
    both = Concat <axis = 1> (x, up)
    y = Identity (both)
"""
)
CONV_THEN_DENSE = (
    weights("k", 1, 1, 9, 1)
    + weights("w", 37, 2)
    + """
    axes = Constant <value_ints: ints = [0, 1]> ()
    u = Unsqueeze (x, axes) c = Conv (u, k) y = MatMul (c, w)
"""
)


@pytest.mark.parametrize(
    ("inputs", "nodes", "fits"),
    [
        ("float[batch, samples] x", PAD.format(64), lambda x: x[1] > 64),
        ("float[batch, samples] x", PAD.format(1500), lambda x: x[1] > 1500),
        ("float[n, 1, samples] x", weights("w", 2, 1, 400) + "y = Conv (x, w)", lambda x: x[2] >= 400),
        ("float[n, 1, h, w] x", DOWN_AND_UP, lambda x: x[2] % 32 == x[3] % 32 == 0),
        ("float[a, b, c, d] x", DOWN_AND_UP, lambda x: x[2] % 32 == x[3] % 32 == 0),
        ("float[n, width] x", weights("w", 1575, 2) + "y = MatMul (x, w)", lambda x: x[1] == 1575),
        (
            "float[n] x",
            "shape = Constant <value_ints: ints = [7, 13]> () y = Reshape (x, shape)",
            lambda x: x[0] == 91,
        ),
        (
            "float[n, c] x",
            "parts = Constant <value_ints: ints = [100, 301]> () y, z = Split <axis = 1> (x, parts)",
            lambda x: x[1] == 401,
        ),
        (
            "float[n, c] x",
            "at = Constant <value_ints: ints = [900]> () y = Gather <axis = 1> (x, at)",
            lambda x: x[1] > 900,
        ),
        (
            "float[a, b, c, d] x",
            weights("w", 2, 3, 5, 5) + "t = Transpose <perm = [0, 3, 1, 2]> (x) y = Conv (t, w)",
            lambda x: x[3] == 3 and min(x[1:3]) >= 5,
        ),
        ("float[time, width] x", CONV_THEN_DENSE, lambda x: x[0] >= 9 and x[1] == 37),
    ],
)
def test_sizes_that_the_graph_needs(tmp_path: Path, inputs: str, nodes: str, fits: object) -> None:
    found = run(tmp_path, f"({inputs}) => (float y) {{ {nodes} }}")
    assert fits(found.shapes["x"]), found.shapes  # type: ignore[operator]
    assert found.shapes_from == "signature"


def test_size_of_one_is_taken_first(tmp_path: Path) -> None:
    assert run(tmp_path, "(float[n, m] x) => (float y) { y = Relu (x) }").shapes == {"x": [1, 1]}


@pytest.mark.parametrize(("dims", "shape"), [("3, 2000000", [3, 2000000]), ("n, 2000, 3000", [1, 2000, 3000])])
def test_large_fixed_dimensions(tmp_path: Path, dims: str, shape: list[int]) -> None:
    assert run(tmp_path, f"(float[{dims}] x) => (float y) {{ y = ReduceMax (x) }}").shapes == {"x": shape}


def test_symbols_shared_by_inputs_have_one_size(tmp_path: Path) -> None:
    pad = PAD.format(64).replace("y =", "p =")
    found = run(tmp_path, f"(float[n, s] x, float[s, s] z) => (float y) {{ {pad} q = MatMul (x, z) y = Identity (p) }}")
    samples = found.shapes["x"][1]
    assert samples > 64
    assert found.shapes["z"] == [samples, samples]


def test_symbols_that_are_formulas(tmp_path: Path) -> None:
    graph = """(float[past, 2] x, float[new, 2] z, float["past + new", 2] mask, float["2*new", 1] twice) => (float y) {
        both = Concat <axis = 0> (x, z) sum = Add (both, mask) again = Concat <axis = 0> (z, z) two = Add (again, twice)
        y = Concat <axis = 0> (sum, two)
    }"""
    shapes = run(tmp_path, graph).shapes
    assert shapes["mask"][0] == shapes["x"][0] + shapes["z"][0]
    assert shapes["twice"][0] == 2 * shapes["z"][0]


@pytest.mark.parametrize(
    ("inputs", "nodes"),
    [
        ("float[3, 4] x, int64[1] k", "v, i = TopK (x, k) y = ReduceMax <axes = [1], keepdims = 0> (v)"),
        ("float[4] x, bool[4] m", "c = Compress (x, m) i = Constant <value_int: int = 0> () y = Gather (c, i)"),
        ("string[n, 1] x", "y = Cast <to = 1> (x)"),
        (
            "float[1, 1, 8, 8] x, int64[4] sizes",
            'r = Resize <mode: string = "nearest"> (x, , , sizes) i = Constant <value_ints: ints = [0]> () '
            "y = Gather <axis = 3> (r, i)",
        ),
        (
            "float[batch, n] x, int64[batch] length",
            "m = ReduceMax <keepdims = 1> (length) o = Constant <value_ints: ints = [1]> () "
            "s = Concat <axis = 0> (o, m) y = Reshape (x, s)",
        ),
    ],
)
def test_values_that_the_graph_wants(tmp_path: Path, inputs: str, nodes: str) -> None:
    assert run(tmp_path, f"({inputs}) => (float y) {{ {nodes} }}").outputs[0].size


ENCODE = """
    e = ai.onnx.ml.OneHotEncoder <cats_strings = ["oslo", "rome"], zeros = 0> ({0})
    f = ai.onnx.ml.OneHotEncoder <cats_strings = ["free", "pro"], zeros = 0> ({1})
    g = Concat <axis = 0> (e, f) y = ReduceMax (g)
"""


@pytest.mark.parametrize(
    ("inputs", "nodes", "values"),
    [
        ("string[n, 1] city, string[n, 1] plan", ENCODE.format("city", "plan"), {"city": ["oslo"], "plan": ["free"]}),
        (
            "string[n, 3] x",
            "(float y) <int64[1] p = {2}, int64[1] q = {0}> { a = Gather <axis = 1> (x, p) "
            "b = ai.onnx.ml.ArrayFeatureExtractor (x, q) c = Identity (b)" + ENCODE.format("a", "c"),
            {"x": ["free", "a", "oslo"]},
        ),
        (
            "float[n, 2] x",
            "(float y) <int64[1] p = {1}> { a = Gather <axis = 1> (x, p) b = Cast <to = 7> (a) "
            "y = ai.onnx.ml.OneHotEncoder <cats_int64s = [7000, 8], zeros = 0> (b)",
            {"x": [0, 7000]},
        ),
    ],
)
def test_categories_of_one_hot_encoders(tmp_path: Path, inputs: str, nodes: str, values: dict[str, list[Any]]) -> None:
    outputs = nodes if nodes.startswith("(float") else f"(float y) {{ {nodes}"
    found = run(tmp_path, f"({inputs}) => {outputs} }}")
    assert {name: array[0].tolist() for name, array in found.inputs.items()} == values


def test_optional_inputs_are_left_out(tmp_path: Path) -> None:
    found = run(tmp_path, "(float[n] x, float[1] w) => (float y) <float[1] w = {2}> { y = Mul (x, w) }")
    assert found.shapes == {"x": [1]}


def test_nothing_runs(tmp_path: Path) -> None:
    graph = """(float[n, 2] x) => (float y) {
        shape = Constant <value_ints: ints = [3, 1000003]> () y = Reshape (x, shape)
    }"""
    with pytest.raises(NothingRuns) as failed:
        run(tmp_path, graph, seconds=2)
    message = failed.value.message
    assert "generated inputs runs, with variable dimensions of 1 to" in message
    assert "the last error: onnxruntime cannot run these inputs" in message
    assert "example.npz or example.json" in message
    assert "smoke_run optional" in message
    assert "/onnxruntime_src" not in message


def test_search_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock finds it 100 s later: before the first trial, and after each."""
    looks = itertools.count(time.monotonic(), 100)
    monkeypatch.setattr(smoke_runs, "time", SimpleNamespace(monotonic=lambda: next(looks)))
    graph = """(float[a, b, c] x) => (float y) {
        m = MatMul (x, x) shape = Constant <value_ints: ints = [1000003]> () y = Reshape (m, shape)
    }"""
    with pytest.raises(NothingRuns, match="none of 4 generated inputs runs"):
        run(tmp_path, graph, seconds=350)


def test_search_without_variable_dimensions(tmp_path: Path) -> None:
    with pytest.raises(NothingRuns, match="none of 2 generated inputs runs, of the declared shapes"):
        run(tmp_path, "(float[2] x) => (float y) { s = Constant <value_ints: ints = [3]> () y = Reshape (x, s) }")


def test_known_shapes_are_the_only_ones_tried(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(parsed(f"(float[n, s] x) => (float y) {{ {PAD.format(64)} }}"))
    runner = Runner(path, 1)
    assert smoke_run(runner, path, {"x": [1, 100]}).shapes == {"x": [1, 100]}
    with pytest.raises(NothingRuns):
        smoke_run(runner, path, {"x": [1, 10]}, search_seconds=30)


def test_rows_of_a_smoke_run(tmp_path: Path) -> None:
    graph = "(float[n, 4] x, int64[n] i) => (float y) { y = Gather <axis = 0> (x, i) }"
    found = run(tmp_path, graph)
    runner = Runner(tmp_path / "model.onnx", 1)
    many = smoke_runs.with_rows(runner, found, 32)
    assert many is not None
    assert [array.shape for array in many.values()] == [(32, 4), (32,)]
    assert runner.run(many)[0].shape == (32, 4)
    again = smoke_runs.repeated(runner, tmp_path / "model.onnx", found.trial)
    assert all(np.array_equal(again.inputs[name], array) for name, array in found.inputs.items())


def test_failing_example_is_rejected(tmp_path: Path) -> None:
    np.savez(tmp_path / "example.npz", x=np.zeros((1, 10), np.float32))
    with pytest.raises(ModelRejected, match=r"example\.npz: onnxruntime cannot run"):
        run(tmp_path, f"(float[n, s] x) => (float y) {{ {PAD.format(64)} }}")


@pytest.mark.parametrize(
    ("datatype", "fill", "values"),
    [
        ("FP32", TYPICAL, []),
        ("FP64", ONE, [1.0]),
        ("BF16", TYPICAL, [0.0]),
        ("BF16", ONE, [1.0]),
        ("INT64", TYPICAL, [0]),
        ("INT8", LENGTH, [5]),
        ("BOOL", ONE, [True]),
        ("BYTES", TYPICAL, ["a"]),
        ("BYTES", ("no", "yes"), ["no", "yes"]),
        ("FP32", (3, 4), [3, 4]),
    ],
)
def test_values_make_the_generated_inputs_again(datatype: str, fill: Any, values: list[Any]) -> None:
    tensor = MetadataTensor("x", datatype, (2, 5))
    trial = Trial({"x": (2, 5)}, {"x": fill})
    told = trial.values([tensor])
    assert told == ({"x": values} if values else {})
    again = np.resize(np.array(values), (2, 5)) if values else np.random.default_rng(0).random((2, 5))
    if datatype != "BF16":
        assert np.array_equal(trial.arrays([tensor])["x"], again.astype(trial.arrays([tensor])["x"].dtype))


def test_too_many_values_are_not_told() -> None:
    trial = Trial({"x": (1, 2000)}, {"x": tuple(f"category {index}" for index in range(2000))})
    assert trial.values([MetadataTensor("x", "BYTES", (1, 2000))]) is None
