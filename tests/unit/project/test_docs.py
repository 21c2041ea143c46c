"""The docs name every setting, status, scope and route, and what they name exists."""

import re
import shlex
import subprocess
import sys
from dataclasses import Field, fields
from pathlib import Path

import pytest

from conftest import LoadFunction
from maas.access.caller import SCOPES
from maas.settings import Settings
from maas.web.events import STATUS
from support.aws.engine import ROOT

API = (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("spec", fields(Settings), ids=lambda spec: spec.name)
def test_every_setting_is_documented(spec: Field[object]) -> None:
    assert f"| `{spec.metadata['variable']}` | {spec.metadata['meaning']} |" in API


def test_every_status_is_documented() -> None:
    documented = {int(status) for status in re.findall(r"^\| (\d{3}) \|", API, re.MULTILINE)}
    assert {status for status in STATUS.values() if status != 500} <= documented


def test_every_scope_is_documented() -> None:
    documented = re.findall(r"^\| `([a-z:]+)` \|", API, re.MULTILINE)
    assert set(SCOPES) <= set(documented)


def test_every_management_route_is_documented(load_function: LoadFunction) -> None:
    document = load_function("ManagementFunction").app.openapi()
    for path, operations in document["paths"].items():
        short = path.removeprefix("/api/v1")
        for name, letter in (("model", "m"), ("number", "v"), ("alias", "a"), ("job", "id"), ("rollout", "id")):
            short = short.replace(f"{{{name}}}", f"{{{letter}}}")
        for method in operations:
            assert f"`{method.upper()} {short}`" in API


def test_every_inference_route_is_documented() -> None:
    documented = API.replace("[", "").replace("]", "")
    sources = "".join(path.read_text() for path in sorted((ROOT / "functions/inference").glob("*.py")))
    for path in re.findall(r'"(/(?:v\d|ping|invocations)[^"{}]*)"', sources):
        assert path in documented, path


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_cli_reference_is_current(tmp_path: Path) -> None:
    """`make docs` writes it; the recipe is taken from the Makefile."""
    recipe = re.search(r"\$\(RUN\)/typer (.* --output) docs/cli\.md", (ROOT / "Makefile").read_text())
    assert recipe
    command = [Path(sys.executable).with_name("typer"), *shlex.split(recipe[1]), tmp_path / "cli.md"]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "cli.md").read_text() == (ROOT / "docs" / "cli.md").read_text(), "run `make docs`"


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_named_files_exist(path: Path) -> None:
    """Paths in backticks: of the project, or of the package as `maas/…`."""
    named = re.findall(r"`((?:tests|functions|layers|client|local|maas|docs)/[\w/.-]+\.\w+)`", path.read_text())
    missing = [one for one in named if not ((ROOT / one).exists() or (ROOT / "layers/maas" / one).exists())]
    assert not missing


def test_tests_of_the_security_page_exist() -> None:
    """`FILE::TEST`, and `::TEST` of the file before it."""
    file, named = Path(), 0
    for told in re.findall(r"`((?:tests/[\w/]+\.py)?(?:::\w+)?)`", (ROOT / "docs" / "security.md").read_text()):
        path, _, test = told.partition("::")
        file = ROOT / path if path else file
        if test:
            named += 1
            assert re.search(rf"^def {test}\(", file.read_text(), re.MULTILINE), told
    assert named > 90
