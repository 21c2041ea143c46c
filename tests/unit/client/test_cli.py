"""The `maas` command in this process, against a real HTTP server."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client.cli import app, commands
from maas_client.errors import MaasError
from support.server.jobs import Refusal
from support.server.server import ContractServer, inferences
from support.server.state import NOW

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def maas(command: Run) -> Run:
    return command


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"good")
    return path


def as_json(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert (code, err) == (0, "")
    return json.loads(out)


def test_push_prints_signature_and_examples(maas: Run, server: ContractServer, onnx_file: Path) -> None:
    tags = ("--tag", "team=vision", "--tag", "a=b=c")
    code, out, err = maas("push", onnx_file, "--name", "doubler", "--alias", "production", *tags)
    assert (code, err) == (0, "")
    assert "doubler@1 is READY" in out
    assert "any × 2" in out
    assert f"| maas predict doubler@production --input - --url {server.url}" in out
    assert f"| curl -sS --data-binary @- {server.url}/v2/models/doubler/versions/production/infer" in out
    assert server.versions["doubler", 1]["tags"] == {"team": "vision", "a": "b=c"}


def test_printed_examples_run(maas: Run, server: ContractServer, onnx_file: Path) -> None:
    server.signature = {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "it's", "datatype": "FP32", "shape": [-1, 5000]}],
    }
    _, out, _ = maas("push", onnx_file, "-n", "doubler")
    predict, curl = [line for line in out.splitlines() if line.startswith("echo ")]
    predict = predict.replace("| maas ", f"| {sys.executable} -c 'from maas_client.cli import app; app()' ")
    answer = subprocess.run(["sh", "-c", predict + " --json"], capture_output=True, check=True)
    assert json.loads(answer.stdout)["outputs"][0]["data"] == pytest.approx([0.63696164, 0.26978672])
    request = subprocess.run(["sh", "-c", curl.partition(" | curl")[0]], capture_output=True, check=True)
    assert json.loads(request.stdout)["inputs"][0]["shape"] == [1, 2]


def test_push_json_is_the_version(maas: Run, onnx_file: Path) -> None:
    version = as_json(maas("push", onnx_file, "--name", "doubler", "--json"))
    assert (version["version"], version["status"], version["files"][0]["name"]) == (1, "READY", "model.onnx")


def test_models_and_show(maas: Run, onnx_file: Path) -> None:
    assert "No models yet" in maas("models")[1]
    maas("push", onnx_file, "--name", "doubler", "--alias", "production", "--description", "[bold] it is not")
    onnx_file.write_bytes(b"bad")
    maas("push", onnx_file, "--name", "doubler")

    assert "production→1" in maas("models")[1]
    assert [model["name"] for model in as_json(maas("models", "--json"))["models"]] == ["doubler"]
    _, out, _ = maas("show", "doubler")
    assert "READY" in out
    assert "FAILED" in out
    assert "[bold] it is not" in out
    assert [one["version"] for one in as_json(maas("show", "doubler", "--json"))["versions"]] == [2, 1]
    _, out, _ = maas("show", "doubler@2")
    assert "model.onnx is not an ONNX file" in out
    _, out, _ = maas("show", "doubler@1")
    assert "1.5 ms" in out
    assert as_json(maas("show", "doubler@production", "--json"))["version"] == 1


def test_predict(maas: Run, server: ContractServer, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(50, dtype=np.float32).reshape(25, 2) / 10)
    at = ("-i", tmp_path / "x.npy")
    answer = as_json(maas("predict", "echo@production", *at, "--json", "-o", "y0", "--timeout", 5))
    assert answer["model_version"] == "3"
    (output,) = answer["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("y0", "FP32", [25, 2])
    assert output["data"] == [index / 10 for index in range(50)]
    _, out, _ = maas("predict", "echo@1", *at)
    assert "echo@3" in out
    assert "3.8 3.9" in out
    assert "and 5 more records" in out
    assert all("data" not in request["inputs"][0] for request in server.requests)
    server.trouble = inferences(20.0)
    assert maas("predict", "echo", *at, "--timeout", 0.2)[2].startswith(f"maas: no answer in time from {server.url}")


def test_predict_sends_a_whole_request_unchanged(maas: Run, server: ContractServer, tmp_path: Path) -> None:
    request = {"id": "9", "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [[0.1, "NaN"]]}]}
    (tmp_path / "x.json").write_text(json.dumps(request))
    at = ("-i", tmp_path / "x.json")
    answer = as_json(maas("predict", "echo", *at, "--json"))
    assert server.requests == [request]
    assert (answer["id"], answer["outputs"][0]["data"][1]) == ("9", "NaN")
    assert "nan" in maas("predict", "echo", *at)[1]
    assert "name its outputs, variant and options there" in maas("predict", "echo", *at, "-o", "y0")[2]


def test_alias(maas: Run, onnx_file: Path) -> None:
    maas("push", onnx_file, "--name", "doubler")
    assert maas("alias", "set", "doubler", "production", 1) == (0, "doubler@production is version 1\n", "")
    assert as_json(maas("alias", "set", "doubler", "canary", 1, "--json"))["alias"] == "canary"


def test_alias_shared_by_versions(maas: Run, onnx_file: Path) -> None:
    for _ in range(2):
        maas("push", onnx_file, "--name", "doubler", "--alias", "production")
    said = "doubler@production is version 2 for 10 %, version 1 for 90 %"
    assert maas("alias", "set", "doubler", "production", "1=90", "2=10", "--sticky", "caller") == (
        0,
        f"{said}, the same for each caller (before: 2)\n",
        "",
    )
    assert maas("alias", "set", "doubler", "production", "--sticky", "header:x-user")[1].startswith(
        f"{said}, the same for each value of x-user"
    )
    shown = as_json(maas("alias", "get", "doubler", "production", "--json"))
    assert shown["routes"] == [{"version": 2, "weight": 10}, {"version": 1, "weight": 90}]
    assert maas("alias", "get", "doubler", "production", "--at", "2030-01-01")[1].startswith(
        said.replace(" is ", " was ")
    )
    assert maas("alias", "set", "doubler", "production", 1)[1] == (
        "doubler@production is version 1 (before: 2=10 1=90)\n"
    )


def test_routes_in_lists_and_history(maas: Run, server: ContractServer) -> None:
    few, many = [{"version": 2, "weight": 100}], [{"version": 3, "weight": 10}, {"version": 2, "weight": 90}]
    model = {"name": "m", "status": "READY", "created_at": NOW, "updated_at": NOW}
    model |= {"aliases": {"beta": 3, "production": 2}, "splits": {"production": many}}
    split, whole = {"version": 2, "routes": many, "sticky": "caller"}, {"version": 3}
    changes = [("alias.set", {"version": 2}, split), ("alias.set", split, whole)]
    changes.append(
        ("version.deleted", {"aliases": ["beta"], "routes": {"production": many}}, {"routes": {"production": few}})
    )
    entries = [
        {"model": "m", "revision": 1, "at": NOW, "actor": "ann", "kind": kind, "before": before, "after": after}
        for kind, before, after in changes
    ]
    server.trouble = [
        ("GET", (200, {}, json.dumps({"models": [model], "next_page_token": None}).encode())),
        ("GET .*/history", (200, {}, json.dumps({"entries": entries, "next_page_token": None}).encode())),
    ]
    assert "beta→3 production→3=10,2=90" in maas("models")[1]
    said = maas("history", "m")[1]
    for line in (
        "routes 3=10 2=90, sticky caller",
        "version 2 → 3, routes 3=10 2=90 → none, sticky caller → none",
        "aliases beta → none, routes production=3=10 2=90 → production=2=100",
    ):
        assert line in said


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ((), "expected a VERSION, two or more VERSION=WEIGHT, --sticky, --shadow or --capture"),
        ((1, 2), "got 1 without a weight, expected 1=WEIGHT beside others"),
        (("1=50", 2), "got 2 without a weight, expected 2=WEIGHT beside others"),
        (("1=50", "1=50"), "got version 1 twice"),
        (("1=x",), "got 'x', expected a whole number from 1 to 99"),
        (("0=100",), "got '0', expected a whole number of at least 1"),
        (("1=-5", "2=105"), "got '-5', expected a whole number from 1 to 99"),
        (("--shadow", "2"), "got '2', expected VERSION=PERCENT, as in 2=10, or none"),
        (("--shadow", "2="), "got '', expected a number above 0"),
    ],
)
def test_wrong_shares(maas: Run, shares: tuple[object, ...], said: str) -> None:
    code, out, err = maas("alias", "set", "doubler", "production", *shares)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_failure_is_one_line_and_exit_code_1(maas: Run, onnx_file: Path, server: ContractServer) -> None:
    onnx_file.write_bytes(b"bad")
    for command in (
        ("push", onnx_file, "--name", "doubler"),
        ("push", onnx_file.parent / "missing.onnx", "--name", "doubler", "--json"),
        ("show", "nobody"),
        ("show", "doubler@production", "--json"),
        ("alias", "set", "doubler", "production", 1),
        ("predict", "doubler", "--input", "missing.csv"),
        ("models", "--url", "http://127.0.0.1:9"),
        ("models", "--url", "ftp://here"),
    ):
        code, out, err = maas(*command)
        assert (code, out, err.count("\n")) == (1, "", 1), command
        assert err.startswith("maas: ")
    server.trouble = [("GET", 401)]
    assert maas("models")[2].startswith("maas: Service Unavailable (HTTP 401; give a key in MAAS_API_KEY")


def test_wrong_usage_is_exit_code_2(maas: Run, onnx_file: Path) -> None:
    for command in (
        ("push", onnx_file),
        ("push", onnx_file, "--name", "doubler", "--tag", "novalue"),
        ("show", "doubler@"),
        ("alias", "set", "doubler", "production", "newest"),
        ("nothing",),
    ):
        code, out, err = maas(*command)
        assert (code, out) == (2, ""), command
        assert "Traceback" not in err


def test_version(maas: Run) -> None:
    assert maas("--version") == (0, f"maas {version('maas')}\n", "")


def test_unexpected_error_is_one_line(maas: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that of a command that another package plugs in."""

    def broken() -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr(commands, "registered_commands", [*commands.registered_commands])
    commands.command()(broken)
    code, _, err = maas("broken")
    assert code == 1
    assert err == "maas: unexpected ValueError: no such luck (a traceback: MAAS_DEBUG=1)\n"
    monkeypatch.setenv("MAAS_DEBUG", "1")
    with pytest.raises(ValueError, match="luck"):
        app(["broken"])


def test_help_imports_neither_numpy_nor_httpx() -> None:
    code = """import sys; import maas_client.cli as cli
try: cli.app(["--help"])
except SystemExit: print(sorted({"numpy", "httpx", "rich.progress"} & set(sys.modules)))"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
    assert issubclass(MaasError, Exception)


@pytest.mark.full
def test_purge_that_the_schedule_finishes_is_done(
    maas: Run, server: ContractServer, onnx_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call only begins it; the second one finds nothing."""
    assert maas("push", onnx_file, "--name", "doubler")[0] == 0

    def begun(name: str, number: int) -> dict[str, str]:
        if (name, number) not in server.versions:
            raise Refusal(404, f"there is no version {number} of model '{name}'")
        del server.versions[name, number]
        return {"status": "purging"}

    monkeypatch.setattr(server, "purge", begun)
    server.versions["doubler", 1]["deleted_at"] = NOW
    assert maas("purge", "doubler@1", "--yes") == (0, "doubler@1 is purged\n", "")
