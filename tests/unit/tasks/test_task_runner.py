"""Many texts in slices and groups, and the limits of a call."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas.batch.formats import Chunk
from maas.batch.predicting import Predictor
from maas.errors import InvalidRequest, TooLarge
from maas.records import Task
from maas.serving.runner import Runner
from maas.serving.strings import array_of
from maas.tasks.image_tasks import ImageClassification
from maas.tasks.limits import SLICE_ROWS, TaskLimits, TextTooLong, slices
from maas.tasks.loading import task_runner
from maas.tasks.recognition import recognized
from maas.tasks.task_runner import TaskRunner
from maas.tasks.text_graph import TextGraph
from support.exports import small
from support.exports.small import text_export


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> TaskRunner:
    path = small.written(text_export("embeddings").files, tmp_path_factory.mktemp("export"))
    found = recognized(path, Runner(path, threads=1), None).runner
    assert found
    return found


def limited(runner: TaskRunner, **limits: int) -> TaskRunner:
    return TaskRunner(runner.name, runner.raw, runner.steps, TaskLimits(**limits))


def texts(*values: str) -> dict[str, Any]:
    return {"text": array_of(list(values))}


def test_many_texts_are_as_each_alone(embeddings: TaskRunner) -> None:
    words = ["the", "cat", "sat", "on", "a", "mat", "in", "Berlin"]
    random = np.random.default_rng(0)
    many = [" ".join(random.choice(words, random.integers(0, 30))) for _ in range(SLICE_ROWS + 50)]
    (together,) = embeddings.run(texts(*many))
    assert together.shape == (len(many), 32)
    for index in (0, 7, SLICE_ROWS - 1, SLICE_ROWS, len(many) - 1):
        np.testing.assert_allclose(embeddings.run(texts(many[index]))[0][0], together[index], atol=1e-5)


def test_long_text_is_named_by_its_place_in_the_request(embeddings: TaskRunner) -> None:
    with pytest.raises(TextTooLong) as refused:
        embeddings.run(texts(*["a"] * (SLICE_ROWS + 3), "cat " * 99))
    assert refused.value.index == SLICE_ROWS + 3
    assert refused.value.message.startswith(f"text {SLICE_ROWS + 3}: got 101 tokens")


def test_slices_by_rows_and_bytes() -> None:
    assert list(slices(["a"] * 1100)) == [(0, 512), (512, 1024), (1024, 1100)]
    assert list(slices(["a" * 200_000, "b" * 200_000, "c"])) == [(0, 1), (1, 3)]
    assert list(slices(["é" * 200_000, "a"])) == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("limits", "values", "what"),
    [
        ({"texts": 2}, ["a"] * 3, "got 3 texts in one request, expected at most 2"),
        ({"text_bytes": 10}, ["é" * 6], "got 12 bytes of text in one request, expected at most 10"),
        ({"tokens": 8}, ["the cat", "the cat", "the"], "got 11 tokens in one request, expected at most 8"),
        ({}, ["a" * (1 << 20) + "b"], "text 0: got 1,048,577 bytes, expected at most 1,048,576"),
    ],
)
def test_limits(embeddings: TaskRunner, limits: dict[str, int], values: list[str], what: str) -> None:
    with pytest.raises(TooLarge) as refused:
        limited(embeddings, **limits).run(texts(*values))
    assert what in refused.value.message


def test_groups_are_short_of_padding(embeddings: TaskRunner) -> None:
    graph = TextGraph(embeddings.raw.inputs, "last_hidden_state", 0)
    lengths = [3, 200, 4, 190, 3, 4, 100, 3]
    groups = [[lengths[place] for place in group] for group in graph._places(lengths)]
    assert groups == [[3, 3, 3, 4, 4], [100], [190, 200]]
    assert sorted(place for group in graph._places(lengths) for place in group) == [*range(8)]


def test_lone_surrogate_is_refused(embeddings: TaskRunner) -> None:
    with pytest.raises(InvalidRequest, match="no valid Unicode"):
        embeddings.run(texts("a", "\ud800"))


def test_record_beyond_a_limit_fails_alone(tmp_path: Path) -> None:
    """In a job: a text of more than 1 MB among others, and an image of too many pixels."""
    path = small.written(text_export("embeddings").files, tmp_path / "texts")
    found = recognized(path, Runner(path, threads=1), None).runner
    assert found
    many = array_of(["a", "b" * (1 << 20) + "b", "c"])
    outputs, failed = Predictor(found, ["embedding"]).predict(Chunk(0, 3, [0, 1, 2], {"text": many}, {}, False))
    assert outputs["embedding"].shape == (2, 32) and list(failed) == [1]
    assert "got 1,048,577 bytes" in failed[1]
    path = small.written(small.image_export(), tmp_path / "images")
    found = recognized(path, Runner(path, threads=1), None).runner
    assert found and isinstance(found.steps, ImageClassification)
    limited = task_runner(found.raw, path.parent, found_task(path), TaskLimits(image_pixels=100))
    files = array_of([small.picture("red", size=(10, 10)), small.picture("red", size=(11, 10))])
    outputs, failed = Predictor(limited, ["label"]).predict(Chunk(0, 2, [0, 1], {"image": files}, {}, False))
    assert outputs["label"].tolist() == ["red"] and list(failed) == [1]
    assert "got 11 × 10 pixels, expected at most 100" in failed[1]


def found_task(path: Path) -> Task:
    task = recognized(path, Runner(path, threads=1), None).task
    assert task
    return task


def test_images_in_s3_are_of_jobs(tmp_path: Path) -> None:
    path = small.written(small.image_export(), tmp_path)
    runner = recognized(path, Runner(path, threads=1), None).runner
    assert runner
    with pytest.raises(InvalidRequest, match="only jobs read from S3"):
        runner.run({"image": array_of(["s3://bucket/batch/data/a.png"])})
