"""Every file of events/ through the real handlers."""

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from aws import ROOT, Cloud
from event_cases import CASES, EVENTS, EventCase, seed

from maas import bootstrap

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Load:
    """A function's app.py, started as Lambda would: its own folder first on the path, its own environment."""

    def load_function(function: str) -> ModuleType:
        folder = ROOT / "functions" / function.removesuffix("Function").lower()
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(folder)
        spec = importlib.util.spec_from_file_location(f"{folder.name}_app", folder / "app.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        spec.loader.exec_module(module)
        return module

    return load_function


def test_every_event_has_its_case() -> None:
    assert sorted(path.stem for path in EVENTS.glob("*.json")) == sorted(case.name for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event(case: EventCase, cloud: Cloud, load: Load) -> None:
    seed(cloud)
    case.check(load(case.function).lambda_handler(case.event, None))


def test_a_commit_mark_that_comes_twice_changes_nothing(cloud: Cloud, load: Load) -> None:
    seed(cloud)
    case = next(case for case in CASES if case.name == "deployment_commit_mark")
    handler = load(case.function).lambda_handler
    first = handler(case.event, None)
    registry = bootstrap.registry(cloud.settings)
    model, version = registry.model("example"), registry.version("example", 2)
    assert handler(case.event, None) == first
    assert (registry.model("example"), registry.version("example", 2)) == (model, version)


def test_the_actor_of_a_change_is_the_caller(cloud: Cloud, load: Load) -> None:
    case = next(case for case in CASES if case.name == "management_create_model")
    load(case.function).lambda_handler(case.event, None)
    registry = bootstrap.registry(cloud.settings)
    entries, _ = registry._table.query("M#another", "H#", limit=10)
    assert [entry["actor"] for entry in entries] == ["arn:aws:iam::123456789012:user/ann"]


def test_a_cold_inference_imports_neither_boto3_nor_a_web_framework(cloud: Cloud) -> None:
    import subprocess

    seed(cloud)
    script = (
        "import app, json, sys\n"
        f"result = app.lambda_handler(json.load(open({str(EVENTS / 'inference_infer.json')!r})), None)\n"
        "assert result['statusCode'] == 200, result\n"
        "heavy = {'boto3', 'botocore', 'fastapi', 'pydantic', 'aws_lambda_powertools'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    folder = ROOT / "functions" / "inference"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=cloud.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
