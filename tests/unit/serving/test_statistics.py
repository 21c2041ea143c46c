"""Triton's counters, as `…/stats` shows them."""

from typing import Any

import pytest

from maas.records import ModelVersion, Status
from maas.serving.statistics import STAGES, Statistics
from maas.serving.traffic import Resolved
from maas.telemetry.stages import Stage

VERSIONS = [
    ModelVersion(model, number, Status.READY, (), "", "", 1) for model, number in (("b", 1), ("a", 2), ("a", 1))
]


def inference(statistics: Statistics, version: ModelVersion, error: Exception | None = None) -> None:
    stage = Stage.start()
    with statistics.measure(Resolved(version), stage):
        stage.reached("queue")
        if error:
            raise error
        for name in STAGES[1:]:
            stage.reached(name)


def told(statistics: Statistics, *asked: Any) -> list[tuple[str, str, int]]:
    documents = statistics.document(*asked)["model_stats"]
    return [(one["name"], one["version"], one["inference_count"]) for one in documents]


def test_counts_of_all_of_a_model_and_of_a_version() -> None:
    statistics = Statistics()
    for version in [*VERSIONS, VERSIONS[0]]:
        inference(statistics, version)
    assert told(statistics) == [("a", "1", 1), ("a", "2", 1), ("b", "1", 2)]
    assert told(statistics, "a") == [("a", "1", 1), ("a", "2", 1)]
    assert told(statistics, "a", 2) == [("a", "2", 1)]
    assert told(statistics, "c") == []


def test_failure_counts_without_stages() -> None:
    statistics = Statistics()
    inference(statistics, VERSIONS[0])
    with pytest.raises(KeyError):
        inference(statistics, VERSIONS[0], KeyError())
    (found,) = statistics.document()["model_stats"]
    counts = {name: duration["count"] for name, duration in found["inference_stats"].items()}
    assert counts == {"success": 1, "fail": 1, **dict.fromkeys(STAGES, 1)}
    assert (found["inference_count"], found["execution_count"], found["batch_stats"]) == (1, 1, [])
    assert found["last_inference"] > 1_600_000_000_000


def test_stages_sum_to_at_most_the_total() -> None:
    statistics = Statistics()
    inference(statistics, VERSIONS[0])
    durations = statistics.document()["model_stats"][0]["inference_stats"]
    assert 0 < sum(durations[name]["ns"] for name in STAGES) <= durations["success"]["ns"]


def test_version_without_inferences_has_zeros() -> None:
    assert told(Statistics(), "a", 1) == [("a", "1", 0)]
    assert told(Statistics()) == []
