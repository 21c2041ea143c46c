"""Every file of events/ through the real handlers."""

import json
import subprocess
import sys
import time

import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.errors import NotFound
from support.aws.engine import ROOT, Cloud
from support.events import CASES, EVENTS, EventCase, seed


class Context:
    """The part of Lambda's context that the handlers use."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def test_every_event_file_has_a_case() -> None:
    assert sorted(path.stem for path in EVENTS.glob("*.json")) == sorted(case.name for case in CASES)


FIRST = {case.function: case for case in reversed(CASES)}  # of each function


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=() if case is FIRST[case.function] else pytest.mark.full)
        for case in CASES
    ],
)
def test_event(case: EventCase, cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud, case.exports)
    case.check(load_function(case.function).lambda_handler(case.event, Context))


@pytest.mark.full
def test_repeated_commit_mark_changes_nothing(cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud)
    case = next(case for case in CASES if case.name == "deployment_commit_mark")
    handler = load_function(case.function).lambda_handler
    first = handler(case.event, Context)
    registry = bootstrap.registry(cloud.settings)
    model, version = registry.models.get("example"), registry.versions.get("example", 2)
    assert handler(case.event, Context) == first
    assert (registry.models.get("example"), registry.versions.get("example", 2)) == (model, version)


@pytest.mark.full
def test_commit_mark_of_a_purged_version_is_ignored(cloud: Cloud, load_function: LoadFunction) -> None:
    seed(cloud)
    registry = bootstrap.registry(cloud.settings)
    registry.versions.delete("example", 2, "tester")
    purge = registry.purge(bootstrap.bucket(cloud.settings).delete_prefix)
    assert purge.version("example", 2, "tester", time.monotonic() + 60)
    case = next(case for case in CASES if case.name == "deployment_commit_mark")
    answer = load_function(case.function).lambda_handler(case.event, Context)
    assert answer == {"ignored": case.event["detail"]["object"]["key"]}


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(
    ("authorizer", "actor"),
    [
        ({"lambda": {"actor": "key:0123456789abcdef", "scopes": "models:write"}}, "key:0123456789abcdef"),
        ({"jwt": {"claims": {"sub": "ann@example.com", "scope": "maas/models:write"}}}, "ann@example.com"),
        ({"iam": {"userArn": "arn:aws:iam::123456789012:user/ann"}}, "arn:aws:iam::123456789012:user/ann"),
    ],
)
def test_actor_is_the_caller(
    cloud: Cloud, load_function: LoadFunction, authorizer: dict[str, object], actor: str
) -> None:
    event = next(case for case in CASES if case.name == "management_create_model").event
    event["requestContext"]["authorizer"] = authorizer
    assert load_function("ManagementFunction").lambda_handler(event, Context)["statusCode"] == 201
    registry = bootstrap.registry(cloud.settings)
    entries, _ = registry.history.page("another", 10)
    assert [entry.actor for entry in entries] == [actor]


@pytest.mark.full
def test_version_quota_answers_429(cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(cloud)
    monkeypatch.setenv("MAAS_MAX_MODEL_VERSIONS", "2")
    event = next(case for case in CASES if case.name == "management_create_version").event
    answer = load_function("ManagementFunction").lambda_handler(event, Context)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "3600")
    assert "got 3, expected at most 2" in json.loads(answer["body"])["error"]


@pytest.mark.full
def test_inbox_quota(cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(cloud)
    monkeypatch.setenv("MAAS_MAX_STORED_BYTES", "1")
    event = next(case for case in CASES if case.name == "deployment_drop").event
    key = event["detail"]["object"]["key"]
    assert load_function("DeploymentFunction").lambda_handler(event, Context) == {"ignored": key}
    result = cloud.s3.get_object(Bucket=cloud.settings.bucket, Key=f"{key}.result.json")["Body"].read()
    assert json.loads(result)["status"] == "REFUSED"
    assert "expected at most 1" in json.loads(result)["reason"]
    with pytest.raises(NotFound):  # nor an empty model
        bootstrap.registry(cloud.settings).models.get("dropped")


@pytest.mark.parametrize(
    ("case", "right", "also"),
    [
        ("inference_infer", "result['statusCode'] == 200", set()),
        ("authorizer_key", "'actor' in result['context']", {"numpy", "onnxruntime", "orjson"}),
    ],
)
def test_cold_start_imports(cloud: Cloud, case: str, right: str, also: set[str]) -> None:
    seed(cloud)
    script = (
        "import app, json, sys\n"
        "TASKS = ['tokenizers', 'PIL', 'maas.tasks.loading', 'maas.tasks.api', 'task_calls']\n"
        "from types import SimpleNamespace\n"
        "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)\n"
        f"result = app.lambda_handler(json.load(open({str(EVENTS / f'{case}.json')!r})), context)\n"
        f"assert {right}, result\n"
        "heavy = {'boto3', 'botocore', 'fastapi', 'pydantic', 'aws_lambda_powertools', 'maas.sweeps', *TASKS}\n"
        f"heavy = heavy.union({sorted(also)}) & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    folder = ROOT / "functions" / case.partition("_")[0]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=cloud.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.full
def test_schedule_purges_after_the_retention_time(
    cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(cloud)
    registry = bootstrap.registry(cloud.settings)
    registry.models.create("kept", "", {}, "tester")
    registry.models.delete("example", "tester")
    event = next(case for case in CASES if case.name == "maintenance_purge").event
    assert load_function("MaintenanceFunction").lambda_handler(event, Context)["purged"] == []
    monkeypatch.setenv("MAAS_RETENTION_DAYS", "0")
    assert load_function("MaintenanceFunction").lambda_handler(event, Context)["purged"] == ["example"]
    found = cloud.s3.list_object_versions(Bucket=cloud.settings.bucket, Prefix="models/example/")
    assert found.get("Versions", []) + found.get("DeleteMarkers", []) == []
    assert registry.models.get("kept").name == "kept"
    assert load_function("MaintenanceFunction").lambda_handler(event, Context)["purged"] == []
