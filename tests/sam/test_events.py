"""Every file of events/ through `sam local invoke`: layers under /opt, handlers in /var/task, as in Lambda."""

from collections.abc import Iterator

import pytest
import sam_cli
from conftest import skip_or_fail
from event_cases import CASES, EventCase


@pytest.fixture(scope="module")
def sam() -> Iterator[sam_cli.Sam]:
    if reason := sam_cli.why_not():
        skip_or_fail(reason)
    with sam_cli.seeded() as sam:
        yield sam


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_event(case: EventCase, sam: sam_cli.Sam) -> None:
    case.check(sam.invoke(case.function, case.event))
