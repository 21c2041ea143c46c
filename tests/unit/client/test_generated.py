"""What is generated from the client's code is current: `make format` and `make docs` write it."""

import subprocess
import sys
from pathlib import Path

from support.aws.engine import ROOT

REFERENCE = ROOT / "docs/python.md"
SYNC = ROOT / "client/maas_client/_sync"


def test_sync_client_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "client/generate_sync.py", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.glob("*.py")}
    by_hand = {"__init__.py", "backend.py", "network.py"}
    assert made == {path.name: path.read_text() for path in SYNC.glob("*.py") if path.name not in by_hand}


def test_reference_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "client/generate_reference.py", tmp_path / "python.md"], check=True)
    assert (tmp_path / "python.md").read_text() == REFERENCE.read_text(), "run `make docs`"
