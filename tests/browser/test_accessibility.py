"""Every page in dark and light, narrow, and by keyboard alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from support.browser.running import Running
from support.browser.seed import Seeded
from support.browser.visitor import Visit, Visitor

HELD = "() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))"
NARROW = {"width": 360, "height": 740}
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_wcag_violation(visit: Visit, system: Running, seeded: Seeded, scheme: str) -> None:
    visitor, axe = visit(color_scheme=scheme), Axe()
    visitor.open()
    found = {"log-in": violations(axe, visitor)}
    visitor.log_in(system.api_key)
    for name, path in seeded.pages.items():
        visitor.show(path)
        found[name] = violations(axe, visitor)
    assert {name: told for name, told in found.items() if told} == {}


def violations(axe: Axe, visitor: Visitor) -> list[str]:
    # Animations end in colours that are not those to read.
    found = axe.run(visitor.page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]} {node['failureSummary']}" for one in found for node in one["nodes"]]


def test_narrow_pages_do_not_scroll_sideways(visit: Visit, system: Running, seeded: Seeded) -> None:
    visitor = visit(viewport=NARROW)
    visitor.open()
    widths = {"log-in": width(visitor)}
    visitor.log_in(system.api_key)
    for name, path in seeded.pages.items():
        visitor.show(path)
        widths[name] = width(visitor)
    assert {name: found for name, found in widths.items() if found > NARROW["width"]} == {}


def width(visitor: Visitor) -> int:
    found: int = visitor.page.evaluate("() => document.scrollingElement.scrollWidth")
    return found


def test_keyboard_alone(visit: Visit, system: Running, seeded: Seeded) -> None:
    """From the log-in to a model, into a dialog and out of it, where the focus was. Each page begins at its heading."""
    visitor = visit()
    page = visitor.open()
    keyboard = page.keyboard
    tab_to(visitor, "API key")
    keyboard.type(system.api_key)
    keyboard.press("Enter")
    for heading, link in (("Models", "digits"), ("digits", "Edit")):  # it has the focus once the page is there
        expect(page.get_by_role("heading", name=heading, exact=True, level=1)).to_be_focused()
        visitor.settle()
        tab_to(visitor, link)
        keyboard.press("Enter")
    assert page.url.endswith("#/models/digits")
    page.get_by_role("dialog").wait_for()
    for _ in range(12):  # it holds the focus
        keyboard.press("Tab")
        assert page.evaluate(HELD)
    keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_focused()


def focused(visitor: Visitor) -> str:
    """The name of what has the focus, from its label or its text."""
    return visitor.page.evaluate(
        """() => {
            const one = document.activeElement;
            return (one.ariaLabel ?? one.labels?.[0]?.textContent ?? one.textContent).trim();
        }"""
    )


def tab_to(visitor: Visitor, name: str, most: int = 60) -> None:
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        if focused(visitor) == name:
            return
    raise AssertionError(f"{name} is not reached by {most} times Tab")
