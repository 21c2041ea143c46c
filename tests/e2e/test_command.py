"""The `maas` command against the whole system: what a person sees, and what a script reads."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from maas_client import MaasClient
from support import networks, onnx_models

Run = Callable[..., str]


@pytest.fixture(scope="module")
def unchanged(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> str:
    """As `name`, for tests that only read."""
    path = tmp_path_factory.mktemp("unchanged") / "model.onnx"
    for weight in (1.0, 2.0):
        path.write_bytes(onnx_models.linear(weight))
        maas.push(path, "command-unchanged", alias="prod", tags={"weight": f"{weight:g}"})
    return "command-unchanged"


@pytest.fixture
def name(run: Run, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A model with two READY versions; `prod` went from 1 to 2."""
    model = f"command-{request.node.name[5:40].strip('_').replace('_', '-')}"
    for weight in (1.0, 2.0):
        path = tmp_path / "model.onnx"
        path.write_bytes(onnx_models.linear(weight))
        run(f"push {path} -n {model} -a prod --tag weight={weight:g}")
    return model


def read(run: Run, line: str) -> Any:
    return json.loads(run(f"{line} --json"))


def test_lists_show_aliases_beside_versions(run: Run, unchanged: str) -> None:
    assert f"{unchanged}   READY" in " ".join(run(f"models --prefix {unchanged}").split(" "))
    assert "prod→2" in run(f"models --prefix {unchanged}")
    assert run("models --prefix no-such-name") == "No matching models.\n"
    listed = run(f"versions {unchanged}").splitlines()
    assert [("prod" in line, "READY" in line) for line in listed if "just now" in line or " ago" in line] == [
        (True, True),
        (False, True),
    ]
    assert [one["version"] for one in read(run, f"versions {unchanged} --tag weight=1")["versions"]] == [1]
    assert "No matching versions" in run(f"versions {unchanged} --status FAILED")


@pytest.mark.full
def test_quantized_form(run: Run, tmp_path: Path) -> None:
    path, x = tmp_path / "model.onnx", tmp_path / "x.npy"
    path.write_bytes(networks.dense(8))
    np.save(x, np.full((1, 64), 0.5, np.float32))
    pushed = run(f"push {path} -n quantized --quantize dynamic-int8 --quantize-tolerance 0.5")
    assert re.search(r"dynamic-int8: [\d.]+ MB, .* ms to load, .* ms to run, differs by [\d.]+% of the largest", pushed)
    shown = run("show quantized@1")
    assert all(
        told in shown for told in ("dynamic-int8: ", "peak memory", "run, batch 32", "memory to give", "million")
    )
    form = read(run, "show quantized@1")["quantized"]
    assert form["kept"] and form["difference"] < form["tolerance"] == 0.5
    exact = read(run, f"predict quantized -i {x}")["outputs"][0]["data"]
    rounded = read(run, f"predict quantized -i {x} --variant dynamic-int8")["outputs"][0]["data"]
    assert exact != rounded
    assert np.allclose(exact, rounded, atol=0.5 * np.abs(exact).max())
    assert "got 'int4', expected 'dynamic-int8'" in run(f"predict quantized -i {x} --variant int4", fails=1)

    run(f"push {path} -n quantized --quantize dynamic-int8 --quantize-tolerance 0.000001")
    assert re.search(
        r"dynamic-int8 was not kept: its outputs differ by 0\.\d+ of the largest value", run("show quantized@2")
    )
    assert "was not kept: its outputs differ" in run(f"predict quantized@2 -i {x} --variant dynamic-int8", fails=1)
    assert "--quantize: got 'int4': Input should be" in run(f"push {path} -n quantized --quantize int4", fails=1)
    assert "--quantize-tolerance needs --quantize" in run(f"push {path} -n q --quantize-tolerance 0.1", fails=2)


@pytest.mark.full
def test_tags(run: Run, name: str) -> None:
    assert (
        run(f"tag {name} team=vision stage=test --description better")
        == f"{name}  better\ntags: stage=test team=vision\n"
    )
    assert run(f"tag {name}@prod --remove weight") == f"{name}@prod  no tags\n"
    assert read(run, f"tag {name} -r team")["tags"] == {"stage": "test"}
    assert "nothing to change" in run(f"tag {name}", fails=2)


def test_aliases_move_and_roll_back(run: Run, name: str) -> None:
    assert run(f"rollback {name} prod") == f"{name}@prod is version 1 again (before: 2)\n"
    assert run(f"alias set {name} prod 2") == f"{name}@prod is version 2 (before: 1)\n"
    assert run(f"alias get {name} prod") == f"{name}@prod is version 2 (before: 1)\n"
    assert run(f"alias get {name} prod --at 2020-01-01T00:00:00Z") == (
        f"{name}@prod was nothing at 2020-01-01T00:00:00+00:00\n"
    )
    assert read(run, f"alias get {name} prod --at 2999-01-01")["version"] == 2
    assert run(f"alias rm {name} prod") == f"{name}@prod is removed\n"
    assert "there is no alias 'prod'" in run(f"rollback {name} prod", fails=1)


@pytest.mark.full
def test_delete_restore_purge(run: Run, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "prod; move them, or use --force" in run(f"delete {name}@2", fails=1)
    assert run(f"delete {name}@2 --force") == (
        f"{name}@2 is deleted, and with it the alias prod; `maas restore {name}@2` brings it back\n"
    )
    assert "`maas restore` brings it back" in run(f"show {name}@2", fails=1)
    assert "DELETED" in run(f"show {name}@2 --deleted")
    assert "DELETED" in run(f"versions {name} --deleted")
    assert run(f"restore {name}@2") == f"{name}@2 is back\n"
    assert f"`maas delete {name}` first" in run(f"purge {name} --yes", fails=1)
    run(f"delete {name}")
    assert "DELETED" in run(f"models --deleted --prefix {name}")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert "nothing was confirmed" in run(f"purge {name}", fails=1)
    assert read(run, f"models --deleted --prefix {name}")["models"][0]["name"] == name
    assert run(f"purge {name} --yes") == f"{name} is purged\n"
    assert "expected MODEL or MODEL@NUMBER" in run(f"restore {name}@prod", fails=2)


@pytest.mark.full
def test_history_names_the_actor(run: Run, unchanged: str, api_key: str) -> None:
    actor = f"key:{api_key.split('_')[1]}"
    lines = run(f"history {unchanged}").splitlines()
    (moved,) = [line for line in lines if "1 → 2" in line]
    assert ("alias.set" in moved, "prod" in moved, actor in moved) == (True, True, True)
    entries = read(run, f"history {unchanged} --kind version.ready --actor deployment")["entries"]
    assert [entry["version"] for entry in entries] == [2, 1]
    assert len(read(run, f"history {unchanged} --limit 3")["entries"]) == 3


def test_downloaded_files_equal_the_uploaded(run: Run, unchanged: str, tmp_path: Path) -> None:
    for reference, weight in ((f"{unchanged}@1", 1.0), (f"{unchanged}@prod", 2.0), (unchanged, 2.0)):
        folder = tmp_path / reference
        assert run(f"download {reference} --to {folder}") == f"{folder}/model.onnx\n"
        assert (folder / "model.onnx").read_bytes() == onnx_models.linear(weight)


@pytest.mark.full
def test_shell_completes_models_versions_and_aliases(url: str, api_key: str, unchanged: str) -> None:
    def completed(words: str) -> list[str]:
        program = "import sys; from maas_client.cli import commands; sys.argv = ['maas']; commands(prog_name='maas')"
        environment = os.environ | {
            "MAAS_URL": url,
            "MAAS_API_KEY": api_key,
            "_MAAS_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()

    assert completed("maas roll") == ["rollback", "rollout"]
    assert completed(f"maas show {unchanged[:12]}") == [unchanged]
    assert completed(f"maas show {unchanged}@") == [f"{unchanged}@prod", f"{unchanged}@2", f"{unchanged}@1"]


def test_json_equals_the_api(run: Run, http: httpx.Client, name: str, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 3), np.float32))
    job = read(run, f"batch {name} {tmp_path}/x.npy -o {tmp_path}/y.npy --wait")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    run(f"push {tmp_path}/bad.onnx -n {name}", fails=1)
    for line, path in (
        (f"versions {name}", f"models/{name}/versions"),
        (f"show {name}@1", f"models/{name}/versions/1"),
        (f"show {name}@3", f"models/{name}/versions/3"),
        (f"alias get {name} prod", f"models/{name}/aliases/prod"),
        (f"history {name} --limit 100", f"models/{name}/history"),
        (f"jobs {job['id']}", f"jobs/{job['id']}"),
        ("keys list", "keys"),
        ("keys whoami", "caller"),
    ):
        expected = http.get(f"/api/v1/{path}").json()
        expected.pop("next_page_token", None)
        assert known(read(run, line)) == known(expected), line
    assert known(read(run, f"show {name}")["model"]) == known(http.get(f"/api/v1/models/{name}").json())


def known(value: Any) -> Any:
    """The value with null for what is empty: the command prints what is unknown as empty."""
    if isinstance(value, dict):
        return {key: known(one) for key, one in value.items()} or None
    return ([known(one) for one in value] or None) if isinstance(value, list) else value
