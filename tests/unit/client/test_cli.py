"""The `maas` command in this process, against a real HTTP server."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client.cli import app, commands
from maas_client.errors import MaasError
from support.server.server import ContractServer, inferences

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
    server.trouble = inferences(1.0)
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
