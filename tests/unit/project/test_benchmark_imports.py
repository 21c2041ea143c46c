"""What the benchmarks import of the package exists, also in the programs that they give to other processes.

No test runs them all, and no type checker reads them.
"""

import re
from contextlib import suppress
from importlib import import_module

import pytest

from support.aws.engine import ROOT

IMPORT = re.compile(r"\bfrom (maas[\w.]*) import (\([^)]+\)|[\w, ]+)")


def exists(module: str, name: str) -> bool:
    with suppress(ModuleNotFoundError):
        return hasattr(import_module(module), name) or bool(import_module(f"{module}.{name}"))
    return False


@pytest.mark.full
def test_what_benchmarks_import_exists() -> None:
    texts = {path.name: path.read_text() for path in (ROOT / "tests" / "benchmarks").rglob("*.py")}
    named = [(file, module, names) for file, text in texts.items() for module, names in IMPORT.findall(text)]
    missing = [
        f"{file}: {module}.{name}"
        for file, module, names in named
        for name in re.findall(r"\w+", re.sub(r"\bas \w+", "", names))
        if not exists(module, name)
    ]
    assert not missing
    assert len(named) > 60
