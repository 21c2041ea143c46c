"""The commands that `maas push` prints run as they are, for every kind of model."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from support import networks, onnx_models
from support.exports.small import TEXT_TASKS, image_export, picture, text_export, written

FLOAT, INT64, BOOL, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING
Inputs = dict[str, tuple[int, list[int | str]]]


def identities(inputs: Inputs) -> bytes:
    """Each input as an output of its own."""
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], [f"y {name}"]) for name in inputs],
        "identities",
        [helper.make_tensor_value_info(name, *of) for name, of in inputs.items()],
        [helper.make_tensor_value_info(f"y {name}", *of) for name, of in inputs.items()],
    )
    return onnx_models.model(graph).SerializeToString()


def speech() -> bytes:
    """A tensor of 10 / speed zeros: a speed of 0 fails."""
    graph = helper.make_graph(
        [
            helper.make_node("Div", ["ten", "speed"], ["wide"]),
            helper.make_node("Cast", ["wide"], ["size"], to=INT64),
            helper.make_node("ConstantOfShape", ["size"], ["samples"]),
        ],
        "speech",
        [helper.make_tensor_value_info("speed", FLOAT, [1])],
        [helper.make_tensor_value_info("samples", FLOAT, ["n"])],
        [numpy_helper.from_array(np.array([10], np.float32), "ten")],
    )
    return onnx_models.model(graph).SerializeToString()


def categories() -> bytes:
    """Refuses text that is none of its categories."""
    node = helper.make_node(
        "OneHotEncoder", ["answer"], ["y"], domain="ai.onnx.ml", cats_strings=["no", "yes"], zeros=0
    )
    graph = helper.make_graph(
        [node],
        "categories",
        [helper.make_tensor_value_info("answer", STRING, ["n", 1])],
        [helper.make_tensor_value_info("y", FLOAT, ["n", 1, 2])],
    )
    return onnx_models.model(graph).SerializeToString()


def window() -> bytes:
    """A convolution over at least 12 × 12 pixels, as in a detector without a fixed size."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "window",
        [helper.make_tensor_value_info("x", FLOAT, ["n", 1, "h", "w"])],
        [helper.make_tensor_value_info("y", FLOAT, ["n", 1, "h2", "w2"])],
        [numpy_helper.from_array(np.ones((1, 1, 12, 12), np.float32), "w")],
    )
    return onnx_models.model(graph).SerializeToString()


MODELS: dict[str, Callable[[], bytes]] = {
    "linear": onnx_models.linear,
    "speech": speech,
    "window": window,
    "categories": categories,
    "text": lambda: identities({"it's a name": (STRING, ["n"])}),
    "mixed": lambda: identities({"ids": (INT64, ["n", 3]), "mask": (BOOL, ["n"]), "rate": (INT64, [])}),
    "many": lambda: identities({"gpu_0/x:0": (FLOAT, ["n", 40]), "tokens": (INT64, [1, 40]), "words": (STRING, [30])}),
    "image": lambda: networks.doubled(["n", 3, 224, 224]),
}


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("kind", MODELS)
def test_printed_commands_run(run: Callable[..., str], url: str, api_key: str, tmp_path: Path, kind: str) -> None:
    (tmp_path / "model.onnx").write_bytes(MODELS[kind]())
    out = run(f"push {tmp_path}/model.onnx --name try-{kind} --alias production --api-key {api_key} --url {url}")
    commands = [line for line in out.splitlines() if "| maas predict" in line or "| curl" in line]
    assert len(commands) == (1 if kind == "image" else 2)
    answers = [answer_of(line, api_key, tmp_path) for line in commands]
    assert f"try-{kind}@1" in answers[0]
    assert all(json.loads(answer)["model_version"] == "1" for answer in answers[1:])


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("task", [*TEXT_TASKS, "image-classification", "image-embeddings"])
def test_printed_commands_of_tasks_run(
    run: Callable[..., str], url: str, api_key: str, tmp_path: Path, task: str
) -> None:
    is_image = task.startswith("image")
    files = image_export(classes=task == "image-classification") if is_image else text_export(task).files
    written(files, tmp_path / "export")
    for name in ("cat.jpg", "dog.jpg"):
        (tmp_path / name).write_bytes(picture("red", "JPEG"))
    out = run(f"push {tmp_path}/export --name try-{task} --api-key {api_key} --url {url}")
    commands = out.partition("Try it:")[2].split("\n\n")[1:]
    assert len(commands) == (2 if task in ("embeddings", "rerank") else 1)
    answers = [answer_of(line, api_key, tmp_path) for line in commands]
    for answer in answers[1:]:
        assert json.loads(answer)["model"] == f"try-{task}@1"


def answer_of(line: str, api_key: str, folder: Path) -> str:
    """What a printed command prints. It may not fail or complain."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "MAAS_API_KEY": api_key}
    done = subprocess.run(["sh", "-c", line], env=environment, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), line[:2000]
    return done.stdout
