"""Every file of events/ through `sam local invoke`: layers under /opt, handlers in /var/task, as in Lambda."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sam_cli
from aws import Cloud
from conftest import skip_or_fail
from event_cases import CASES, EventCase, seed

from maas.settings import Settings
from maas_client.local.template import NAME


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sam_cli.Sam]:
    if reason := sam_cli.why_not():
        skip_or_fail(reason)
    with sam_cli.cloud() as cloud:
        tmp_dir: Path = tmp_path_factory.mktemp("maas")
        seed(Cloud(Settings(table=NAME, bucket=NAME, endpoint_url=cloud.url, tmp_dir=str(tmp_dir))))
        yield sam_cli.Sam(cloud)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event(case: EventCase, sam: sam_cli.Sam) -> None:
    case.check(sam.invoke(case.function, case.event))
