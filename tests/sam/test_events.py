"""Every file of events/ under `sam local`: layers under /opt, handlers in /var/task, as in Lambda.

Containers are kept warm, since each `sam local invoke` starts one anew, for some seconds.
"""

from collections.abc import Iterator

import pytest

from conftest import skip_or_fail
from maas import bootstrap
from maas.settings import Settings
from maas_local.resources import NAME
from support import sam_cli
from support.events import CASES, EventCase


@pytest.fixture(scope="module")
def sam() -> Iterator[sam_cli.Sam]:
    if reason := sam_cli.why_not():
        skip_or_fail(reason)
    with sam_cli.seeded() as sam:
        yield sam


@pytest.fixture(scope="module")
def invoke(sam: sam_cli.Sam) -> Iterator[sam_cli.Invoke]:
    with sam.functions() as functions:
        yield functions


@pytest.mark.full(keep=len(CASES))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event(case: EventCase, invoke: sam_cli.Invoke) -> None:
    case.check(invoke(case.function, case.event))


def test_one_event_from_the_command_line(sam: sam_cli.Sam) -> None:
    """As `make invoke-InferenceFunction` does."""
    (case,) = (case for case in CASES if case.name == "inference_infer")
    case.check(sam.invoke(case.function, case.event))


def test_deployment_function_quantises(sam: sam_cli.Sam) -> None:
    """The quantisation layer imports; this model is only too small to be quantised."""
    (case,) = (case for case in CASES if case.name == "deployment_commit_mark")
    sam.invoke(case.function, case.event)
    settings = Settings(table=NAME, bucket=NAME, endpoint_url=sam.cloud.url)
    version, _ = bootstrap.registry(settings).versions.get("example", 2)
    assert version.quantized
    assert "it is not smaller" in (version.quantized.reason or "")
