"""Deadlines of runs and of loads."""

import threading
import time
import weakref
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest

from maas.errors import DeadlineExceeded, ModelRejected, RunFailed
from maas.records import ModelFile, ModelVersion, Status
from maas.serving import deadlines
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from maas.serving.watchdog import Watchdog
from support import onnx_models

VERSION = ModelVersion("m", 1, Status.READY, (ModelFile("model.onnx", 10, ""),), "", "", 1)


def in_seconds(seconds: float) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def slow(tmp_path: Path) -> Runner:
    (tmp_path / "model.onnx").write_bytes(onnx_models.slow())
    return Runner(tmp_path / "model.onnx", threads=1)


def test_run_ends_at_its_deadline(slow: Runner) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded, match="while the model ran"):
        slow.run({"count": np.array([100_000_000])}, deadline=in_seconds(0.2))
    assert 0.2 <= time.monotonic() - started < 60  # by itself it takes minutes


def test_run_within_its_deadline_completes(slow: Runner) -> None:
    soon = in_seconds(1)
    for _ in range(3):
        assert slow.run({"count": np.array([1])}, deadline=soon)[0] == 64
    time.sleep(1.1)
    assert slow.run({"count": np.array([1])}, deadline=in_seconds(60))[0] == 64


@pytest.mark.full
def test_deadline_ends_only_its_own_run(slow: Runner) -> None:
    came: list[float] = []
    other = threading.Thread(
        target=lambda: came.extend(slow.run({"count": np.array([100_000])}, deadline=in_seconds(60)))
    )
    other.start()
    with pytest.raises(DeadlineExceeded):
        slow.run({"count": np.array([100_000_000])}, deadline=in_seconds(0.05))
    other.join()
    assert came == [64]


@pytest.fixture
def squared(tmp_path: Path) -> Callable[[], Runner]:
    """Loads one large product, which onnxruntime does not end: it looks at a run's deadline between operators."""
    (tmp_path / "model.onnx").write_bytes(onnx_models.squared())
    return lambda: Runner(tmp_path / "model.onnx", threads=1)


def run_threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "run"}


def busy() -> int:
    """Threads in which something runs."""
    return len(run_threads()) - len(deadlines._idle)


def is_left_behind(runner: Runner, *, punctual: bool) -> bool:
    """Whether a run that exceeds its deadline goes on in its thread. Waits for its end."""
    before = busy()
    with pytest.raises(DeadlineExceeded, match="while the model ran"):
        runner.run({"size": np.array(3000)}, deadline=in_seconds(0.05), punctual=punctual)
    left = busy() - before
    assert runner.run({"size": np.array(3)}, deadline=in_seconds(60), punctual=punctual)[0] == 3
    end = in_seconds(60)
    while busy() > before:
        assert time.monotonic() < end
        time.sleep(0.02)
    return left == 1


# On a busy machine the deadline may come before the operator begins, and that ends the run: then try once more.


def test_punctual_run_leaves_an_operator_behind(squared: Callable[[], Runner]) -> None:
    runner = squared()
    assert runner.run({"size": np.array(3)}, deadline=in_seconds(60))[0] == 3
    assert any(is_left_behind(runner, punctual=True) for _ in range(5))


@pytest.mark.full
def test_first_run_and_runs_of_slow_models_are_punctual(squared: Callable[[], Runner]) -> None:
    assert any(is_left_behind(squared(), punctual=False) for _ in range(5))
    runner = squared()
    runner.run({"size": np.array(3000)})
    assert any(is_left_behind(runner, punctual=False) for _ in range(5))


def test_run_of_a_quick_model_stays_in_its_thread(slow: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    slow.run({"count": np.array([1])}, deadline=in_seconds(60))
    monkeypatch.setattr(deadlines, "_idle", [])  # so that another thread would be a new one
    before = run_threads()
    slow.run({"count": np.array([1])}, deadline=in_seconds(60))
    with pytest.raises(DeadlineExceeded):
        slow.run({"count": np.array([100_000_000])}, deadline=in_seconds(0.1))
    assert run_threads() == before


def test_earliest_deadline_fires_first() -> None:
    watchdog, ended, last = Watchdog(), [], threading.Event()

    def end(name: str) -> None:
        ended.append(name)
        if name == "late":
            last.set()

    limits = [
        watchdog.limit(in_seconds(seconds), lambda name=name: end(name))
        for name, seconds in (("late", 1.2), ("never", 600), ("soon", 0.1), ("done", 1.1))
    ]
    for limit in limits:
        limit.__enter__()
    limits[3].__exit__()
    assert last.wait(60)
    assert ended == ["soon", "late"]
    assert [limit.exceeded for limit in limits] == [True, False, True, False]


def test_threads_are_used_again(slow: Runner) -> None:
    slow.run({"count": np.array([1])}, deadline=in_seconds(60), punctual=True)
    before = run_threads()
    for _ in range(10):
        slow.run({"count": np.array([1])}, deadline=in_seconds(60), punctual=True)
        with pytest.raises(RunFailed):
            slow.run({"count": np.array([1, 2])}, deadline=in_seconds(60), punctual=True)
    assert run_threads() == before


def test_arrays_do_not_outlive_their_run(slow: Runner) -> None:
    for count, kind in (([1], None), ([1, 2], RunFailed)):
        array = np.array(count)
        alive = weakref.ref(array)
        with suppress(RunFailed) if kind else nullcontext():
            slow.run({"count": array}, deadline=in_seconds(60), punctual=True)
        del array
        assert alive() is None


def test_load_continues_after_a_deadline(slow: Runner) -> None:
    loads, may_end = [], threading.Event()

    def load(*_: object) -> Runner:
        loads.append(1)
        may_end.wait(60)
        return slow

    cache = RunnerCache(load, 100)
    with pytest.raises(DeadlineExceeded, match="while the model was loaded"):
        cache.get(VERSION, in_seconds(0.05))
    may_end.set()
    assert cache.get(VERSION, in_seconds(60)) is slow
    assert loads == [1]
    cache.drop("other")
    cache.drop("m")
    assert cache.get(VERSION) is slow
    assert loads == [1, 1]


def test_model_dropped_during_its_load_loads_again(slow: Runner) -> None:
    loads, may_end = [], threading.Event()

    def load(*_: object) -> Runner:
        loads.append(1)
        may_end.wait(60)
        return slow

    cache = RunnerCache(load, 100)
    with pytest.raises(DeadlineExceeded):
        cache.get(VERSION, in_seconds(0.01))
    cache.drop("m")
    may_end.set()
    assert cache.get(VERSION, in_seconds(60)) is slow
    assert loads == [1, 1]


def test_load_that_fails_after_a_deadline_is_retried(slow: Runner) -> None:
    loads, late = [], threading.Event()

    def load(*_: object) -> Runner:
        loads.append(1)
        if len(loads) == 1:
            late.wait(60)
            (entry,) = cache._entries.values()
            while not entry.runner._condition._waiters:  # until the next caller waits for it
                time.sleep(0.005)
            raise ModelRejected("the first time fails")
        return slow

    cache = RunnerCache(load, 100)
    with pytest.raises(DeadlineExceeded):
        cache.get(VERSION, in_seconds(0.01))
    late.set()
    with pytest.raises(ModelRejected, match="the first time"):
        cache.get(VERSION, in_seconds(60))
    assert cache.get(VERSION, in_seconds(60)) is slow
