"""The functions that work after their answers: each registers an extension, and asks for its next event after each."""

import pytest

from conftest import LoadFunction
from support import wire
from support.aws.engine import Cloud
from support.aws.extensions_api import ExtensionsApi
from support.events import CASES, seed


@pytest.mark.parametrize("name", ["inference_infer", "worker_shard"])
def test_environment_freezes_after_each_answer(
    name: str, cloud: Cloud, load_function: LoadFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(cloud)
    case = next(case for case in CASES if case.name == name)
    with ExtensionsApi() as api:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        app = load_function(case.function)
        api.await_next()
        for _ in range(2):
            api.invoke(lambda *_: case.check(app.lambda_handler(case.event, wire.CONTEXT)))
