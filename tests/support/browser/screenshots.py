"""Run as `python -m support.browser.screenshots`: pictures of a running system, into docs/images."""

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from maas_client import MaasClient
from support.aws.engine import ROOT
from support.browser import chromium
from support.browser.drawing import draw_zero
from support.browser.running import maas_local
from support.browser.seed import seed
from support.browser.visitor import Visitor

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1200, "height": 800}
SECONDS = 100  # of each stretch of traffic
TALLEST = 1600  # pixels of a picture
COLOURS = 64
MOST_BYTES = 1_200_000  # of all


def ask(page: Page) -> None:
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("heading", name="Time", exact=True).wait_for()


def draw(page: Page) -> None:
    draw_zero(page, page.locator("main canvas").first)
    ask(page)


def write(page: Page) -> None:
    page.locator("main textarea").first.fill("a good movie\na terrible film")
    ask(page)


BEFORE: dict[str, Callable[[Page], None]] = {"try": draw, "try-text": write}


def main() -> int:
    if reason := chromium.why_not():
        print(f"No screenshots: {reason}", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, maas_local() as system, chromium.chromium() as browser:
        with MaasClient(system.url, system.api_key) as maas:
            pages = seed(maas, Path(name), SECONDS).pages
        visitor = Visitor(browser, system.url, viewport=SIZE, color_scheme="light")
        visitor.log_in(system.api_key)
        written = sum(photograph(visitor, title, path) for title, path in pages.items())
        dark = Visitor(browser, system.url, viewport=SIZE, color_scheme="dark")
        dark.log_in(system.api_key)
        written += photograph(dark, "model", pages["model"], "model-dark")
        faults = visitor.leave() + dark.leave()
    print(f"{len(pages) + 1} pictures, {written / 1000:.0f} kB, in {IMAGES.relative_to(ROOT)}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults or written > MOST_BYTES else 0


def photograph(visitor: Visitor, title: str, path: str, name: str = "") -> int:
    """The size of the file, in bytes."""
    page = visitor.show(path)
    if act := BEFORE.get(title):
        act(page)
        visitor.settle()
    page.wait_for_timeout(300)  # plots are drawn
    height = min(TALLEST, page.evaluate("() => document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": SIZE["width"], "height": max(height, 300)}
    taken = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
    target = IMAGES / f"console-{name or title}.png"
    taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
