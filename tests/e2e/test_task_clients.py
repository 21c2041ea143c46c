"""The clients of OpenAI, Cohere, LangChain and LlamaIndex, unmodified, from their own virtual environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import skip_or_fail
from maas_client import MaasClient
from support.aws.engine import ROOT
from support.exports.small import text_export, written

pytestmark = pytest.mark.full  # their imports alone take seconds

PYTHON = Path(os.environ.get("MAAS_CLIENTS_PYTHON", ROOT / ".venv-clients/bin/python"))
TEXTS = ["The cat sat on the mat.", "Paris is the capital of France.", "dog"]
QUERY = "Where did the cat sit?"
VARIANT = "dynamic-int8"
NEARLY = 1e-6  # texts of one call and of several are padded differently


@pytest.fixture(scope="module")
def ours(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What our own client gets of the same models."""
    if not PYTHON.exists():
        skip_or_fail(f"no {PYTHON}: make peers")
    for name, task in (("c-sentences", "embeddings"), ("c-reranker", "rerank")):
        folder = tmp_path_factory.mktemp(name)
        written(text_export(task).files, folder)
        pushed = maas.push(folder, name, alias="live", quantize=VARIANT, quantize_tolerance=1)
        assert pushed.task.name == task
        assert pushed.quantized["kept"], pushed.quantized
    return {
        "vectors": maas.embed("c-sentences", TEXTS, "live"),
        "quantized": maas.embed("c-sentences", TEXTS, "live", variant=VARIANT),
        "ranked": [[one.index, one.score] for one in maas.rerank("c-reranker", QUERY, TEXTS, "live")],
        "quantized_ranks": [
            [one.index, one.score] for one in maas.rerank("c-reranker", QUERY, TEXTS, "live", variant=VARIANT)
        ],
    }


@pytest.fixture(scope="module")
def answers(ours: dict[str, Any], url: str, api_key: str) -> dict[str, Any]:
    script = ROOT / "tests/support/task_client_calls.py"
    done = subprocess.run([PYTHON, script, url, api_key], capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_embeddings_of_openai(answers: dict[str, Any], ours: dict[str, Any]) -> None:
    said = answers["of_openai"]
    for name in ("base64", "float", "async"):
        np.testing.assert_allclose(said[name], ours["vectors"], atol=NEARLY)
    np.testing.assert_allclose(said["one"], ours["vectors"][:1], atol=NEARLY)
    first = ours["vectors"][:, :8]
    shorter = first / np.linalg.norm(first, axis=1, keepdims=True)
    np.testing.assert_allclose(said["dimensions"], shorter, atol=NEARLY)
    assert said["order"] == [0, 1, 2]
    assert said["by_number"] is True
    assert (said["model"], said["model_of"]) == ("c-sentences@live", "c-sentences@live")
    assert said["listed"] == ["c-reranker", "c-sentences"]
    tokenizer = text_export("embeddings").tokenizer
    tokenizer.no_padding()
    assert said["tokens"] == sum(len(tokenizer.encode(text)) for text in TEXTS)


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("absent", 404, "absent"),
        ("empty", 400, "input"),
        ("long", 400, "expected at most 40"),
        ("no_key", 401, ""),
        ("no_variant", 400, "variant: got 'int4', expected 'dynamic-int8' or no variant"),
        ("no_task", 400, "'c-reranker' has the task rerank, expected a model with the task embeddings"),
    ],
)
def test_refusals_reach_openai(answers: dict[str, Any], name: str, status: int, message: str) -> None:
    came, body = answers["of_openai"][name]
    assert came == status
    assert message in json.dumps(body)


def test_rerank_of_cohere(answers: dict[str, Any], ours: dict[str, Any]) -> None:
    said = answers["of_cohere"]
    for name in ("v2", "v1"):
        np.testing.assert_allclose(said[name], ours["ranked"], atol=NEARLY)
    assert said["top_n"] == [index for index, _ in ours["ranked"][:2]]
    assert said["documents"] == [TEXTS[index] for index, _ in ours["ranked"]]
    assert said["absent"][0] == 404
    assert said["no_task"][0] == 400
    assert "has the task embeddings, expected a model with the task rerank" in json.dumps(said["no_task"][1])


def test_variant(answers: dict[str, Any], ours: dict[str, Any]) -> None:
    """The quantised form by OpenAI's and Cohere's clients, as by ours; its answers differ from the version's."""
    np.testing.assert_allclose(answers["of_openai"]["variant"], ours["quantized"], atol=NEARLY)
    np.testing.assert_allclose(answers["of_cohere"]["variant"], ours["quantized_ranks"], atol=NEARLY)
    assert np.abs(ours["quantized"] - ours["vectors"]).max() > 100 * NEARLY


def test_langchain(answers: dict[str, Any], ours: dict[str, Any]) -> None:
    said = answers["of_langchain"]
    for name in ("documents", "async"):
        np.testing.assert_allclose(said[name], ours["vectors"], atol=NEARLY)
    np.testing.assert_allclose(said["query"], ours["vectors"][0], atol=NEARLY)
    check_ranked(said["ranked"], ours)


def test_llama_index(answers: dict[str, Any], ours: dict[str, Any]) -> None:
    said = answers["of_llama_index"]
    for name in ("texts", "tei"):
        np.testing.assert_allclose(said[name], ours["vectors"], atol=NEARLY)
    np.testing.assert_allclose(said["query"], ours["vectors"][0], atol=NEARLY)
    check_ranked(said["jina"], ours)
    check_ranked(said["cohere"], ours)


def check_ranked(said: list[list[Any]], ours: dict[str, Any]) -> None:
    """The two best texts with their scores."""
    assert [text for text, _ in said] == [TEXTS[index] for index, _ in ours["ranked"][:2]]
    np.testing.assert_allclose([one for _, one in said], [one for _, one in ours["ranked"][:2]], atol=NEARLY)
