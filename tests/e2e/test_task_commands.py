"""Exports pushed from their folders, and every task called by the command and from Python."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import InvalidRequest, MaasClient
from support import onnx_models
from support.exports.small import ENTITIES, TEXT_TASKS, image_export, picture, text_export, written

pytestmark = pytest.mark.full  # eight models; test_try_it.py keeps one
Run = Callable[..., str]


@pytest.fixture(scope="module")
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model `t-TASK` of each task; the folder of their exports."""
    root = tmp_path_factory.mktemp("exports")
    folders = {task: text_export(task).files for task in TEXT_TASKS}
    folders |= {"image-classification": image_export(), "image-embeddings": image_export(classes=False)}
    (root / "linear.onnx").write_bytes(onnx_models.linear())
    maas.push(root / "linear.onnx", "t-none")
    for task, files in folders.items():
        layout = {f"onnx/{name}" if name == "model.onnx" else name: content for name, content in files.items()}
        written(layout | {"README.md": b"# A model", "model.safetensors": b"s"}, root / task)
        version = maas.push(root / task, f"t-{task}")
        assert version.task
        assert version.task.name == task
    for colour in ("red", "blue"):
        (root / f"{colour}.png").write_bytes(picture(colour))
    return root


def test_push_prints_the_task_and_commands_that_work(models: Path, run: Run) -> None:
    said = run(f"push {models}/embeddings --name t-embeddings")
    assert "modules.json" in said
    assert "mean_tokens" in said
    assert "1_Pooling/config.json" in said
    assert "maas embed t-embeddings@" in said


def test_embed_and_rerank(models: Path, run: Run, maas: MaasClient, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("The cat sat on the mat.\ndog\n")
    answer = json.loads(run(f"embed t-embeddings -i {tmp_path}/texts.txt -o {tmp_path}/v.npy --json"))
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), np.array(answer["embeddings"], np.float32))
    assert np.load(tmp_path / "v.npy").shape == (2, 32)
    ranked = json.loads(run(f"rerank t-rerank cat {tmp_path}/texts.txt --json"))
    assert [one["score"] for one in ranked] == sorted((one["score"] for one in ranked), reverse=True)
    assert run(f"rerank t-rerank cat {tmp_path}/texts.txt --top 1").count(ranked[0]["text"]) == 1
    with pytest.raises(InvalidRequest, match="expected at most 40 for this model"):
        maas.embed("t-embeddings", ["cat " * 99])
    assert maas.embed("t-embeddings", ["cat " * 99], truncate=True).shape == (1, 32)


def test_classes_of_texts(models: Path, run: Run, maas: MaasClient) -> None:
    (classes,) = maas.classify("t-text-classification", ["a great film"])
    assert {one.label for one in classes} == {"negative", "neutral", "positive"}
    assert sum(one.score for one in classes) == pytest.approx(1, abs=1e-5)
    said = run("predict t-text-classification --text great")
    assert said.index(maas.classify("t-text-classification", ["great"], top=1)[0][0].label) < said.index("█")
    (chosen,) = maas.classify("t-zero-shot-classification", ["the cat"], labels=["animals", "cities"])
    assert {one.label for one in chosen} == {"animals", "cities"}
    said = run("predict t-zero-shot-classification --text cat --option candidate_labels=animals,cities --json")
    assert json.loads(said)["outputs"][0]["shape"] == [1, 2]


def test_entities_and_filled_masks(models: Path, run: Run) -> None:
    said = run("predict t-token-classification --text Maria --option aggregation_strategy=none --json")
    spans = json.loads(json.loads(said)["outputs"][0]["data"][0])
    assert all(one["entity"] in ENTITIES for one in spans)
    assert "entity" in run("predict t-token-classification --text Berlin")
    said = run("predict t-fill-mask --text cat[MASK] --option top_k=3")
    assert said.count("cat") >= 3


def test_images(models: Path, run: Run, maas: MaasClient) -> None:
    said = run(f"predict t-image-classification --image {models}/red.png --image {models}/blue.png")
    assert said.index("red.png") < said.index("blue.png")
    found = maas.classify("t-image-classification", [models / "red.png", picture("blue", "JPEG")], top=1)
    assert [classes[0].label for classes in found] == ["red", "blue"]
    vectors = maas.embed("t-image-embeddings", [models / "red.png"])
    np.testing.assert_allclose(vectors, [[8, -8, -8]], atol=1e-4)
    assert "nearest" in run(f"embed t-image-embeddings --image {models}/red.png --image {models}/blue.png")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("predict t-image-classification --image README", "cannot read README"),
        ("predict t-embeddings --text a --option task=other", "parameters.task: got 'other'"),
        ("predict t-zero-shot-classification --text a", "candidate_labels: got 0"),
        ("embed t-rerank a", "got 'embeddings', but the model has the task rerank: expected that"),
        ("embed t-none a", "got 'embeddings', but the model has no task"),
        ("embed t-image-embeddings a", "got 'embeddings', but the model has the task image-embeddings"),
        ("rerank t-embeddings a {texts}", "got 'rerank', but the model has the task embeddings"),
        ("rerank t-none a {texts}", "got 'rerank', but the model has no task"),
        ("predict t-none --text a", "--text: the model has no task and takes x FP32"),
        ("predict t-rerank --text a", "--text: the model has the task rerank and takes query BYTES [-1], text BYTES"),
        ("predict t-image-embeddings --text a", "--text: the model has the task image-embeddings and takes image"),
        (
            "predict t-fill-mask --image a",
            "--image: the model has the task fill-mask and takes text BYTES [-1], no image",
        ),
        ("embed t-embeddings a --variant int8", "variant: got 'int8', expected no variant"),
        ("embed t-embeddings a --prompt query", "prompt_name: got 'query'"),
        ("embed t-embeddings a --dimensions 99", "dimensions: got 99"),
    ],
)
def test_refusals_name_the_option(models: Path, run: Run, line: str, said: str) -> None:
    (models / "texts.txt").write_text("a\n")
    assert said in run(line.format(texts=models / "texts.txt"), fails=1)


def test_classify_of_another_task(models: Path, maas: MaasClient) -> None:
    with pytest.raises(InvalidRequest, match="got 'text-classification', but the model has the task rerank"):
        maas.classify("t-rerank", ["a"])
    with pytest.raises(InvalidRequest, match="got 'image-classification', but the model has the task embeddings"):
        maas.classify("t-embeddings", models / "red.png")
    with pytest.raises(InvalidRequest, match="got 'zero-shot-classification', but the model has the task text-class"):
        maas.classify("t-text-classification", ["a"], labels=["b"])


def test_raw_gives_the_graph(models: Path, maas: MaasClient) -> None:
    inputs: Any = {name: np.ones((1, 4), np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
    found = maas.infer("t-embeddings", inputs, parameters={"task": "raw"})
    assert found["last_hidden_state"].shape == (1, 4, 32)
