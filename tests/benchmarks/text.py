"""Texts in, vectors out: what a task adds to the graph's run, MiniLM beside others, and a cold start's load."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.figures import Figure
from maas.serving.runner import Runner
from maas.serving.strings import array_of
from maas.tasks.recognition import recognized
from maas.tasks.task_runner import TaskRunner
from support import zoo
from support.aws.engine import ROOT
from support.exports import minilm
from support.exports.small import text_export, written

PEERS = {
    "fastembed": (ROOT / ".venv-fastembed/bin/python", "make peers"),
    "infinity": (Path(os.environ.get("MAAS_TORCH_PYTHON", ROOT / ".venv-torch/bin/python")), "make torch"),
}
SHORT = "The cat sat on the mat."
MIXED = [SHORT + " It was a grey cat, and it slept." * (index % 8) for index in range(32)]  # of 9 to 80 tokens
OVERHEAD_US, CALLS, ROUNDS = 100, 400, 15


def measure(console: Console) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        small = _runner(written(text_export("embeddings").files, Path(name) / "small"))
        figures = [_overhead(small)]
        try:
            path = written(minilm.files(), Path(name) / "minilm")
        except zoo.NotDownloaded:
            console.print("[dim]Left out, as the index does not answer: MiniLM.[/]")
            return figures
        return [*figures, *_minilm(console, path), _load(path)]


def _runner(model: Path) -> TaskRunner:
    found = recognized(model, Runner(model, threads=1), None)
    assert found.runner
    return found.runner


def _overhead(small: TaskRunner) -> Figure:
    """CPU time of the steps around a small graph, the runs interleaved with the graph's alone."""
    seen = {}

    def call(feeds: dict[str, object], names: Sequence[str]) -> list[object]:
        seen.update(feeds=feeds, names=names)
        return small.raw.run(feeds, names)  # type: ignore[arg-type]

    inputs = {"text": array_of([SHORT])}
    small.steps.run(inputs, _no_options(), call)  # type: ignore[arg-type]
    whole, graph = _interleaved(
        lambda: small.run(inputs), lambda: small.raw.run(seen["feeds"], seen["names"]), CALLS, time.process_time
    )
    added_us = (whole - graph) * 1e6
    return Figure(
        "task around a run, one short text, CPU",
        whole * 1000,
        "session.run",
        graph * 1000,
        added_us,
        " µs",
        budget=OVERHEAD_US,
    )


def _no_options() -> object:
    from maas.tasks.options import Options

    return Options({})


def _minilm(console: Console, path: Path) -> list[Figure]:
    model = _runner(path)
    few, many = {"text": array_of([SHORT])}, {"text": array_of(MIXED)}
    one, mixed = (_median(lambda given=given: model.run(given), ROUNDS) for given in (few, many))
    figures = []
    for peer, (python, target) in PEERS.items():
        if not python.exists():
            console.print(f"[dim]Left out, as `{target}` has not set it up: {peer}.[/]")
            continue
        names = ("MiniLM, one short text, CPU", "MiniLM, 32 mixed texts, CPU")
        figures += [
            Figure(name, ours, peer, said, ours / said, "×", goal=1.0)
            for name, ours, said in zip(names, (one, mixed), _of_peer(peer, python, path), strict=True)
        ]
    return figures


def _of_peer(peer: str, python: Path, path: Path) -> list[float]:
    """Milliseconds of CPU of one and of 32 texts, in its own process: the same weights and tokenizer, one thread."""
    script = ROOT / f"tests/benchmarks/peer_servers/{peer}_texts.py"
    folder = path.parent if peer == "fastembed" else zoo.package_folder(minilm.PACKAGE) / minilm.FOLDER
    given = json.dumps({"folder": str(folder), "texts": [[SHORT], MIXED], "rounds": ROUNDS})
    command = [python, script]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=100, env=_one_thread())
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def _load(path: Path) -> Figure:
    """A new process: importing `tokenizers` and reading tokenizer.json, beside loading the graph."""
    script = (
        "import sys, time; from pathlib import Path; from maas.serving.runner import Runner; path = Path(sys.argv[1])\n"
        "start = time.perf_counter(); Runner(path, threads=1); graph = time.perf_counter() - start\n"
        "start = time.perf_counter(); from maas.tasks.texts import loaded; loaded(path.parent / 'tokenizer.json')\n"
        "print(graph * 1000, (time.perf_counter() - start) * 1000)"
    )
    command = [sys.executable, "-c", script, str(path)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() for _ in range(5)]
    graph, tokenizer = (statistics.median(map(float, column)) for column in zip(*runs, strict=True))
    return Figure(
        "tokenizer at a cold start, import included", tokenizer, "loading MiniLM", graph, tokenizer / graph, "×"
    )


def _one_thread() -> dict[str, str]:
    return {**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def _median(call: Callable[[], object], rounds: int) -> float:
    """Milliseconds of CPU, which other processes disturb least: the two run one after the other."""
    call()
    times = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def _interleaved(
    first: Callable[[], object], second: Callable[[], object], calls: int, clock: Callable[[], float]
) -> list[float]:
    """The median time of each, in seconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        for call, taken in zip((first, second), times, strict=True):
            started = clock()
            call()
            taken.append(clock() - started)
    return [statistics.median(taken[calls // 10 :]) for taken in times]
