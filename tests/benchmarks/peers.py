"""The same requests over HTTP to the local stack, KServe and MLServer in turn: ours held against the best peer."""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import servers
from benchmarks.cases import Case
from benchmarks.connection import Connection
from benchmarks.figures import Figure
from benchmarks.servers import Endpoint

GOAL = 0.5
PEERS = {"kserve": servers.kserve, "mlserver": servers.mlserver}
WARM_UP, ROUNDS = 5, 15


def measure(console: Console, cases: list[Case]) -> list[Figure]:
    """A figure a case: ours to the best peer's. Nothing where no peer is set up."""
    missing = [name for name in PEERS if not servers.is_installed(name)]
    if missing:
        console.print(f"[dim]Left out, as `make peers` has not set them up: {', '.join(missing)}.[/]")
    if len(missing) == len(PEERS):
        return []
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        models = {case.model: folder / f"{case.model}.onnx" for case in cases}
        for case in cases:
            models[case.model].write_bytes(case.content)
        start = [servers.local_stack, *(PEERS[peer] for peer in PEERS if peer not in missing)]
        endpoints = [running.enter_context(one(models, folder)) for one in start]
        measured = [(case, _times(case, endpoints)) for case in cases]
    _show(console, measured, [endpoint.name for endpoint in endpoints])
    return [_figure(case, times) for case, times in measured if len(times) > 1]


def _times(case: Case, endpoints: list[Endpoint]) -> dict[str, list[float]]:
    """Milliseconds of each call, by server: one call to each in turn, so that the machine's noise is everyone's."""
    able = [endpoint for endpoint in endpoints if endpoint.binary or not case.binary]
    turns: list[tuple[Connection, bytes, list[float]]] = []
    for endpoint in able:
        endpoint.connection.close()  # one that was idle for a while the server may have ended
        request = endpoint.connection.post(endpoint.infer.format(case.model), case.body, case.headers)
        turns.append((endpoint.connection, request, []))
    for _ in range(WARM_UP):  # in turn too: none may be idle for long
        for connection, request, _ in turns:
            answer = connection.answer(request)
            case.check(answer.headers, answer.body)
    for _ in range(ROUNDS * case.calls):
        for connection, request, times in turns:
            started = time.perf_counter()
            connection.answer(request)
            times.append((time.perf_counter() - started) * 1000)
    return {endpoint.name: times for endpoint, (*_, times) in zip(able, turns, strict=True)}


def _figure(case: Case, times: dict[str, list[float]]) -> Figure:
    ours, *peers = times
    medians = {name: statistics.median(found) for name, found in times.items()}
    best = min(peers, key=medians.__getitem__)
    ratio = medians[ours] / medians[best]
    return Figure(f"HTTP, {case.name}", medians[ours], best, medians[best], ratio, "×", goal=GOAL)


def _show(console: Console, measured: list[tuple[Case, dict[str, list[float]]]], names: list[str]) -> None:
    table = Table("infer, p50 / p99 in ms", *names, box=None, header_style="bold")
    for case, times in measured:
        table.add_row(case.name, *(_percentiles(times.get(name)) for name in names))
    console.print(table)


def _percentiles(times: list[float] | None) -> str:
    if times is None:
        return "has no binary extension in REST"
    return f"{statistics.median(times):.3g} / {statistics.quantiles(times, n=100)[98]:.3g}"
