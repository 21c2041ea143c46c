"""`make check` refuses an import up a floor, around in a circle, or of a library that has its home elsewhere."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from support.aws.engine import ROOT

PACKAGES = ("layers/maas", "client", "local")
VIOLATIONS = [
    ("layers/maas/maas/times.py", "import maas.registry", "Floors of the layer"),
    ("layers/maas/maas/somewhere.py", "", "Floors of the layer"),
    ("client/maas_client/errors.py", "import maas.names", "The client knows nothing of the server"),
    ("layers/maas/maas/names.py", "import maas_client.errors", "The server knows nothing of the client"),
    ("client/maas_client/errors.py", "import maas_client.cli", "No circles among folders"),
    ("layers/maas/maas/registry/state/table_rows.py", "import boto3", "Each outside library has its home"),
    ("client/maas_client/errors.py", "import typer", "Each outside library has its home"),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the packages and of the contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def broken(project: Path) -> set[str]:
    """The names of the broken contracts."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(project / package) for package in PACKAGES),
        "COLUMNS": "200",
    }
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    found = set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE))
    assert done.returncode == bool(found), done.stdout + done.stderr
    return found


def test_contracts_hold(project: Path) -> None:
    assert broken(project) == set()


def test_architecture_shows_the_floors() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (floors,) = [one["layers"] for one in settings["contracts"] if one["type"] == "layers"]
    drawing = (ROOT / "docs" / "architecture.md").read_text().partition("## Floors")[2].split("```")[1]
    drawn = [set(re.findall(r"\w+", line.partition("  ")[0])) for line in drawing.strip().splitlines()]
    assert drawn[1:] == [set(floor.split(" | ")) for floor in floors]


def test_console_imports_lower_floors() -> None:
    """Those that docs/architecture.md names; pages share parts."""
    console = ROOT / "functions" / "management" / "console"
    told = (ROOT / "docs" / "architecture.md").read_text().partition("floors too:")[2].partition(". They know")[0]
    floors = {name: floor for floor, names in enumerate(told.split(";")) for name in re.findall(r"`([\w/*.]+)`", names)}
    modules = [*console.glob("*.js"), *(console / "pages").rglob("*.js")]
    assert {_console_name(one, console) for one in modules} == set(floors)
    for module in modules:
        name = _console_name(module, console)
        for target in re.findall(r'from "(\.[^"]+)"', module.read_text()):
            if not target.startswith("./vendor/"):
                lower = _console_name((module.parent / target).resolve(), console)
                assert floors[lower] < floors[name] or lower == name == "pages/*.js", f"{module.name} imports {target}"


def _console_name(module: Path, console: Path) -> str:
    return module.name if module.parent == console else "pages/*.js"


@pytest.mark.parametrize(("file", "line", "contract"), VIOLATIONS)
def test_violation_breaks_contract(project: Path, file: str, line: str, contract: str) -> None:
    with (project / file).open("a") as out:
        out.write(f"\n{line}\n")
    assert contract in broken(project)


@pytest.mark.parametrize(
    ("file", "library", "refused"),
    [
        ("functions/inference/app.py", "onnxruntime", True),
        ("functions/management/schemas/models.py", "boto3", True),
        ("functions/management/etags.py", "fastapi", False),
        ("layers/maas/maas/aws/s3.py", "boto3", False),
    ],
)
def test_functions_leave_libraries_to_the_layer(file: str, library: str, refused: bool) -> None:
    command = [Path(sys.executable).with_name("ruff"), "check", "--select", "TID251", "--stdin-filename", file, "-"]
    done = subprocess.run(command, cwd=ROOT, input=f"import {library}\n", capture_output=True, text=True)
    assert (done.returncode, "TID251" in done.stdout) == (refused, refused), done.stdout + done.stderr
