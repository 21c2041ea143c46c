"""The console in Chromium, against `maas local` as a process of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from conftest import skip_or_fail
from maas_client import MaasClient
from support.aws.engine import ROOT
from support.browser import chromium
from support.browser.running import Running, maas_local
from support.browser.seed import Seeded, seed
from support.browser.visitor import Visit, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LIBRARIES = ROOT / "functions" / "management" / "console" / "vendor" / "preact.js"


class NotHere(pytest.Module):
    """A file of tests that is not even imported."""

    def collect(self) -> NoReturn:
        skip_or_fail(str(chromium.why_not()))
        raise AssertionError


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return NotHere.from_parent(parent, path=module_path) if chromium.why_not() else None


@pytest.fixture(scope="session", autouse=True)
def _complete() -> None:
    if not LIBRARIES.exists():
        skip_or_fail("the console's libraries are missing: `make console` fetches them")


@pytest.fixture(scope="session")
def system() -> Iterator[Running]:
    with maas_local() as running:
        yield running


@pytest.fixture(scope="session")
def maas(system: Running) -> Iterator[MaasClient]:
    with MaasClient(system.url, system.api_key) as client:
        yield client


@pytest.fixture(scope="session")
def seeded(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    return seed(maas, tmp_path_factory.mktemp("seed"))


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    with chromium.chromium() as running:
        yield running


@pytest.fixture
def visit(browser: "Browser", system: Running) -> Iterator[Visit]:
    """Opens tabs for a test; at its end none of them may have had a fault."""
    with ExitStack() as ending:
        visitors: list[Visitor] = []

        def new(url: str = system.url, **options: Any) -> Visitor:
            visitors.append(Visitor(browser, url, **options))
            return visitors[-1]

        ending.callback(lambda: [visitor.leave() for visitor in visitors])
        yield new
        assert [visitor.faults for visitor in visitors if visitor.faults] == []


@pytest.fixture
def admin(visit: Visit, system: Running) -> Visitor:
    """Somebody who has logged in with a key of scope admin."""
    visitor = visit()
    visitor.log_in(system.api_key)
    return visitor


@pytest.fixture
def page(admin: Visitor) -> "Page":
    return admin.page
