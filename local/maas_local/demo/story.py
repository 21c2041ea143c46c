"""The steps of the demo."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maas_client import ClassScore, MaasClient
from maas_client.cli.looks import size
from maas_client.cli.progress import Display
from maas_client.errors import MaasError
from maas_client.records.models import ModelVersion
from maas_local.demo import pictures
from maas_local.demo.classifiers import Digits, Trained, train
from maas_local.demo.drawing import gallery
from maas_local.stack import LocalStack

MODEL, ALIAS = "digits", "production"
ALIAS_SECONDS = 30.0
SHOWN = 7

Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Round:
    """Predictions and latencies in milliseconds of all held-out images, one request each."""

    version: str
    predictions: np.ndarray
    latency_ms: np.ndarray


def tell(console: Console, step: Step, folder: Path) -> bool:
    """Run the demo; keep its models and images in `folder`. Returns whether all answers are right."""
    folder.mkdir(parents=True, exist_ok=True)
    with step("Trained two classifiers of handwritten digits, exported them to ONNX"):
        digits, weak, strong = train(folder)
        np.save(folder / "images.npy", digits.images[:SHOWN])
    with ExitStack() as ending:
        with step("Started the functions of template.yaml and a local substitute for AWS"):
            stack = ending.enter_context(LocalStack.start())
            maas = ending.enter_context(MaasClient(stack.url, stack.api_key))
        first, second = _push(console, maas, weak), _push(console, maas, strong)
        _point(console, maas, first)
        before = _ask(step, maas, digits)
        _point(console, maas, second)
        _await_release(console, maas, digits, second)
        after = _ask(step, maas, digits)
        seen = _send_pictures(console, step, maas, digits, pictures.export(strong, folder / "digit-pictures"))
    console.print(_scores(digits, [(weak, before), (strong, after)]))
    console.print(_pictures(digits, before, after, color=console.color_system is not None))
    pictures.show(console, seen)
    if not pictures.are_right(seen, strong):
        console.print("[bold red]✗[/] An answer to a picture differs from scikit-learn's.")
        return False
    _go_on(console, folder)
    return _verdict(console, digits, [(weak, before), (strong, after)])


def _push(console: Console, maas: MaasClient, trained: Trained) -> ModelVersion:
    start = time.perf_counter()
    with Display(transient=True) as display:
        version = maas.push(trained.path, MODEL, description=trained.title, progress=display.show)
    seconds = time.perf_counter() - start
    about = f"{trained.title}, {size(version.size_bytes)}: [green]{version.status}[/]  [dim]{seconds:.1f} s[/]"
    console.print(f"[green]✓[/] Pushed [bold]{MODEL}@{version.version}[/], {about}")
    return version


def _point(console: Console, maas: MaasClient, version: ModelVersion) -> None:
    maas.aliases.set(MODEL, ALIAS, version.version)
    console.print(f"[green]✓[/] Alias [cyan]{ALIAS}[/] → version [bold]{version.version}[/]")


def _ask(step: Step, maas: MaasClient, digits: Digits) -> Round:
    predictions, latency_ms, versions = [], [], set()
    with step(f"Asked {MODEL}@{ALIAS} about {len(digits.images)} unseen images, one request each"):
        for image in digits.images:
            start = time.perf_counter()
            response = maas.infer_response(MODEL, {"image": image[np.newaxis]}, version=ALIAS, outputs=["label"])
            latency_ms.append((time.perf_counter() - start) * 1000)
            predictions.append(int(response.outputs["label"][0]))
            versions.add(response.model_version)
    if len(versions) != 1:
        raise MaasError(f"versions {sorted(versions)} answered although the alias did not change")
    return Round(versions.pop(), np.array(predictions), np.array(latency_ms))


def _await_release(console: Console, maas: MaasClient, digits: Digits, version: ModelVersion) -> None:
    """Ask until the new version answers: warm functions cache an alias for some seconds."""
    start, old_answers = time.perf_counter(), 0
    with console.status("[dim]Asking until the new version answers …"):
        while True:
            response = maas.infer_response(MODEL, {"image": digits.images[:1]}, version=ALIAS, outputs=["label"])
            seconds = time.perf_counter() - start
            if response.model_version == str(version.version):
                break
            if seconds > ALIAS_SECONDS:
                raise MaasError(f"version {response.model_version} still answers {seconds:.0f} s after the alias moved")
            old_answers += 1
            time.sleep(0.05)
    console.print(
        f"[green]✓[/] Version [bold]{version.version}[/] answers  [dim]{seconds:.1f} s[/]\n"
        f"  [dim]Warm functions cache an alias for some seconds: the old version gave {old_answers} more "
        "answers; no request failed.[/]"
    )


def _send_pictures(
    console: Console, step: Step, maas: MaasClient, digits: Digits, export: Path
) -> list[tuple[ClassScore, ...]]:
    start = time.perf_counter()
    pushed = pictures.push(maas, export)
    console.print(f"[green]✓[/] Pushed [bold]{pushed}[/]  [dim]{time.perf_counter() - start:.1f} s[/]")
    for index, image in enumerate(digits.images[: pictures.SHOWN]):
        (export / f"picture-{index}.png").write_bytes(pictures.picture(image))
    with step(f"Asked {pictures.MODEL} about {pictures.ASKED} PNG files"):
        return pictures.ask(maas, digits)


def _scores(digits: Digits, rounds: list[tuple[Trained, Round]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="dim", pad_edge=False)
    for column in ("", "over HTTP", "scikit-learn", "same answers", "p50", "p95", "slowest"):
        table.add_column(column, justify="left" if not column else "right")
    for trained, asked in rounds:
        p50, p95 = np.percentile(asked.latency_ms, [50, 95])
        table.add_row(
            f"[bold]{MODEL}@{asked.version}[/]",
            f"[bold]{np.mean(asked.predictions == digits.labels):.1%}[/]",
            f"{np.mean(trained.predictions == digits.labels):.1%}",
            f"{np.sum(asked.predictions == trained.predictions)} of {len(digits.labels)}",
            f"{p50:.1f} ms",
            f"{p95:.1f} ms",
            f"{asked.latency_ms.max():.0f} ms",
        )
    return table


def _pictures(digits: Digits, before: Round, after: Round, *, color: bool) -> Table:
    """Images that only the second version gets right, of different digits; last, two that it gets wrong."""
    was_right, is_right = before.predictions == digits.labels, after.predictions == digits.labels
    mended, still_wrong = np.flatnonzero(~was_right & is_right), np.flatnonzero(~is_right)[:2]
    rarest_first = mended[np.argsort(np.bincount(before.predictions)[before.predictions[mended]], kind="stable")]
    of_each_digit = np.unique(digits.labels[rarest_first], return_index=True)[1]
    chosen = [*rarest_first[of_each_digit][: SHOWN - len(still_wrong)], *still_wrong]

    def marked(asked: Round, right: np.ndarray) -> list[Text]:
        return [
            Text(f"{asked.predictions[index]} {'✓' if right[index] else '✗'}", "green" if right[index] else "red")
            for index in chosen
        ]

    rows = [
        ("it is", [Text(str(digits.labels[index]), "bold") for index in chosen]),
        (f"@{before.version}", marked(before, was_right)),
        (f"@{after.version}", marked(after, is_right)),
    ]
    return gallery([digits.images[index] for index in chosen], rows, color=color)


def _go_on(console: Console, folder: Path) -> None:
    told = "Run `maas local` in one terminal; it prints an API key. In another terminal, set that key and run the rest:"
    console.print(f"\n[bold]Try it yourself.[/] {told}\n")
    here = Path(sys.executable).parent / "maas"
    maas = "maas" if shutil.which("maas") else os.path.relpath(here)
    for command in (
        "local",
        f"push {folder}/strong.onnx --name {MODEL} --alias {ALIAS}",
        f"predict {MODEL}@{ALIAS} --input {folder}/images.npy",
        f"push {folder}/{pictures.MODEL} --name {pictures.MODEL}",
        f"predict {pictures.MODEL} --image {folder}/{pictures.MODEL}/picture-0.png",
        "models",
        f"show {MODEL}",
    ):
        console.print(f"    {maas} {command}", style="cyan", soft_wrap=True)
    console.print()


def _verdict(console: Console, digits: Digits, rounds: list[tuple[Trained, Round]]) -> bool:
    """Whether every answer equals scikit-learn's, ties aside, and version 2 is better."""
    wrong = [np.sum((asked.predictions != trained.predictions) & ~trained.is_tie) for trained, asked in rounds]
    scores = [np.mean(asked.predictions == digits.labels) for _, asked in rounds]
    if any(wrong):
        console.print(f"[bold red]✗[/] {sum(wrong)} answers over HTTP differ from scikit-learn's.")
        return False
    if scores[1] <= scores[0]:
        console.print("[bold red]✗[/] Version 2 is not better than version 1.")
        return False
    return True
