"""A real export, all-MiniLM-L6-v2: its task, its vectors against NumPy's float64, and what they say of sentences."""

import base64
from pathlib import Path
from types import ModuleType

import numpy as np
import orjson
import pytest

from conftest import skip_or_fail
from maas.serving.datatypes import Array
from maas.tasks.limits import TaskLimits
from support import wire, zoo
from support.exports import bert, minilm, serving

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

SIMILAR = [
    ("A man is playing a guitar.", "Someone plays an instrument.", "The stock market fell sharply."),
    ("How do I reset my password?", "I forgot my login credentials.", "The recipe needs two eggs."),
    ("The cat sleeps on the sofa.", "A kitten naps on the couch.", "Quantum computers use qubits."),
]
SCRIPTS = [
    "Ωμέγα και άλφα",
    "東京は日本の首都です",
    "привет мир",
    "שלום עולם",
    "🙂🙃 👩‍👩‍👧",
    "\x00\x07 control",
    "",
    " ",
    "é" * 300,
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    try:
        files = minilm.files()
    except zoo.NotDownloaded as error:
        skip_or_fail(f"the packages of the zoo cannot be downloaded: {error}")
    return serving.function({"minilm": files}, tmp_path_factory.mktemp("minilm"), TaskLimits())


def embedded(app: ModuleType, texts: list[str]) -> Array:
    body = orjson.dumps({"model": "minilm", "input": texts, "encoding_format": "base64", "truncate": True})
    answer = app.lambda_handler(wire.event("/v1/embeddings", body), wire.CONTEXT)
    assert answer["statusCode"] == 200, answer["body"]
    rows = [one["embedding"] for one in orjson.loads(answer["body"])["data"]]
    return np.stack([np.frombuffer(base64.b64decode(row), "<f4") for row in rows])


def reference(app: ModuleType, text: str) -> Array:
    runner = app.dataplane.runner(app.dataplane.resolve("minilm", None))
    (encoding,) = runner.steps.texts.encode([text], truncate=True)
    mean = bert.reference(minilm.weights(), minilm.SHAPE, bert.NONE, encoding.ids).mean(axis=0)
    return mean / np.linalg.norm(mean)


def test_task_and_parameters(app: ModuleType) -> None:
    task = app.dataplane.resolve("minilm", None).version.task
    assert task.name == "embeddings"
    found = {name: task.parameters[name] for name in ("max_length", "pooling", "normalize", "dimensions")}
    assert found == {"max_length": 256, "pooling": ["mean_tokens"], "normalize": True, "dimensions": 384}


def test_vectors_equal_the_reference(app: ModuleType) -> None:
    texts = [text for triple in SIMILAR for text in triple] + SCRIPTS
    expected = [reference(app, text) for text in texts]
    np.testing.assert_allclose(embedded(app, texts), expected, atol=1e-5)


def test_similar_sentences_are_near(app: ModuleType) -> None:
    for sentence, near, far in SIMILAR:
        vectors = embedded(app, [sentence, near, far])
        assert vectors[0] @ vectors[1] > 0.4 > 0.2 > vectors[0] @ vectors[2]


def test_known_similarity(app: ModuleType) -> None:
    """Of the model's card: the two sentences of its example."""
    vectors = embedded(app, ["This is an example sentence", "Each sentence is converted"])
    assert vectors[0] @ vectors[1] == pytest.approx(0.4, abs=0.15)
    np.testing.assert_allclose(vectors[0][:3], [0.0676569, 0.0634959, 0.0487131], atol=1e-4)


def test_any_text_is_read(app: ModuleType, tmp_path: Path) -> None:
    """A thousand texts of random characters, alone and together: the same vectors."""
    random = np.random.default_rng(0)
    planes = [
        (0x20, 0x7F),
        (0xA0, 0x250),
        (0x370, 0x600),
        (0x900, 0xD00),
        (0x3040, 0xA000),
        (0x1F300, 0x1FA00),
        (0, 0x20),
    ]

    def text() -> str:
        first, last = planes[random.integers(len(planes))]
        return "".join(map(chr, random.integers(first, last, random.integers(0, 40))))

    texts = [text() for _ in range(1000)] + ["long " * 20_000]
    together = embedded(app, texts)
    assert np.isfinite(together).all()
    for index in (*range(0, 1000, 100), 1000):
        np.testing.assert_allclose(embedded(app, [texts[index]])[0], together[index], atol=1e-5)
