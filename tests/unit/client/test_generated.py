"""What is generated from the client's code is up to date: `make format` does it."""

import subprocess
import sys
from pathlib import Path

from support.aws.engine import ROOT

SYNC = ROOT / "client/maas_client/_sync"


def test_sync_client_is_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "client/generate_sync.py", tmp_path], check=True)
    made = {path.name: path.read_text() for path in tmp_path.glob("*.py")}
    by_hand = {"__init__.py", "backend.py"}
    assert made == {path.name: path.read_text() for path in SYNC.glob("*.py") if path.name not in by_hand}
