import io

import numpy as np
from rich.console import Console
from rich.text import Text

from maas_local.demo.drawing import drawn, gallery

CORNER = np.zeros(64, np.float32)
CORNER[[0, 1, 8, 18]] = 16  # the upper left, and a pixel in the third row


def test_two_pixels_per_character_without_colour() -> None:
    assert drawn(CORNER, color=False).plain == "█▀      \n  ▀     \n        \n        "


def test_pixels_are_grey_with_colour() -> None:
    first, second = drawn(CORNER, color=True).spans[:2]
    assert (str(first.style), str(second.style)) == ("#ffffff on #ffffff", "#ffffff on #191919")


def test_gallery_rows_are_below_the_images() -> None:
    console = Console(width=60, record=True, file=io.StringIO())
    console.print(gallery([CORNER, CORNER], [("it is", [Text("3"), Text("5")])], color=False))
    lines = console.export_text().splitlines()
    assert lines[0].split() == ["█▀", "█▀"]
    assert lines[-1].split() == ["it", "is", "3", "5"]
