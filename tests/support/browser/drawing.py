"""Strokes with the mouse."""

from math import cos, pi, sin
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def draw_zero(page: "Page", canvas: "Locator") -> None:
    """An upright ellipse in the middle of the canvas."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    points = [
        (x + sin(2 * pi * turn / 40) * box["width"] * 0.2, y - cos(2 * pi * turn / 40) * box["height"] * 0.32)
        for turn in range(42)
    ]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point)
    page.mouse.up()
