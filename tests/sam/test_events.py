"""Every file of events/ through `sam local invoke`: layers under /opt, handlers in /var/task, as in Lambda."""

from collections.abc import Iterator

import pytest

from conftest import skip_or_fail
from maas import bootstrap
from maas.settings import Settings
from maas_local.template import NAME
from support import sam_cli
from support.events import CASES, EventCase


@pytest.fixture(scope="module")
def sam() -> Iterator[sam_cli.Sam]:
    if reason := sam_cli.why_not():
        skip_or_fail(reason)
    with sam_cli.seeded() as sam:
        yield sam


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event(case: EventCase, sam: sam_cli.Sam) -> None:
    case.check(sam.invoke(case.function, case.event))


def test_deployment_function_quantises(sam: sam_cli.Sam) -> None:
    """The quantisation layer imports; this model is only too small to be quantised."""
    (case,) = (case for case in CASES if case.name == "deployment_commit_mark")
    sam.invoke(case.function, case.event)
    settings = Settings(table=NAME, bucket=NAME, endpoint_url=sam.cloud.url)
    version, _ = bootstrap.registry(settings).versions.get("example", 2)
    assert version.quantized
    assert "it is not smaller" in (version.quantized.reason or "")
