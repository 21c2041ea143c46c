"""Draws digits in a terminal: one character shows two pixels, one above the other."""

from collections.abc import Sequence

import numpy as np
from rich.style import Style
from rich.table import Table
from rich.text import Text

BRIGHTEST = 16
_SHAPES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def gallery(images: Sequence[np.ndarray], rows: Sequence[tuple[str, Sequence[Text]]], *, color: bool) -> Table:
    """The images, 64 pixels each, side by side; below them `rows`, each a title and a text per image."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="dim")
    for _ in images:
        table.add_column(justify="center", min_width=8)
    table.add_row("", *(drawn(image, color=color) for image in images))
    for title, texts in rows:
        table.add_row(title, *texts)
    return table


def drawn(image: np.ndarray, *, color: bool) -> Text:
    """Four lines of eight characters; without colour, pixels are on or off."""
    pixels = image.reshape(8, 8)
    lines = [
        Text.assemble(*(_cell(upper, lower, color) for upper, lower in zip(*pixels[row : row + 2], strict=True)))
        for row in range(0, 8, 2)
    ]
    return Text("\n").join(lines)


def _cell(upper: float, lower: float, color: bool) -> Text:
    if color:
        return Text("▀", Style(color=_grey(upper), bgcolor=_grey(lower)))
    return Text(_SHAPES[upper > BRIGHTEST / 2, lower > BRIGHTEST / 2])


def _grey(pixel: float) -> str:
    level = round(25 + 230 * float(pixel) / BRIGHTEST)
    return f"#{level:02x}{level:02x}{level:02x}"
