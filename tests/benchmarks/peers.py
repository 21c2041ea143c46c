"""The same requests over HTTP to the local stack, KServe and MLServer in turn: ours held against the best peer."""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import servers
from benchmarks.cases import Case
from benchmarks.connection import Connection
from benchmarks.figures import Figure
from benchmarks.peer_servers import onnx_session
from benchmarks.processes import cpu_ms, having, tree
from benchmarks.servers import Endpoint

LARGE_GOAL, SMALL_GOAL, CPU_GOAL = 0.5, 0.8, 0.2
LARGE_BYTES = 100_000
FUNCTION = "ours, the function alone"
OURS = (servers.local_stack, servers.remembering_stack)
PEERS = {"kserve": servers.kserve, "mlserver": servers.mlserver}
WARM_UP, ROUNDS = 5, 15


class Measured(NamedTuple):
    """By server: milliseconds of each call, and milliseconds of CPU time that one call costs all of its processes.

    `run_ms` is the CPU time of `session.run`, which is a part of every server's.
    """

    times: dict[str, list[float]]
    cpu_ms: dict[str, float]
    run_ms: float


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
        start = [*OURS, *(PEERS[peer] for peer in PEERS if peer not in missing)]
        endpoints = [running.enter_context(one(models, folder)) for one in start]
        measured = [(case, _measured(case, endpoints)) for case in cases]
    names = [endpoint.name for endpoint in endpoints]
    _show(console, measured, names)
    _show_cpu(console, measured, [FUNCTION, *names])
    compared = [(case, found) for case, found in measured if len(found.times) > len(OURS)]
    return [figure for case, found in compared for figure in (*_figures(case, found), _cpu_figure(case, found))]


def _measured(case: Case, endpoints: list[Endpoint]) -> Measured:
    """One call to each server in turn, so that the machine's noise is everyone's."""
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
    spent = _cpu_ms(able)
    for _ in range(ROUNDS * case.calls):
        for connection, request, times in turns:
            started = time.perf_counter()
            connection.answer(request)
            times.append((time.perf_counter() - started) * 1000)
    each_ms = {name: (ms - spent[name]) / (ROUNDS * case.calls) for name, ms in _cpu_ms(able).items()}
    times_ms = {endpoint.name: times for endpoint, (*_, times) in zip(able, turns, strict=True)}
    return Measured(times_ms, each_ms, _run_ms(case))


def _run_ms(case: Case) -> float:
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        file.write(case.content)
        file.flush()
        session = onnx_session.load(file.name, servers.THREADS)
    started = time.process_time()
    for _ in range(ROUNDS * case.calls):
        session.run(None, {"x": case.x})
    return (time.process_time() - started) * 1000 / (ROUNDS * case.calls)


def _cpu_ms(endpoints: list[Endpoint]) -> dict[str, float]:
    spent = {}
    for endpoint in endpoints:
        processes = tree(endpoint.pid)
        spent[endpoint.name] = cpu_ms(processes)
        if endpoint.function and FUNCTION not in spent:
            spent[FUNCTION] = cpu_ms(having(processes, endpoint.function))
    return spent


def _figures(case: Case, found: Measured) -> list[Figure]:
    """Each of our stacks against the best peer."""
    medians = {name: statistics.median(times) for name, times in found.times.items()}
    ours, peers = list(medians)[: len(OURS)], list(medians)[len(OURS) :]
    best = min(peers, key=medians.__getitem__)
    goal = LARGE_GOAL if len(case.body) > LARGE_BYTES else SMALL_GOAL
    figures = []
    for name in ours:
        note = f"{medians[name] - found.cpu_ms[FUNCTION]:.2g} ms beside the function's CPU time"
        what = f"HTTP, {case.name}{name.removeprefix('ours')}"
        ratio = medians[name] / medians[best]
        figures.append(Figure(what, medians[name], best, medians[best], ratio, "×", goal=goal, note=note))
    return figures


def _cpu_figure(case: Case, found: Measured) -> Figure:
    ours, peers = next(iter(found.times)), list(found.times)[len(OURS) :]
    best = min(peers, key=found.cpu_ms.__getitem__)
    ours_ms, best_ms = found.cpu_ms[FUNCTION], found.cpu_ms[best]
    beside = (ours_ms - found.run_ms) / (best_ms - found.run_ms)
    note = (
        f"{found.cpu_ms[ours]:.3g} ms with the local stack; {beside:.2f}× without session.run's {found.run_ms:.2g} ms"
    )
    return Figure(f"CPU, {case.name}", ours_ms, best, best_ms, ours_ms / best_ms, "×", goal=CPU_GOAL, note=note)


def _show_cpu(console: Console, measured: list[tuple[Case, Measured]], names: list[str]) -> None:
    table = Table("infer, ms of CPU time a request", *names, box=None, header_style="bold")
    for case, found in measured:
        table.add_row(case.name, *(f"{found.cpu_ms[name]:.3g}" if name in found.cpu_ms else "" for name in names))
    console.print(table)


def _show(console: Console, measured: list[tuple[Case, Measured]], names: list[str]) -> None:
    table = Table("infer, p50 / p99 in ms", *names, box=None, header_style="bold")
    for case, found in measured:
        table.add_row(case.name, *(_percentiles(found.times.get(name)) for name in names))
    console.print(table)


def _percentiles(times: list[float] | None) -> str:
    if times is None:
        return "has no binary extension in REST"
    return f"{statistics.median(times):.3g} / {statistics.quantiles(times, n=100)[98]:.3g}"
