"""The task of an export and its parameters, or the reason why its parts do not fit together."""

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto, helper

from maas.errors import ModelRejected
from maas.serving.runner import Runner
from maas.tasks.names import TASKS
from maas.tasks.recognition import Recognized, recognized
from support import onnx_models
from support.exports import small
from support.exports.small import Files, changed, config_of, text_export

EMBEDDINGS, RERANK, CLASSES = (text_export(task) for task in ("embeddings", "rerank", "text-classification"))


def found(files: Files, folder: Path, wanted: str | None = None) -> Recognized:
    path = small.written(files, folder)
    return recognized(path, Runner(path, threads=1), wanted)


def reason(files: Files, folder: Path, wanted: str | None = None) -> str:
    with pytest.raises(ModelRejected) as refused:
        found(files, folder, wanted)
    return refused.value.message


@pytest.mark.parametrize("task", small.TEXT_TASKS)
def test_task_of_a_text_export(task: str, tmp_path: Path) -> None:
    came = found(text_export(task).files, tmp_path).task
    assert came and came.name == task
    assert {one.name for one in came.raw_inputs} == {"input_ids", "attention_mask", "token_type_ids"}


@pytest.mark.parametrize("classes", [True, False])
def test_task_of_an_image_export(classes: bool, tmp_path: Path) -> None:
    came = found(small.image_export(classes=classes), tmp_path).task
    assert came and came.name == ("image-classification" if classes else "image-embeddings")
    assert (came.parameters["resize"], came.parameters["mean"]) == ([8, 8], [0.5, 0.5, 0.5])


def test_parameters_with_their_origins(tmp_path: Path) -> None:
    task = found(EMBEDDINGS.files, tmp_path).task
    assert task
    assert {name: task.parameters[name] for name in ("max_length", "pooling", "normalize", "dimensions")} == {
        "max_length": 40,
        "pooling": ["mean_tokens"],
        "normalize": True,
        "dimensions": 32,
    }
    assert task.origins == {
        "task": "modules.json",
        "max_length": "sentence_bert_config.json",
        "pooling": "1_Pooling/config.json",
        "normalize": "modules.json",
    }


@pytest.mark.parametrize(
    ("changes", "length", "origin"),
    [
        ({"sentence_bert_config": None}, 48, "tokenizer_config.json"),
        ({"sentence_bert_config": {"max_seq_length": 512}}, 64, "config.json"),
        ({"sentence_bert_config": None, "tokenizer_config": {"model_max_length": 1e30}}, 64, "config.json"),
        ({"sentence_bert_config": None, "tokenizer_config": None}, 64, "config.json"),
        (
            {"config": config_of(EMBEDDINGS, model_type="roberta", pad_token_id=1), "sentence_bert_config": None},
            48,
            None,
        ),
        (
            {"config": config_of(EMBEDDINGS, model_type="mpnet", pad_token_id=20), "sentence_bert_config": None},
            43,
            None,
        ),
    ],
)
def test_maximum_length(changes: dict[str, Any], length: int, origin: str | None, tmp_path: Path) -> None:
    task = found(changed(EMBEDDINGS, **changes), tmp_path).task
    assert task and task.parameters["max_length"] == length
    assert origin in (None, task.origins["max_length"])


def test_model_in_the_folder_onnx(tmp_path: Path) -> None:
    files = dict(EMBEDDINGS.files)
    files["onnx/model.onnx"] = files.pop("model.onnx")
    task = found(files, tmp_path).task
    assert task and task.name == "embeddings"


def test_task_of_the_push_counts(tmp_path: Path) -> None:
    task = found(
        changed(EMBEDDINGS, modules=None, config=None, pooling=None, sentence_bert_config=None), tmp_path, "embeddings"
    ).task
    assert task and task.origins["task"] == "the push" and task.parameters["normalize"] is False
    assert found(EMBEDDINGS.files, tmp_path / "none", "none").task is None


def test_model_alone_has_no_task(tmp_path: Path) -> None:
    assert found({"model.onnx": onnx_models.linear()}, tmp_path) == Recognized()
    assert found({"model.onnx": EMBEDDINGS.files["model.onnx"]}, tmp_path / "b") == Recognized()


def test_files_without_use_are_a_warning(tmp_path: Path) -> None:
    files = {"model.onnx": onnx_models.linear(), "tokenizer.json": EMBEDDINGS.files["tokenizer.json"]}
    assert "tokenizer.json is not used: the graph takes ['x']" in found(files, tmp_path / "a").warning
    bare = changed(EMBEDDINGS, modules=None, pooling=None, sentence_bert_config=None, config={})
    assert "names no architecture" in found(bare, tmp_path / "b").warning


def test_generators_have_no_task(tmp_path: Path) -> None:
    config = config_of(EMBEDDINGS, architectures=["GPT2LMHeadModel"])
    files = changed(EMBEDDINGS, modules=None, pooling=None, sentence_bert_config=None, config=config)
    assert "GPT2LMHeadModel" in found(files, tmp_path / "a").warning
    inputs = {"input_ids": TensorProto.INT64, "past_key": TensorProto.FLOAT}
    names = [helper.make_tensor_value_info(name, kind, ["n", "s"]) for name, kind in inputs.items()]
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in inputs]
    outputs = [helper.make_tensor_value_info(f"{name}_out", kind, ["n", "s"]) for name, kind in inputs.items()]
    graph = onnx_models.model(helper.make_graph(nodes, "generator", names, outputs)).SerializeToString()
    assert "['input_ids', 'past_key']" in found(files | {"model.onnx": graph}, tmp_path / "b").warning


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({**CLASSES.files, **{k: v for k, v in EMBEDDINGS.files.items() if k.startswith(("1_", "modules"))}}, None),
        (
            changed(EMBEDDINGS, pooling={"word_embedding_dimension": 99, "pooling_mode_mean_tokens": True}),
            "states of 99 numbers",
        ),
        (changed(EMBEDDINGS, pooling={"pooling_mode_mean_tokens": False}), "sets none of pooling_mode_cls_token"),
        (changed(EMBEDDINGS, modules=[{"type": "sentence_transformers.models.Dense"}]), "modules.json has Dense"),
        (changed(EMBEDDINGS, modules={"a": 1}), "modules.json is no JSON array of objects"),
        (changed(EMBEDDINGS, config=b"{"), "config.json is no JSON"),
        (changed(EMBEDDINGS, config=b"[" * 100_000), "config.json is no JSON"),
        (changed(EMBEDDINGS, config=config_of(EMBEDDINGS, vocab_size=100)), "they are of two models"),
        (changed(EMBEDDINGS, config=config_of(EMBEDDINGS, vocab_size=30522)), "they are of two models"),
        (
            changed(EMBEDDINGS, config=config_of(EMBEDDINGS, vocab_size="x")),
            "vocab_size is 'x', expected a whole number",
        ),
        (changed(EMBEDDINGS, tokenizer=b"{}"), "tokenizer.json is no tokenizer"),
        (changed(EMBEDDINGS, config_sentence_transformers={"prompts": [1]}), "prompts are no texts by name"),
        (changed(CLASSES, config=config_of(CLASSES, id2label=None)), "3 classes without names"),
        (changed(CLASSES, config=config_of(CLASSES, id2label={"0": "a"})), "names 1 classes, the graph has 3"),
        (
            changed(CLASSES, config=config_of(CLASSES, id2label={"x": "a"})),
            "id2label has no text for each of the numbers",
        ),
        (changed(text_export("fill-mask"), special_tokens_map=None), "names no mask_token"),
        ({**EMBEDDINGS.files, "model.onnx": small.text_export("rerank").files["model.onnx"]}, "pools hidden states"),
    ],
)
def test_parts_that_do_not_fit(files: Files, said: str | None, tmp_path: Path) -> None:
    if said is None:  # a classifier with a pooling file is a classifier: its architecture tells
        task = found(files, tmp_path).task
        assert task and task.name == "text-classification"
        return
    assert said in reason(files, tmp_path)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"size": {"shortest_edge": 8}}, "images would differ in size"),
        ({"size": {"height": 9, "width": 8}}, "does not take images"),
        ({"size": "8"}, "size is '8', expected height and width"),
        ({"size": {"height": 10**9, "width": 8}}, "expected 1 to 4096 pixels"),
        ({"image_std": [0.5, 0, 0.5]}, "image_std is [0.5, 0, 0.5], expected three numbers"),
        ({"resample": 77}, "resample is 77, expected 0 to 5"),
        ({"rescale_factor": "x"}, "rescale_factor is 'x', expected a number"),
    ],
)
def test_preprocessing_that_does_not_fit(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    files = small.image_export() | {"preprocessor_config.json": json.dumps(small.PREPROCESSOR | fields).encode()}
    assert said in reason(files, tmp_path)


@pytest.mark.parametrize(
    ("task", "files", "said"),
    [
        ("rerank", CLASSES.files, "one logit a pair"),
        ("zero-shot-classification", CLASSES.files, "the classes entailment and contradiction"),
        ("embeddings", {"model.onnx": onnx_models.linear()}, "the graph needs the input 'x'"),
        ("embeddings", {"model.onnx": EMBEDDINGS.files["model.onnx"]}, "needs tokenizer.json"),
        ("image-embeddings", EMBEDDINGS.files, "one input of [images, 3, height, width]"),
    ],
)
def test_task_of_the_push_that_does_not_fit(task: str, files: Files, said: str, tmp_path: Path) -> None:
    assert said in reason(files, tmp_path, task)


def test_every_task_is_tested() -> None:
    assert {*small.TEXT_TASKS, "image-classification", "image-embeddings"} == set(TASKS)
