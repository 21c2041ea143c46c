"""The OpenAPI document of the management API is complete, and schemathesis finds no answer that contradicts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_local.stack import LocalStack

EXAMPLES = os.environ.get("MAAS_FUZZ_EXAMPLES", "15")  # per operation; CI: 25
OPERATIONS = [
    "create_model list_models get_model update_model delete_model restore_model model_history",
    "create_version list_versions get_version complete_version version_files update_version delete_version",
    "restore_version list_aliases put_alias get_alias delete_alias roll_back_alias",
    "list_captures start_rollout list_rollouts get_rollout pause_rollout resume_rollout abort_rollout breach_rollout",
    "model_metrics create_job list_jobs get_job complete_job job_results retry_job cancel_job",
    "create_key list_keys get_key key_history rotate_key revoke_key get_caller",
]


@pytest.fixture(scope="module")
def own_stack() -> Iterator[LocalStack]:
    """A separate stack: schemathesis may delete and purge any model."""
    with LocalStack.start() as stack:
        yield stack


@pytest.fixture(scope="module")
def document(http: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/api/v1/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for methods in document["paths"].values() for one in methods.values()}


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    found = operations(document)
    assert sorted(found) == sorted(" ".join(OPERATIONS).split())
    for name, operation in found.items():
        assert operation.get("description"), name
        assert {"400", "503"} <= set(operation["responses"]), name
        assert "422" not in operation["responses"], name


def test_every_body_has_example(document: dict[str, Any]) -> None:
    def schema(content: dict[str, Any]) -> list[dict[str, Any]]:
        found = content["application/json"]["schema"]
        named = [one["$ref"].rpartition("/")[2] for one in found.get("anyOf", [found]) if "$ref" in one]
        return [document["components"]["schemas"][name] for name in named]

    for name, operation in operations(document).items():
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        contents += [
            answer["content"]
            for status, answer in operation["responses"].items()
            if status.startswith("2") and "content" in answer
        ]
        for content in contents:
            assert schema(content), name
            assert all(one.get("examples") for one in schema(content)), name


@pytest.mark.full
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("which", "selected"), [("exclude", "41/43"), ("include", "2/43")])
def test_schemathesis(own_stack: LocalStack, tmp_path: Path, which: str, selected: str) -> None:
    """In two runs: one that both lists and revokes keys could revoke its own."""
    program = Path(sys.executable).with_name("schemathesis")
    config = Path(__file__).with_name("schemathesis.toml")
    command = [program, "--config-file", config, "run", f"{own_stack.url}/api/v1/openapi.json"]
    command += ["--header", f"x-api-key: {own_stack.api_key}", f"--{which}-operation-id-regex", "(revoke|rotate)_key"]
    options = ["--checks", "all", "--max-examples", EXAMPLES, "--seed", "1", "--no-color"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert f"Selected: {selected}" in done.stdout
