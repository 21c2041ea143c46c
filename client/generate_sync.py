"""Writes maas_client/_sync from maas_client/_async: `python client/generate_sync.py`; with a folder, into that one.

Each file of `_async` but backend.py, with other words: `await` goes, AsyncX becomes X.
"""

import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parent / "maas_client"
SOURCE, TARGET = PACKAGE / "_async", PACKAGE / "_sync"
CONFIG = PACKAGE.parent.parent / "pyproject.toml"
RUFF = [sys.executable, "-m", "ruff", "--quiet"]
BY_HAND = {"__init__.py", "backend.py"}
NOTICE = "# Made from _async/{name} by client/generate_sync.py: change that file.\n"
_NESTED = r"(?:[^()]|\((?:[^()]|\([^()]*\))*\))*"
WORDS = [
    (rf"(?<![\w\]])\(await ({_NESTED})\)(?=[.\[])", r"\1"),
    (r"\bawait ", ""),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bAwaitable\[([^\[\]]+|[^\[\]]*\[[^\[\]]*\](?:, \w+)?)\]", r"\1"),
    (r"(from collections\.abc import .*)\bAwaitable, ", r"\1"),
    (r"\b__a(enter|exit|iter)__\b", r"__\1__"),
    (r"\baiter_(bytes|raw)\b", r"iter_\1"),
    (r"\baclose\b", "close"),
    (r"\bAsync([A-Z]\w+)", r"\1"),
    (r"\bmaas_client\._async\b", "maas_client._sync"),
]


def generate(target: Path) -> None:
    target.mkdir(exist_ok=True)
    for source in sorted(SOURCE.glob("*.py")):
        if source.name not in BY_HAND:
            (target / source.name).write_text(NOTICE.format(name=source.name) + translated(source.read_text()))
    for command in (["check", "--select=I", "--fix"], ["format"]):
        subprocess.run([*RUFF, *command, "--config", str(CONFIG), str(target)], check=True)  # noqa: S603


def translated(text: str) -> str:
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return text


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
