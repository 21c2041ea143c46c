"""`make build` and `make deploy`: the layers are for the architecture and runtime of the functions."""

import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from maas_client.errors import InvalidInput
from maas_local import intrinsics
from maas_local.next_steps import steps
from support.aws.engine import ROOT, TEMPLATE

HERE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
ELSEWHERE = {"x86_64": "arm64", "arm64": "x86_64"}[HERE]
URL = {"OutputKey": "Url", "OutputValue": "https://abc.execute-api.eu-west-1.amazonaws.com"}
SHIPPED = {".py", ".js", ".css", ".html", ".svg", ".txt"}
FIRST_KEY = {"OutputKey": "FirstKey", "OutputValue": "maas keys bootstrap --stack staging"}


def make(*arguments: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    inherited = ("MAKEFLAGS", "MAKELEVEL", "ARCH", "PARAMETERS", "ARGS", "STACK", "LAYER_PIP")
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("given", "architecture"),
    [
        ([], "x86_64"),
        (["ARCH=arm64"], "arm64"),
        (["PARAMETERS=InferenceMemory=3538 Architecture=arm64"], "arm64"),
        (["ARCH=x86_64", "PARAMETERS=Architecture=arm64"], "x86_64"),
    ],
)
def test_layers_are_built_for_the_deployed_functions(given: list[str], architecture: str) -> None:
    printed = make("-n", "deploy", *given).stdout.replace("\\\n", "")
    build, deploy = (
        next(line for line in printed.splitlines() if f"sam {one} " in line) for one in ("build", "deploy")
    )
    wheels = {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]
    runtime = intrinsics.load(TEMPLATE.read_text())["Globals"]["Function"]["Runtime"]
    assert f"--python-version {runtime.removeprefix('python')} " in build
    assert set(re.findall(r"--platform manylinux\w*?_(x86_64|aarch64|arm64)\b", build)) == {wheels}
    assert f"layers.py .aws-sam/build {architecture}" in printed
    parameters = deploy.partition("--parameter-overrides")[2].split()
    assert [one for one in parameters if "Architecture" in one] == [f"Architecture={architecture}"]


def test_unknown_architecture_is_refused() -> None:
    refused = make("-n", "build", "ARCH=riscv")
    assert refused.returncode and "ARCH is riscv: expected x86_64 or arm64" in refused.stderr


@pytest.mark.parametrize("layer", ["maas", "onnxruntime", "parquet", "quantization"])
def test_layer_is_not_built_without_architecture(layer: str, tmp_path: Path) -> None:
    """As a plain `sam build` would, whatever the parameter Architecture says."""
    (target,) = {line.partition(":")[0] for line in (ROOT / "layers" / layer / "Makefile").open() if "Layer:" in line}
    refused = make(target, f"ARTIFACTS_DIR={tmp_path}", folder=ROOT / "layers" / layer)
    assert refused.returncode and "run `make build`" in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.full
def test_layers_have_bytecode_of_the_runtime(tmp_path: Path) -> None:
    """Taken as it is, and with the path that tracebacks show in Lambda; without such a Python, the build says so."""
    module = tmp_path / "MaasLayer" / "python" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text("1 / 0\n")
    done = make("bytecode", f"BUILD={tmp_path}")
    assert done.returncode == 0, done.stderr
    if done.stdout.startswith("No Python 3.13"):
        return
    (compiled,) = (module.parent / "__pycache__").iterdir()
    assert compiled.name == "one.cpython-313.pyc"
    content = compiled.read_bytes()
    assert content[4:8] == b"\x01\x00\x00\x00"  # by hash, not checked: https://peps.python.org/pep-0552/
    assert b"/opt/python/one.py" in content


def test_functions_ship_only_sources() -> None:
    """Their folders are packaged as they are: a checker's or an editor's files would go to Lambda."""
    files = [path.relative_to(ROOT) for path in (ROOT / "functions").rglob("*") if path.is_file()]
    sources = [path for path in files if path.suffix in SHIPPED and not any(part[0] == "." for part in path.parts)]
    bytecode = [path for path in files if path.parent.name == "__pycache__" and path.suffix == ".pyc"]
    assert sources
    assert sorted({*files} - {*sources, *bytecode}) == []


def test_layer_of_another_architecture_fails_the_build(tmp_path: Path) -> None:
    layers = importlib.util.spec_from_file_location("layers", ROOT / "tests" / "sam" / "layers.py")
    assert layers and layers.loader
    module = importlib.util.module_from_spec(layers)
    layers.loader.exec_module(module)
    library = Path(orjson.__file__).parent
    (tmp_path / "MaasLayer").symlink_to(library, target_is_directory=True)
    (found,) = library.glob("*.so")
    assert list(module.foreign(tmp_path / "MaasLayer", HERE)) == []
    assert list(module.foreign(tmp_path / "MaasLayer", ELSEWHERE)) == [
        f"MaasLayer/{found.name} is for {HERE}, expected {ELSEWHERE}"
    ]


def test_next_steps_are_commands() -> None:
    command = [sys.executable, "-m", "maas_local.next_steps"]
    done = subprocess.run(command, input=json.dumps([URL, FIRST_KEY]), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-3:] == [
        "export MAAS_URL=https://abc.execute-api.eu-west-1.amazonaws.com",
        "export MAAS_API_KEY=$(.venv/bin/maas keys bootstrap --stack staging)   # once: the first key",
        ".venv/bin/maas push model.onnx --name digits --alias production",
    ]


def test_next_steps_without_keys() -> None:
    assert "keys bootstrap" not in steps(json.dumps([URL]))


@pytest.mark.parametrize("listed", ["", "[]", json.dumps([FIRST_KEY])])
def test_no_next_steps_without_deployment(listed: str) -> None:
    with pytest.raises(InvalidInput, match="not deployed"):
        steps(listed)
