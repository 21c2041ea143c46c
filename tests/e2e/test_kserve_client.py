"""KServe's own asynchronous client, unmodified, from its own virtual environment: both of its protocols."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conftest import skip_or_fail
from maas_client import MaasClient
from support import onnx_models
from support.aws.engine import ROOT

PYTHON = Path(os.environ.get("MAAS_KSERVE_PYTHON", ROOT / ".venv-kserve/bin/python"))
SUM = [[1.5, 2.5], [3.5, 4.5]]
SAID = {"id": "k-1", "model": "shared_added", "y": SUM}
TYPES = ("float16", "float", "int64", "bool", "string")


@pytest.fixture(scope="module")
def answers(
    shared: None, url: str, api_key: str, maas: MaasClient, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    if not PYTHON.exists():
        skip_or_fail(f"no {PYTHON}: make peers")
    path = tmp_path_factory.mktemp("kserve") / "model.onnx"
    for name, content in (
        ("k_types", onnx_models.identities({name: onnx_models.ALL_TYPES[name] for name in TYPES})),
        ("k_rows", onnx_models.identities({"s": 1}, ["n", 3])),
    ):
        path.write_bytes(content)
        maas.push(path, name, alias="live")
    script = ROOT / "tests/support/kserve_calls.py"
    done = subprocess.run([PYTHON, script, url, api_key], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_health(answers: dict[str, Any]) -> None:
    assert answers["live"] is answers["ready"] is True
    assert answers["model_ready"] == [True, False]


def test_json_and_binary_inference(answers: dict[str, Any]) -> None:
    assert answers["json"] == answers["binary"] == SAID
    assert answers["at_once"] == [SAID] * 3
    assert answers["plain"]["out_s"] == [[1, 2, 3]]
    assert answers["no_rows"]["out_s"] == []
    assert answers["alias"] == "1"


def test_datatypes_and_requested_outputs(answers: dict[str, Any]) -> None:
    assert answers["types"] == {
        "id": "k-1",
        "model": "k_types",
        "out_float16": [0.5, float("inf")],
        "out_float": ["nan", 1.0],
        "out_int64": [-(2**63), 1],
        "out_bool": [True, False],
        "out_string": ["", "größer 🦆"],
    }
    assert list(answers["asked"]) == ["id", "model", "out_string", "out_bool"]


def test_refusal_carries_server_message(answers: dict[str, Any]) -> None:
    status, said = answers["refused"]
    assert (status, said.split(", '")[0]) == (400, "inputs: got ['a'], expected also ['b']")


def test_v1_protocol(answers: dict[str, Any]) -> None:
    assert answers["v1_live"] is answers["v1_model_ready"] is True
    assert answers["v1_predict"] == {"predictions": [[4, 6], [1, 1]]}
    assert answers["v1_no_model"][0] == 404
    status, said = answers["v1_refused"]
    assert (status, "expected also ['b']" in said) == (400, True)
    status, said = answers["v1_explain"]
    assert (status, "explanation is not offered" in said) == (501, True)
