"""The system under test, over HTTP only.

--stack=local is the local stack with the functions' roles, sam is `sam local`, cloud is what `make deploy` deploys.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tritonclient.http as triton

from conftest import skip_or_fail
from maas_client import MaasClient
from maas_client.cli import app
from maas_local.stack import LocalStack
from support import onnx_models, sam_cli
from support.aws import iam_stack
from support.aws.engine import ROOT
from support.cloud.deployment import CloudStack
from support.system import RAN, Bucket


class KeyPlugin(triton.InferenceServerClientPlugin):
    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: Any) -> None:
        request.headers["x-api-key"] = self._key


@pytest.fixture(autouse=True)
def _only_where_it_holds(request: pytest.FixtureRequest) -> None:
    kind = request.config.getoption("--stack")
    if kind != "local" and "system" not in request.fixturenames:
        pytest.skip("it needs no deployed system")
    for mark in request.node.iter_markers("not_on"):
        if kind in mark.args:
            pytest.skip(mark.kwargs["reason"])


@pytest.fixture(scope="session")
def roles_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the local stack records the AWS calls of its functions."""
    return tmp_path_factory.mktemp("roles")


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest, roles_folder: Path) -> Iterator[LocalStack | CloudStack]:
    kind = request.config.getoption("--stack")
    if kind == "cloud":
        yield request.getfixturevalue("deployed")
        return
    if kind == "sam" and (reason := sam_cli.why_not()):
        skip_or_fail(reason)
    with sam_cli.stack() if kind == "sam" else iam_stack.stack(roles_folder) as stack:
        yield stack


@pytest.fixture(scope="session")
def url(system: LocalStack | CloudStack) -> str:
    return system.url


@pytest.fixture(scope="session")
def api_key(system: LocalStack | CloudStack) -> str:
    """A key of scope admin."""
    assert system.api_key
    return system.api_key


@pytest.fixture(scope="session")
def bucket(system: LocalStack | CloudStack) -> Bucket:
    return Bucket(system.cloud.client("s3"), system.environment["MAAS_BUCKET"])


@pytest.fixture(scope="session")
def maas(url: str, api_key: str) -> Iterator[MaasClient]:
    with MaasClient(url, api_key) as client:
        yield client


@pytest.fixture(scope="session")
def shared(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Models that tests of many files ask, and that none of them changes; with the alias `live`."""
    for name, content in (
        ("shared_linear", onnx_models.linear()),
        ("shared_added", onnx_models.added()),
        ("shared_types", onnx_models.identities(onnx_models.ALL_TYPES)),
    ):
        path = tmp_path_factory.mktemp(name) / "model.onnx"
        path.write_bytes(content)
        maas.push(path, name, alias="live")


@pytest.fixture(scope="session")
def http(url: str, api_key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60, headers={"authorization": f"Bearer {api_key}"}) as client:
        yield client


@pytest.fixture(scope="session")
def client(url: str, api_key: str) -> Iterator[triton.InferenceServerClient]:
    """Triton's own client, unmodified. A plugin adds the key to every request."""
    with triton.InferenceServerClient(url.removeprefix("http://"), connection_timeout=60, network_timeout=60) as one:
        one.register_plugin(KeyPlugin(api_key))
        yield one


@pytest.fixture
def run(
    url: str, api_key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command line; gives its standard output, or with `fails` its standard error."""
    monkeypatch.setenv("MAAS_URL", url)
    monkeypatch.setenv("MAAS_API_KEY", api_key)
    for name in ("MAAS_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run_command(line: str, *, fails: int = 0) -> str:
        with pytest.raises(SystemExit) as exit_:
            app(line.split())
        out, err = capsys.readouterr()
        assert exit_.value.code == fails, err
        return err if fails else out

    return run_command


@pytest.fixture
def call(system: LocalStack, roles_folder: Path) -> Callable[..., Any]:
    """Calls a handler in its own process with its role and an event that the local stack's sources do not send."""

    def call_handler(function: str, module: str, event: object, **variables: str) -> Any:
        script = (
            f"import json, {module} as app\nfrom types import SimpleNamespace\n"
            "context = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, aws_request_id='one')\n"
            f"print(json.dumps(app.lambda_handler({event!r}, context)))\n"
        )
        environment = system.environment | iam_stack.environment(roles_folder, f"{function.title()}Function")
        environment |= {"AWS_ENDPOINT_URL": system.cloud.url} | variables
        folder = ROOT / "functions" / ("batch" if module != "app" else function)
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return call_handler


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes bytes to a model file."""

    def write_file(content: bytes, name: str = "model.onnx") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The policies come last: they are held against the calls of all other tests."""
    items.sort(key=lambda item: item.path.name == "test_policies.py")


def pytest_runtest_teardown(item: pytest.Item) -> None:
    item.config.stash.setdefault(RAN, set()).add(item.nodeid)
