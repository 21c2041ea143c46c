"""Texts and images in; vectors, rankings and classes out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import ClassScore, InvalidInput, InvalidRequest, Ranked
from maas_client.task_inputs import CALL_BYTES, CALL_ITEMS
from support.server.server import ContractServer


def test_vectors_are_rows_of_float32(maas: Any, server: ContractServer) -> None:
    vectors = maas.embed("sentences", ["a b", "", "naïve 🙂"])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[3, 2, 1], [0, 0, 1], [7, 2, 1]]
    assert maas.embed("sentences", "one text").shape == (1, 3)
    assert "outputs" in server.requests[0]
    assert server.requests[0]["parameters"] == {"task": "embeddings", "binary_data_output": True}


def test_options_of_embed_are_parameters_of_the_request(maas: Any, server: ContractServer) -> None:
    options = {"dimensions": 2, "truncate": True, "prompt_name": "query", "variant": "dynamic-int8"}
    assert maas.embed("sentences", ["a"], **options).shape == (1, 2)
    assert server.requests[0]["parameters"] == {"task": "embeddings", **options, "binary_data_output": True}


def test_request_names_its_task(maas: Any, server: ContractServer) -> None:
    """A server refuses another one before it reads the inputs."""
    maas.classify("reviews", ["a"], variant="dynamic-int8")
    maas.classify("topics", ["a"], labels=["art"])
    maas.classify("pictures", b"image")
    maas.rerank("reranker", "cats", ["dogs"], variant="dynamic-int8")
    asked = [(one["parameters"]["task"], one["parameters"].get("variant")) for one in server.requests]
    assert asked == [
        ("text-classification", "dynamic-int8"),
        ("zero-shot-classification", None),
        ("image-classification", None),
        ("rerank", "dynamic-int8"),
    ]


@pytest.mark.parametrize("size", [1, CALL_BYTES // 100])
def test_long_lists_go_in_several_calls(maas: Any, server: ContractServer, size: int) -> None:
    texts = [f"{index:03}" + "x" * size for index in range(CALL_ITEMS + 44)]
    vectors = maas.embed("sentences", texts)
    assert vectors[:, 0].tolist() == [size + 3] * len(texts)
    assert {path for _, path, *_ in server.seen[1:]} == {"/v2/models/sentences/versions/1/infer"}
    sizes = [len(array) for array in server.arrays]
    assert sizes == ([256, 44] if size == 1 else [99, 99, 99, 3])


@pytest.mark.full
def test_name_of_a_file_as_text_is_told(maas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8\x00")
    monkeypatch.chdir(tmp_path)  # a name is told by its first 80 characters
    with pytest.raises(InvalidRequest, match=r"has the task .*; 'cat.jpg' was sent as a text, an image is a Path or"):
        maas.classify("pictures", ["cat.jpg"])
    with pytest.raises(InvalidRequest, match=r"has the task image-classification \(HTTP 400\)$"):
        maas.classify("pictures", ["no file"])


def test_images_are_sent_as_bytes(maas: Any, server: ContractServer, tmp_path: Path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"\xff\xd8\x00")
    assert maas.classify("pictures", [path, b"\x89PNG!"], top=1) == [(ClassScore("negative", 0.75),)] * 2
    assert server.arrays[0].tolist() == [b"\xff\xd8\x00", b"\x89PNG!"]


def test_classes_come_best_first(maas: Any) -> None:
    good = (ClassScore("positive", 0.75), ClassScore("negative", 0.25))
    bad = (ClassScore("negative", 0.75), ClassScore("positive", 0.25))
    assert maas.classify("reviews", ["even", "odd"]) == [good, bad]
    assert maas.classify("reviews", ["even"], top=1) == [good[:1]]
    ((chosen,),) = maas.classify("topics", ["a text"], labels=["art", "tree"], top=1)
    assert (chosen.label, chosen.score) == ("tree", pytest.approx(4 / 7))


def test_ranking_is_stable_and_best_first(maas: Any) -> None:
    texts = ["dogs", "cats and more", "cats", "birds"]
    ranked = maas.rerank("reranker", "cats", texts)
    assert [found.index for found in ranked] == [1, 2, 0, 3]
    assert maas.rerank("reranker", "cats", texts, top_n=1) == [Ranked(1, 1.0, "cats and more")]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda maas: maas.embed("sentences", ["a", b"b"]), "texts and images in one list"),
        (lambda maas: maas.embed("sentences", ["a", 3]), "'items' 1 is a int, expected text"),
        (lambda maas: maas.embed("sentences", ["a \ud800"]), "surrogate"),
        (lambda maas: maas.embed("sentences", [Path("absent.png")]), "cannot read absent.png"),
        (lambda maas: maas.rerank("reranker", "cats", "dogs"), "'texts' is a str, expected a list of texts"),
        (lambda maas: maas.rerank("reranker", None, ["dogs"]), "'query' is a NoneType"),
        (lambda maas: maas.rerank("reranker", "cats", ["dogs"], top_n=0), "'top_n' is 0"),
        (lambda maas: maas.classify("reviews", ["a"], top=True), "'top' is True"),
        (lambda maas: maas.classify("topics", ["a"], labels="art"), "'labels' is a str"),
    ],
)
def test_wrong_arguments_are_named(maas: Any, call: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        call(maas)


def test_models_without_the_task_refuse(maas: Any, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    maas.push(tmp_path / "model.onnx", "digits")
    with pytest.raises(InvalidRequest, match="not what the model takes"):
        maas.embed("digits", ["a"])
