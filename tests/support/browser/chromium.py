"""Chromium of this machine, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WAIT_MS = 30_000
NAMES = ("chromium", "chromium-browser", "google-chrome")


def found() -> str | None:
    """The path of the browser: MAAS_CHROMIUM, or the first on the PATH."""
    return os.environ.get("MAAS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def why_not() -> str | None:
    """Why no page can be opened here; None if one can."""
    if not find_spec("playwright"):
        return "Playwright is not installed: `make console-test` does"
    if not found():
        return f"there is no browser: install one of {', '.join(NAMES)}, or set MAAS_CHROMIUM to its path"
    return None


@contextmanager
def chromium() -> Iterator["Browser"]:
    from playwright.sync_api import expect, sync_playwright

    # Chromium refuses to run as root with its sandbox, and containers mostly run as root.
    expect.set_options(WAIT_MS)
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=options)
        yield browser
        browser.close()
