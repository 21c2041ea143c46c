"""Engines of the tests: moto always, DynamoDB Local if its address is given; and the selection of `make test`."""

import gc
import importlib
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from maas_local.engine import moto_server
from support.aws.engine import CREDENTIALS, Cloud, create_cloud, template
from support.cloud import deployment
from support.cloud import engine as cloud_engine
from support.cloud.deployment import CloudStack
from support.cloud.engine import Engine

LoadFunction = Callable[[str], ModuleType]
CLIENTS = ("blocking", "async")  # cases of what both clients do; `make test` takes them in turn
REQUIRED = os.environ.get("MAAS_REQUIRE_ENGINES") == "1"


signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it, and so would its children


def skip_or_fail(reason: str) -> None:
    """Fails instead of skipping where every engine is required (CI)."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _credentials() -> Iterator[None]:
    """Made-up credentials: no test can reach an account."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "MAAS_TABLE", "MAAS_BUCKET"))]:
            patch.delenv(name)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = moto_server("127.0.0.1")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def aws_engine() -> Iterator[Engine]:
    """CloudFormation, IAM and Lambda in containers, for what is deployed as on AWS."""
    if reason := cloud_engine.why_not():
        skip_or_fail(reason)
    with cloud_engine.engine() as running:
        yield running


@pytest.fixture(scope="session")
def deployed(aws_engine: Engine) -> CloudStack:
    """The stack of `make deploy` with default parameters."""
    deployment.deploy(aws_engine)
    return deployment.described(aws_engine)


@pytest.fixture
def cloud(moto_url: str, tmp_path: Path) -> Iterator[Cloud]:
    yield create_cloud(moto_url, tmp_path / "maas")
    urllib.request.urlopen(
        urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")
    )  # it would keep every object in memory


@pytest.fixture
def load_function(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> LoadFunction:
    """Imports a function's module as Lambda does: its own folder first on the path, its own environment variables."""

    def load(function: str) -> ModuleType:
        known = template().functions()[function]
        folder = known.folder
        for name, value in cloud.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.syspath_prepend(folder)
        own = {path.stem for path in folder.iterdir()}
        for module in [name for name in sys.modules if name.partition(".")[0] in own]:  # imported by an earlier test
            monkeypatch.delitem(sys.modules, module)
        return importlib.import_module(known.handler.rpartition(".")[0])

    return load


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stack", choices=["local", "sam", "cloud"], default="local", help="what the end-to-end suite runs against"
    )
    parser.addoption("--quick", action="store_true", help="leave out what is marked `full`: `make test`")


def pytest_configure(config: pytest.Config) -> None:
    """Each of several processes imports tests from another file on, so that each file is compiled by one of them.

    Hypothesis looks for counterexamples in its own time: a slow machine is none.
    """
    examples = 20 if config.getoption("--quick") else 200
    slow = [HealthCheck.too_slow]
    settings.register_profile("ours", max_examples=examples, deadline=None, suppress_health_check=slow)
    settings.load_profile("ours")
    if (number := os.environ.get("PYTEST_XDIST_WORKER")) and all(Path(folder).is_dir() for folder in config.args):
        files = sorted(str(path) for folder in config.args for path in Path(folder).rglob("test_*.py"))
        first = len(files) * int(number.removeprefix("gw")) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        config.args = files[first:] + files[:first]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays: the garbage collector would look at all of it again and again, a fifth of the time."""
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(5_000)  # instead of 700: a test makes as many objects without any garbage
    gc.enable()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Binary values go by their argument's name: a gzip member holds a time, and each process must collect the same."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --quick, keeps one case of each test, of a test marked `full(keep=N)` N, of `full` none."""
    if "PYTEST_XDIST_WORKER" in os.environ:  # all of them have to collect the same
        items.sort(key=lambda item: item.path)
    if not config.getoption("--quick"):
        return
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {case for turn, cases in enumerate(tests.values()) for case in _quick(cases, CLIENTS[turn % 2])}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def _quick(cases: list[pytest.Item], client: str) -> list[pytest.Item]:
    """The first cases; where both clients run, one with this client; where some cases are marked, the others."""
    mark = cases[0].get_closest_marker("full")
    unmarked = [case for case in cases if not case.get_closest_marker("full")]
    if 0 < len(unmarked) < len(cases):
        return unmarked
    of_client = [case for case in cases if f"[{client}" in case.nodeid]
    return (of_client or cases)[: mark.kwargs.get("keep", 0) if mark else 1]


class OneSystem(LoadScopeScheduling):
    """With `-n`, tests run in any process, but all of a folder or file that shares a running system in one.

    With --quick, tests/e2e has two systems: one after another, its tests would take longer than all others together.
    """

    FOLDERS = ("tests/e2e/", "tests/zoo/")
    OF_FILES = ("tests/functions/", "tests/unit/local/")
    SECOND_HALF = "tests/e2e/test_i"

    def _split_scope(self, nodeid: str) -> str:
        folder = next((one for one in self.FOLDERS if nodeid.startswith(one)), None)
        if folder == "tests/e2e/" and self.config.getoption("--quick") and nodeid >= self.SECOND_HALF:
            return self.SECOND_HALF
        return folder or (nodeid.partition("::")[0] if nodeid.startswith(self.OF_FILES) else nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneSystem:
    return OneSystem(config, log)
