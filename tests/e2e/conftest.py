"""The system under test, over HTTP alone: `maas local`, or with --stack=sam the real `sam local`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sam_cli
import tritonclient.http as triton
from conftest import skip_or_fail

from maas_client import MaasClient
from maas_client.local.stack import LocalStack

Push = Callable[..., int]


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.config.getoption("--stack") == "local":
        with LocalStack.start() as stack:
            yield stack.url
        return
    if reason := sam_cli.why_not():
        skip_or_fail(reason)
    with sam_cli.stack() as url:
        yield url


@pytest.fixture(scope="session")
def maas(url: str) -> Iterator[MaasClient]:
    with MaasClient(url) as client:
        yield client


@pytest.fixture(scope="session")
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[triton.InferenceServerClient]:
    """Triton's own, as it is."""
    with triton.InferenceServerClient(url.removeprefix("http://"), connection_timeout=60, network_timeout=60) as one:
        yield one


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    """The bytes as a model file."""

    def write_file(content: bytes, name: str = "model.onnx") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file
