"""The wheel `maas`, alone in a fresh environment: what a colleague installs who only calls models."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maas_client import MaasClient
from support import onnx_models
from support.aws.engine import ROOT

SCRIPT = """
import sys, numpy as np
from maas_client import AsyncMaasClient, MaasClient
with MaasClient() as maas:
    print(maas.infer("wheel", {"x": np.array([[1, 2, 3]], np.float32)})["y"].tolist())
print([name for name in ("maas", "maas_local", "onnxruntime", "boto3", "fastapi", "h2") if name in sys.modules])
"""


def uv(*arguments: object, cwd: Path | None = None) -> None:
    command = [sys.executable, "-m", "uv", "--quiet", *map(str, arguments)]
    subprocess.run(command, check=True, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--no-build-isolation", "--out-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


def test_wheel_holds_the_client_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {"maas_client", "maas-0.1.0.dist-info"}
    assert "maas_client/py.typed" in names
    assert "maas_client/cli/__init__.py" in names


def metadata(wheel: Path) -> list[str]:
    return zipfile.ZipFile(wheel).read("maas-0.1.0.dist-info/METADATA").decode().splitlines()


def requirements(wheel: Path) -> list[str]:
    prefix = "Requires-Dist: "
    return [line.removeprefix(prefix) for line in metadata(wheel) if line.startswith(prefix)]


def test_metadata_has_ranges_and_the_license(wheel: Path) -> None:
    required, lines = requirements(wheel), metadata(wheel)
    assert {re.match(r"\w+", line)[0] for line in required} == {"httpcore", "httpx", "numpy", "rich", "typer"}
    assert not [line for line in required if "==" in line or "[" in line]  # h2 comes with httpx[http2] only
    assert "Requires-Python: >=3.11" in lines
    assert "License-Expression: Apache-2.0" in lines
    assert any(line.startswith("Classifier: Typing") for line in lines)


@pytest.fixture(scope="module", params=["highest", "lowest-direct"])
def environment(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it requires, at both ends of its ranges."""
    folder = tmp_path_factory.mktemp(request.param)
    uv("venv", "--python", sys.executable, folder)
    # Named here, they are direct: of those that only the wheel names, uv takes the highest.
    direct = requirements(wheel)
    uv("pip", "install", "--python", folder, "--resolution", request.param, wheel, *direct)
    listed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "freeze", "--python", folder], check=True, capture_output=True, text=True
    ).stdout
    lowest = [re.sub(r"^(\w+).*>=([\d.]+).*", r"\1==\2", line) for line in direct]
    is_lowest = all(re.search(rf"^{re.escape(one)}(\.0)*$", listed, re.MULTILINE) for one in lowest)
    assert is_lowest == (request.param == "lowest-direct"), listed
    return folder


@pytest.fixture
def run(environment: Path, url: str, api_key: str, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A program, above all of the environment, away from the checkout."""
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    variables = {"PATH": path, "MAAS_URL": url, "MAAS_API_KEY": api_key, "HOME": str(tmp_path)}

    def run_program(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(shutil.which(program, path=path)), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60)

    return run_program


@pytest.mark.full
def test_installed_client_calls_models(
    run: Callable[..., subprocess.CompletedProcess[str]], maas: MaasClient, write: Callable[[bytes], Path]
) -> None:
    maas.push(write(onnx_models.linear()), "wheel")
    shown = run("maas", "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "predict" in shown.stdout
    listed = run("maas", "models", "--json")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert '"wheel"' in listed.stdout
    answered = run("python", "-c", SCRIPT)
    assert (answered.stderr, answered.stdout) == ("", "[[6.0, 6.0]]\n[]\n")


@pytest.mark.full
@pytest.mark.parametrize("command", [["local"], ["keys", "bootstrap"]])
def test_commands_of_a_checkout_say_how_to_get_them(
    run: Callable[..., subprocess.CompletedProcess[str]], command: list[str]
) -> None:
    done = run("maas", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "comes with the package maas-local: run `make dev` in a checkout of MaaS" in done.stderr


@pytest.mark.full
def test_command_pushes_predicts_and_refuses(
    run: Callable[..., subprocess.CompletedProcess[str]], write: Callable[[bytes], Path]
) -> None:
    pushed = run("maas", "push", str(write(onnx_models.linear())), "--name", "wheel-command")
    assert (pushed.returncode, pushed.stderr) == (0, "")
    example = next(line for line in pushed.stdout.splitlines() if "| maas predict" in line)
    predicted = run("sh", "-c", example)
    assert (predicted.returncode, predicted.stderr) == (0, "")
    assert predicted.stdout.startswith("wheel-command@")
    for arguments in (["push"], ["predict", "m"], ["models", "--limit", "1_0"], ["nothing"], ["show", "m@"]):
        refused = run("maas", *arguments)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
        assert refused.stderr.startswith("maas: ")
