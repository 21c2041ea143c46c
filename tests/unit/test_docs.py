"""What the docs say is what there is."""

import re
from dataclasses import Field, fields
from pathlib import Path

import pytest
from aws import ROOT

from maas.http import STATUS
from maas.settings import Settings

API = (ROOT / "docs" / "api.md").read_text()


@pytest.mark.parametrize("spec", fields(Settings), ids=lambda spec: spec.name)
def test_every_setting_is_documented(spec: Field[object]) -> None:
    assert f"| `{spec.metadata['variable']}` | {spec.metadata['meaning']} |" in API


def test_every_status_of_the_table_is_documented() -> None:
    documented = {int(status) for status in re.findall(r"^\| (\d{3}) \|", API, re.MULTILINE)}
    assert {status for status in STATUS.values() if status != 500} <= documented


@pytest.mark.parametrize("source", ["functions/management/app.py", "functions/inference/oip_app.py"])
def test_every_route_is_documented(source: str) -> None:
    text = (ROOT / source).read_text()
    methods = set(re.findall(r"^\s*@app\.(\w+)\(", text, re.MULTILINE))
    assert methods <= {"get", "post", "put", "delete"}
    for path in re.findall(r'"(/v2[^"{}]*|/models[^"]*)"', text):
        plain = re.sub(r"\{(\w)\w*\}", r"{\1}", path).replace("{n}", "{v}")
        documented = API.replace("[", "").replace("]", "")
        assert plain.removeprefix("/v2/models/{m}") in documented, plain


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target
