"""The child process that inspects a model: what it measures, what it cannot reach, how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maas.deployment import preparation
from maas.deployment.child import Limits
from maas.errors import ModelRejected
from maas.records import MetadataTensor
from support import onnx_models


def inspect(folder: Path, content: bytes, timeout_seconds: float = 60) -> preparation.Inspection:
    """As the deployment function does it."""
    path, prepared = folder / "model.onnx", folder / "prepared"
    path.write_bytes(content)
    prepared.mkdir(exist_ok=True)
    limits = Limits(1 << 30, timeout_seconds)
    return preparation.inspect(preparation.Job(str(path), 1, 1 << 30, str(prepared)), limits)


def _package_whose_inspection(tmp_path: Path, code: str) -> Path:
    """A folder to put first on the path, where `python -m maas.deployment.inspection` runs this code."""
    package = tmp_path / "shadow" / "maas"
    folder = package / "deployment"
    folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "inspection.py").write_text(code)
    return package.parent


def test_inspection_signature_and_profile(tmp_path: Path) -> None:
    found = inspect(tmp_path, onnx_models.linear())
    assert found.inputs == (MetadataTensor("x", "FP32", (-1, 3)),)
    assert found.outputs == (MetadataTensor("y", "FP32", (-1, 2)),)
    assert found.profile["load_ms"] > 0
    assert 1e7 < found.profile["peak_memory_bytes"] < 1e9


def test_smoke_run_with_two_rows(tmp_path: Path) -> None:
    assert inspect(tmp_path, onnx_models.needs_two_rows()).profile["run_ms"] > 0


def test_model_that_never_runs_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(
        ModelRejected,
        match=r"the smoke run failed: none of [\d,]+ generated inputs runs, with variable dimensions of 1 to",
    ):
        inspect(tmp_path, onnx_models.never_runs())


def test_inspection_timeout(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match="took over 0 s"):
        inspect(tmp_path, onnx_models.linear(), timeout_seconds=0.01)


@pytest.mark.parametrize(
    ("ending", "reason"), [("os.kill(os.getpid(), 11)", "crashed onnxruntime"), ("1 / 0", "ZeroDivisionError")]
)
def test_dead_child_rejects_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, reason: str
) -> None:
    monkeypatch.syspath_prepend(_package_whose_inspection(tmp_path, f"import os\n{ending}"))
    with pytest.raises(ModelRejected, match=reason):
        inspect(tmp_path, onnx_models.linear())


def test_child_has_no_credentials_or_open_files_and_a_file_size_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its parent's files it has one, the pipe that it names its stage through."""
    code = (
        "import json, os\n"
        "try:\n"
        "    open('note', 'wb', 0).truncate(100 << 20); wrote = True\n"
        "except OSError as error:\n"
        "    wrote = error.strerror\n"
        "secret = [name for name in os.environ if name.startswith('AWS')]\n"
        "files = sorted(set(os.listdir('/proc/self/fd')) - {os.environ['MAAS_STAGES']}, key=int)[3:-1]\n"
        "print(json.dumps({'rejected': f'{secret} {files} {wrote}'}))\n"
    )
    monkeypatch.syspath_prepend(_package_whose_inspection(tmp_path, code))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(ModelRejected, match=r"^\[\] \[\] File too large$"), (tmp_path / "open").open("w"):
        inspect(tmp_path, onnx_models.linear())


def test_child_cannot_read_its_parents_environment(tmp_path: Path) -> None:
    """What is ours, it may not look up in /proc. Root may, so root gives up what makes it root."""
    (tmp_path / "snoop.py").write_text(
        "import json, os\n"
        "try:\n"
        "    found = str(b'AWS_SECRET' in open(f'/proc/{os.getppid()}/environ', 'rb').read())\n"
        "except OSError as error:\n"
        "    found = error.strerror\n"
        "print(json.dumps({'rejected': found}))\n"
    )
    script = (
        "from maas.deployment import child\nfrom maas.errors import ModelRejected\nfrom pathlib import Path\n"
        "try:\n    child.run('snoop', {}, Path('.'), child.Limits(1 << 30, 60))\n"
        "except ModelRejected as error:\n    print(error.message)\n"
    )
    as_nobody_special = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else []
    done = subprocess.run(
        [*as_nobody_special, sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path), "AWS_SECRET_ACCESS_KEY": "secret"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "Permission denied\n", done.stderr


def test_child_memory_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(_package_whose_inspection(tmp_path, "bytes(2 << 30)"))
    with pytest.raises(ModelRejected, match="MemoryError"):
        inspect(tmp_path, onnx_models.linear())
