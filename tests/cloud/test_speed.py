"""Cold start and warm call of each function in Lambda's image, its imports, and the layers' sizes, beside speed.json.

The figures hold on other machines: CPU time is divided by that of tests/cloud/reference, a handler of the standard
library alone, in the same image and the same minute; imports are counted, layers weighed. The seconds that are printed
hold on this machine alone. MAAS_WRITE_SPEED=1 writes speed.json anew.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import skip_or_fail
from maas_local import intrinsics
from maas_local.template import NAME, Template
from support import sam_cli
from support.aws.engine import ROOT, TEMPLATE
from support.cloud import engine, rie
from support.cloud.rie import Deployed, Timing
from support.events import EVENTS

FIGURES = Path(__file__).with_name("speed.json")
WORSE = 1.25
STARTS, CALLS = 3, 30
# A delivery of each is handled before, so that all measured ones find the same state.
MEASURED = {
    "ManagementFunction": "management_list_models",
    "InferenceFunction": "inference_infer",
    "AuthorizerFunction": "authorizer_key",
    "DeploymentFunction": "deployment_commit_mark",
    "PlannerFunction": "planner_drop",
    "WorkerFunction": "worker_shard",
    "MaintenanceFunction": "maintenance_purge",
}
pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Measured:
    emulated: Timing
    plain: Timing
    modules: list[str]
    own: frozenset[str]  # modules of the function's own folder

    @property
    def packages(self) -> list[str]:
        """What it imports of neither itself nor the standard library."""
        names = {name.partition(".")[0] for name in self.modules} - self.own - sys.stdlib_module_names
        return sorted(name for name in names if not name.startswith("_"))

    def figures(self, reference: Timing) -> dict[str, float]:
        return {
            "cold": round(self.emulated.cold_cpu / reference.cold_cpu, 2),
            "warm": round(self.emulated.warm_cpu / reference.warm_cpu, 3),
            "modules": len(self.modules),
        }


@pytest.fixture(scope="module")
def cloud() -> Iterator[sam_cli.Sam]:
    if reason := engine.why_not():
        skip_or_fail(reason)
    engine.build_image()
    with sam_cli.seeded() as seeded:
        yield seeded


@pytest.fixture(scope="module")
def measured(cloud: sam_cli.Sam) -> Iterator[tuple[Timing, dict[str, Measured]]]:
    with ExitStack() as ending:
        empty = ending.enter_context(rie.merged([]))
        reference = best(Deployed(ROOT / "tests" / "cloud" / "reference", "app.lambda_handler", empty, {}, {}))
        yield reference, {name: measure(name, cloud, ending) for name in MEASURED}


def measure(name: str, cloud: sam_cli.Sam, ending: ExitStack) -> Measured:
    known = Template.load(TEMPLATE, {"AwsEndpointUrl": cloud.cloud.url}).functions()[name]
    layers = [one["Ref"] for one in intrinsics.load(TEMPLATE.read_text())["Resources"][name]["Properties"]["Layers"]]
    variables = known.environment | cloud.cloud.credentials | {"MAAS_TABLE": NAME, "MAAS_BUCKET": NAME}
    regions = {"AWS_REGION": intrinsics.REGION, "AWS_DEFAULT_REGION": intrinsics.REGION}
    event = json.loads((EVENTS / f"{MEASURED[name]}.json").read_text())
    opt = ending.enter_context(rie.merged(layers))
    function = Deployed(known.folder, known.handler, opt, variables | regions, event)
    rie.in_process(function, 1)
    plain, modules = rie.in_process(function, CALLS)
    own = frozenset(path.stem for path in known.folder.iterdir())
    return Measured(best(function), plain, modules, own)


def best(function: Deployed) -> Timing:
    """The least of each: whatever else the machine does only adds."""
    runs = [rie.under_emulator(function, CALLS) for _ in range(STARTS)]
    return Timing(*(min(getattr(run, name) for run in runs) for name in ("cold", "warm", "cold_cpu", "warm_cpu")))


def found_figures(reference: Timing, functions: dict[str, Measured]) -> dict[str, Any]:
    sizes = {layer.name: sum(one.stat().st_size for one in layer.rglob("*") if one.is_file()) for layer in layers()}
    return {
        "functions": {name: one.figures(reference) for name, one in functions.items()},
        "layers": {name: {"mb": round(size / 1e6, 1)} for name, size in sizes.items()},
    }


def layers() -> list[Path]:
    return sorted(rie.BUILD.glob("*Layer"))


def test_figures_hold(measured: tuple[Timing, dict[str, Measured]], capsys: pytest.CaptureFixture[str]) -> None:
    found = found_figures(*measured)
    with capsys.disabled():
        print("\n" + table(found, *measured))
    if os.environ.get("MAAS_WRITE_SPEED") == "1":
        FIGURES.write_text(json.dumps(found, indent=1) + "\n")
    kept = json.loads(FIGURES.read_text())
    assert [part.keys() for part in kept.values()] == [part.keys() for part in found.values()]
    worse = [
        f"{name}: {figure} is {value}, {before} in {FIGURES.name}"
        for part, members in found.items()
        for name, figures in members.items()
        for figure, value in figures.items()
        if value > (before := kept[part][name][figure]) * WORSE
    ]
    assert not worse, "\n".join(worse)


def test_inference_imports_no_framework(measured: tuple[Timing, dict[str, Measured]]) -> None:
    imported = set(measured[1]["InferenceFunction"].packages)
    assert {"onnxruntime", "numpy"} <= imported
    assert not imported & {"boto3", "botocore", "fastapi", "pydantic"}


def table(found: dict[str, Any], reference: Timing, functions: dict[str, Measured]) -> str:
    lines = [f"{'ms':22}{'cold':>8}{'in process':>12}{'warm':>8}{'in process':>12}   CPU ÷ reference, modules imported"]
    for name, one in functions.items():
        times = (one.emulated.cold, one.plain.cold, one.emulated.warm, one.plain.warm)
        cold, plain_cold, warm, plain_warm = (f"{1000 * seconds:.1f}" for seconds in times)
        figures = found["functions"][name]
        lines.append(
            f"{name:22}{cold:>8}{plain_cold:>12}{warm:>8}{plain_warm:>12}   "
            f"{figures['cold']} cold, {figures['warm']} warm, {figures['modules']}: {' '.join(one.packages)}"
        )
    lines.append(f"{'reference':22}{1000 * reference.cold:>8.1f}{'':12}{1000 * reference.warm:>8.1f}")
    lines += [f"{name:22}{size['mb']:>8} MB" for name, size in found["layers"].items()]
    return "\n".join(lines)
