"""Cold start and warm call of each function in Lambda's image, its imports, and the layers' sizes.

What is counted or weighed must not grow beyond footprint.json: modules imported, MB of layers. MAAS_WRITE_FOOTPRINT=1
writes that file anew. Times are printed and never asserted, since the same code varies by a third between two runs.
CPU time is printed as a multiple of that of tests/cloud/reference, a handler of the standard library alone, in the
same image and minute.
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
from maas_local.resources import NAME
from maas_local.template import Template
from support import sam_cli
from support.aws.engine import ROOT, TEMPLATE
from support.cloud import engine, rie
from support.cloud.rie import Deployed, Timing
from support.events import EVENTS

FOOTPRINT = Path(__file__).with_name("footprint.json")
LARGER = 1.25
STARTS, CALLS = 2, 10
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
pytestmark = pytest.mark.timeout(900)  # all containers start in the first test


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


def footprint(functions: dict[str, Measured]) -> dict[str, Any]:
    sizes = {layer.name: sum(one.stat().st_size for one in layer.rglob("*") if one.is_file()) for layer in layers()}
    return {
        "functions": {name: {"modules": len(one.modules)} for name, one in functions.items()},
        "layers": {name: {"mb": round(size / 1e6, 1)} for name, size in sizes.items()},
    }


def layers() -> list[Path]:
    return sorted(rie.BUILD.glob("*Layer"))


def test_footprint_holds(measured: tuple[Timing, dict[str, Measured]], capsys: pytest.CaptureFixture[str]) -> None:
    reference, functions = measured
    found = footprint(functions)
    with capsys.disabled():
        print("\n" + table(found, reference, functions))
    if os.environ.get("MAAS_WRITE_FOOTPRINT") == "1":
        FOOTPRINT.write_text(json.dumps(found, indent=1) + "\n")
    kept = json.loads(FOOTPRINT.read_text())
    assert [part.keys() for part in kept.values()] == [part.keys() for part in found.values()]
    larger = [
        f"{name}: {value} {figure}, {before} in {FOOTPRINT.name}"
        for part, members in found.items()
        for name, figures in members.items()
        for figure, value in figures.items()
        if value > (before := kept[part][name][figure]) * LARGER
    ]
    assert not larger, "\n".join(larger)


def test_inference_imports_no_framework(measured: tuple[Timing, dict[str, Measured]]) -> None:
    imported = set(measured[1]["InferenceFunction"].packages)
    assert {"onnxruntime", "numpy"} <= imported
    assert not imported & {"boto3", "botocore", "fastapi", "pydantic"}


def table(found: dict[str, Any], reference: Timing, functions: dict[str, Measured]) -> str:
    lines = [f"{'ms':22}{'cold':>8}{'in process':>12}{'warm':>8}{'in process':>12}   CPU ÷ reference, modules imported"]
    for name, one in functions.items():
        times = (one.emulated.cold, one.plain.cold, one.emulated.warm, one.plain.warm)
        cold, plain_cold, warm, plain_warm = (f"{1000 * seconds:.1f}" for seconds in times)
        cold_ratio = one.emulated.cold_cpu / reference.cold_cpu
        warm_ratio = one.emulated.warm_cpu / reference.warm_cpu
        lines.append(
            f"{name:22}{cold:>8}{plain_cold:>12}{warm:>8}{plain_warm:>12}   "
            f"{cold_ratio:.2f} cold, {warm_ratio:.3f} warm, {len(one.modules)}: {' '.join(one.packages)}"
        )
    lines.append(f"{'reference':22}{1000 * reference.cold:>8.1f}{'':12}{1000 * reference.warm:>8.1f}")
    lines += [f"{name:22}{size['mb']:>8} MB" for name, size in found["layers"].items()]
    return "\n".join(lines)
