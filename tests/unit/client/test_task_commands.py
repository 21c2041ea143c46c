"""Commands for versions with a task: push's table, predict, embed, rerank."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.server.server import ContractServer

Command = Callable[..., tuple[int, str, str]]


def good(command: Command, *arguments: object) -> str:
    code, out, err = command(*arguments)
    assert (code, err) == (0, "")
    return out


def stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_push_shows_the_task_and_what_it_was_found_in(command: Command, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    (tmp_path / "vocab.txt").write_bytes(b"a")
    code, out, err = command("push", tmp_path, "--name", "sentences", "--task", "embeddings")
    assert code == 0
    assert "without tokenizer.json the model takes token ids" in err
    assert "embeddings" in out
    assert "config.json architectures" in out
    assert "mean_tokens" in out
    assert "maas embed sentences@1 'The cat sat on the mat.'" in out
    assert "/v1/embeddings -d" in out


def test_push_sends_the_task_asked_for(command: Command, server: ContractServer, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    good(command, "push", tmp_path / "model.onnx", "--name", "m", "--task", "rerank")
    good(command, "push", tmp_path / "model.onnx", "--name", "m")
    created = [
        json.loads(body) for method, path, _, body in server.seen if (method, path[-9:]) == ("POST", "/versions")
    ]
    assert [one.get("task") for one in created] == ["rerank", None]


@pytest.mark.parametrize("how", ["arguments", "file", "stdin"])
def test_texts_come_as_arguments_or_lines(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    (tmp_path / "texts.txt").write_bytes("aa\r\n\r\nnaïve\n".encode())
    stdin(monkeypatch, b"aa\n\nna\xc3\xafve")
    given = {"arguments": ["aa", "", "naïve"], "file": ["-i", tmp_path / "texts.txt"], "stdin": ["-i", "-"]}[how]
    answer = json.loads(good(command, "embed", "sentences", *given, "--json"))
    assert answer == {"model": "sentences", "dimensions": 3, "embeddings": [[2, 1, 1], [0, 0, 1], [5, 1, 1]]}


def test_vectors_show_their_nearest_and_are_saved(command: Command, tmp_path: Path) -> None:
    out = good(command, "embed", "sentences", "a b", "c d", "e", "--dimensions", 2, "-o", tmp_path / "v.npy")
    assert np.load(tmp_path / "v.npy").tolist() == [[3, 2], [3, 2], [1, 1]]
    first = next(line for line in out.splitlines() if line.strip().startswith("0"))
    assert first.split()[-3:-1] == ["1", "1.0000"]
    assert "█" in first


def test_ranking_comes_best_first(command: Command, tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("dogs bark\ncats purr\n")
    out = good(command, "rerank", "reranker", "cats", tmp_path / "texts.txt")
    assert out.index("cats purr") < out.index("dogs bark")
    ranked = json.loads(good(command, "rerank", "reranker", "cats", tmp_path / "texts.txt", "--top", 1, "--json"))
    assert ranked == [{"index": 1, "score": 1.0, "text": "cats purr"}]


@pytest.mark.parametrize("model", ["reviews", "pictures"])
def test_classes_have_scores_and_bars(command: Command, tmp_path: Path, model: str) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(b"\x89PNG")
    given = ["--text", "even"] if model == "reviews" else ["--image", path]
    out = good(command, "predict", model, *given)
    assert "positive" in out
    assert "0.7500" in out
    assert "█" in out
    answer = json.loads(good(command, "predict", model, *given, "--json"))
    assert answer["outputs"][0] == {"name": "label", "shape": [1], "datatype": "BYTES", "data": ["positive"]}


def test_all_classes_are_shown_where_the_version_names_them(command: Command, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    good(command, "push", tmp_path / "model.onnx", "--name", "reviews")
    assert "negative" in good(command, "predict", "reviews", "--text", "even")


def test_options_are_json_or_text(command: Command, server: ContractServer) -> None:
    labels = 'candidate_labels=["art", "trees"]'
    out = good(
        command, "predict", "topics", "--text", "a", "--option", labels, "--option", "hypothesis_template=It: {}"
    )
    assert out.index("trees") < out.index("art")
    assert server.requests[-1]["parameters"]["candidate_labels"] == ["art", "trees"]
    assert server.requests[-1]["parameters"]["hypothesis_template"] == "It: {}"


def test_lines_of_standard_input_are_texts(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stdin(monkeypatch, b"even\nodd\n")
    said = json.loads(good(command, "predict", "reviews", "--text", "-", "--json"))
    assert said["outputs"][0]["data"] == ["positive", "negative"]
    (tmp_path / "lines.txt").write_text("even\nodd\n")
    assert json.loads(good(command, "predict", "reviews", "-i", tmp_path / "lines.txt", "--json")) == said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["predict", "reviews"], 2, "give one of --input, --text and --image"),
        (["predict", "reviews", "--text", "a", "--image", "b"], 2, "give one of --input, --text and --image"),
        (["predict", "reviews", "--text", "a", "--option", "top"], 2, "'top': expected NAME=VALUE"),
        (["predict", "pictures", "--image", "absent.png"], 1, "cannot read absent.png: No such file"),
        (["predict", "echo", "--text", "a"], 1, "the model takes x FP32 [-1, 2], no text alone"),
        (["predict", "echo", "--image", "a"], 1, "the model takes x FP32 [-1, 2], no image alone"),
        (["predict", "pictures", "--text", "a"], 1, "--text: the model takes image BYTES [-1], no text"),
        (["predict", "reviews", "--image", "a"], 1, "--image: the model takes text BYTES [-1], no image"),
        (["predict", "reranker", "--text", "a"], 1, "takes query BYTES [-1], text BYTES [-1], no text alone"),
        (["embed", "sentences"], 2, "give one of texts, --input and --image"),
        (["embed", "sentences", "a", "-o", "v.csv"], 2, "expected a name that ends with .npy"),
        (["embed", "sentences", "-i", "absent.txt"], 1, "cannot read absent.txt"),
        (["rerank", "reranker", "q", "/dev/null"], 1, "/dev/null is empty, expected a text a line"),
    ],
)
def test_wrong_input_is_named(command: Command, arguments: list[Any], code: int, said: str) -> None:
    found, _, err = command(*arguments)
    assert (found, said in err) == (code, True), err
