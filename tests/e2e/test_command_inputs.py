"""Real models through the command: what they take, what they answer, what they cost."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from support import networks, onnx_models

Run = Callable[..., str]
ODD = onnx_models.parsed("""(int64[n] x) => (float y) {
    least = Constant <value_ints: ints = [12345]> () at = Sub (x, least)
    table = Constant <value_floats: floats = [7.0]> () y = Gather (table, at)
}""")  # takes 12345 alone
TEXT = onnx_models.parsed("""(float[n, 2] x) => (string[n] label, float[n, 2] scores) {
    index = ArgMax <axis = 1, keepdims = 0> (x)
    label = ai.onnx.ml.LabelEncoder <keys_int64s: ints = [0, 1], values_strings: strings = ["cat", "dog"]> (index)
    scores = Identity (x)
}""")


@pytest.fixture
def push(run: Run, tmp_path: Path) -> Callable[..., str]:
    """Pushes a model's bytes under a name, with more arguments."""

    def push_model(content: bytes, name: str, more: str = "", *, fails: int = 0) -> str:
        (tmp_path / "model.onnx").write_bytes(content)
        return run(f"push {tmp_path}/model.onnx -n {name} {more}", fails=fails)

    return push_model


@pytest.mark.full
def test_example_of_a_model_that_takes_odd_values(run: Run, push: Callable[..., str], tmp_path: Path) -> None:
    assert "--example FILE" in push(ODD, "odd", fails=1)
    (tmp_path / "odd.json").write_text('{"x": [12345, 12345]}')
    out = push(ODD, "odd", f"--example {tmp_path}/odd.json")
    assert f"maas predict odd@2 --input {tmp_path}/odd.json" in out
    shown = run("show odd@2")
    assert "x 2 (from the example)" in shown
    assert "example.json" in shown
    assert "0   7" in run(f"predict odd@2 -i {tmp_path}/odd.json")


@pytest.mark.full
def test_smoke_run_optional(run: Run, push: Callable[..., str]) -> None:
    out = push(ODD, "unrun", "--smoke-run optional")
    assert "unrun@1 is READY" in out
    assert "warning: never run, so its outputs and measurements are unknown" in out
    assert "Try it" not in out
    assert "warning: never run" in run("show unrun@1")
    assert json.loads(run("show unrun@1 --json"))["profile"] == {}


@pytest.mark.full
def test_text_outputs(run: Run, push: Callable[..., str], tmp_path: Path) -> None:
    push(TEXT, "pets")
    np.save(tmp_path / "x.npy", np.array([[0.9, 0.1], [0.2, 0.8]], np.float32))
    lines = [line.split() for line in run(f"predict pets -i {tmp_path}/x.npy").splitlines() if line.strip()]
    assert lines[1] == ["#", "label", "scores"]
    assert lines[3:] == [["0", "cat", "0.9", "0.1"], ["1", "dog", "0.2", "0.8"]]
    job = json.loads(run(f"predict pets -i {tmp_path}/x.npy --later --json"))["id"]
    later = [line.split() for line in run(f"job answer {job}").splitlines() if line.strip()]
    assert later == lines


@pytest.mark.full
def test_labels_of_a_zipmap_name_its_columns(run: Run, push: Callable[..., str], tmp_path: Path) -> None:
    push(onnx_models.zipmap(["setosa", "virginica"]), "zipped")
    np.save(tmp_path / "x.npy", np.array([[0.9, 0.1], [0.2, 0.8]], np.float32))  # as many records as classes
    lines = [line.split() for line in run(f"predict zipped -i {tmp_path}/x.npy").splitlines() if line.strip()]
    assert lines[1] == ["#", "label", "probabilities"]
    assert lines[3:] == [
        ["0", "0", "setosa", "0.9,", "virginica", "0.1"],
        ["1", "1", "setosa", "0.2,", "virginica", "0.8"],
    ]


@pytest.mark.full
def test_optional_inputs_are_left_out(run: Run, push: Callable[..., str], tmp_path: Path) -> None:
    push(onnx_models.keeping_initializers(), "kept")
    (tmp_path / "x.csv").write_text("a,b,c\n1,2,3\n")
    assert "16" in run(f"predict kept -i {tmp_path}/x.csv")
    (tmp_path / "x.json").write_text('{"x": [1, 2, 3], "bias": [0]}')
    assert json.loads(run(f"predict kept -i {tmp_path}/x.json --json"))["outputs"][0]["data"] == [6]


def test_profile_at_shapes(run: Run, push: Callable[..., str]) -> None:
    push(networks.doubled(["n", 3, "h", "w"]), "images")
    out = run("profile images@1 --shape x=1x3x64x64 --runs 2")
    assert "x 1 × 3 × 64 × 64" in out and "the median of 2" in out and "a million requests" in out
    found = json.loads(run("profile images --shape x=1x3x64x64 --json"))
    assert found["shapes"] == {"x": [1, 3, 64, 64]}
    assert {"model_name", "model_version", "runs", "run_ms", "memory_mb", "cost_per_million_usd"} < found.keys()
    assert "HTTP 400" in run("profile images --shape x=1x4x64x64", fails=1)
    for shape in ("x", "x=1x", "x=1xx2", "x=1x٣", "=1", "x=0"):
        assert "as in image=1x3x640x640" in run(f"profile images --shape {shape}", fails=2)


@pytest.mark.full
def test_large_requests(run: Run, push: Callable[..., str], tmp_path: Path) -> None:
    push(networks.doubled(["n", 3, "h", "w"]), "large-images")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((1, 3, 704, 704), np.float32))
    err = run(f"predict large-images -i {tmp_path}/x.npy", fails=1)
    assert "`--large later` and `--later` take more" in err
    assert "large-images@1" in run(f"predict large-images -i {tmp_path}/x.npy --large later")
