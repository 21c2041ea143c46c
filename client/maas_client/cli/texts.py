"""Reads text from outside: UTF-8 whatever the locale, and numbers as JSON writes them."""

import codecs
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from maas_client.errors import InvalidInput

STDIN = "-"
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(source: str) -> str:
    """The text of a file, or of standard input for `-`, without a byte order mark. Raises InvalidInput."""
    try:
        return decoded(source, standard_input() if source == STDIN else Path(source).read_bytes())
    except OSError as error:
        raise InvalidInput(f"cannot read {source}: {error.strerror or error}") from error


def standard_input() -> bytes:
    """Raises InvalidInput where it is closed, as by `<&-` and by some that start services."""
    if sys.stdin is None:
        raise InvalidInput("standard input is closed")
    return sys.stdin.buffer.read()


def lines_of(source: str) -> list[str]:
    """The lines of a file, or of standard input for `-`, without their ends. Raises InvalidInput, also for none."""
    lines = [line.removesuffix("\r") for line in read_text(source).split("\n")]
    if lines[-1] == "":
        lines.pop()
    if not lines:
        raise InvalidInput(f"{called(source)} is empty, expected a text a line")
    return lines


def read_json(source: str, content: bytes | None = None) -> Any:
    """The JSON value of `content`, or else of a file, or of standard input for `-`. Raises InvalidInput."""
    text = read_text(source) if content is None else decoded(source, content)
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidInput(f"{called(source)} is nested too deep") from None
    except ValueError as error:
        raise InvalidInput(f"{called(source)} is not JSON: {error}") from None


def decoded(source: str, content: bytes) -> str:
    """Text without a byte order mark; UTF-8 is what JSON requires, whatever the locale. Raises InvalidInput."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = "UTF-16" if content.startswith(_UTF_16) else f"other bytes, from byte {error.start:,} on"
        raise InvalidInput(f"{called(source)}: got {found}, expected text in UTF-8") from None


def duration(text: str) -> timedelta:
    """The time that 30m, 1h or 7d is; an option's `parser`."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})(m|h|d)", text)
    if not found:
        raise typer.BadParameter(f"{text!r}: expected a number of minutes, hours or days, as in 30m, 1h or 7d")
    return int(found[1]) * {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[found[2]]


def called(source: str) -> str:
    """What a message calls it."""
    return "standard input" if source == STDIN else source


def whole(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """A reader of whole numbers on the command line."""
    limits = f"of at least {minimum:,}" if maximum is None else f"from {minimum:,} to {maximum:,}"

    def number(given: str | int) -> int:  # an int is an option's default
        text = str(given)
        if WHOLE.fullmatch(text) and len(text) < 20 and minimum <= int(text) <= (maximum or 10**20):
            return int(text)
        raise typer.BadParameter(f"got {text!r}, expected a whole number {limits}")

    return number


def sizes(text: str) -> tuple[str, tuple[int, ...]]:
    """A reader of NAME=1x3x640x640, an input's name and shape, on the command line."""
    name, equals, shape = text.rpartition("=")
    if name and equals and re.fullmatch(r"([1-9][0-9]{0,9}(x[1-9][0-9]{0,9})*)?", shape):
        return name, tuple(int(size) for size in shape.split("x") if size)
    raise typer.BadParameter(f"got {text!r}, expected NAME=SIZExSIZE, as in image=1x3x640x640")


def time(text: str) -> datetime:
    """A reader of a day or a time on the command line: RFC 3339, with or without an offset."""
    try:
        if text.isascii():
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise typer.BadParameter(f"got {text!r}, expected a time as in 2026-01-31 or 2026-01-31T09:30:00Z")


def positive(text: str) -> float:
    """A reader of numbers above 0 on the command line."""
    if NUMBER.fullmatch(text) and 0 < float(text) < float("inf"):
        return float(text)
    raise typer.BadParameter(f"got {text!r}, expected a number above 0")


def not_negative(text: str) -> float:
    """A reader of numbers from 0 on, on the command line."""
    if NUMBER.fullmatch(text) and 0 <= float(text) < float("inf"):
        return float(text)
    raise typer.BadParameter(f"got {text!r}, expected a number of at least 0")


def comparison(text: str) -> dict[str, float] | str:
    """A reader of RTOL,ATOL or top1 or none."""
    if text in ("top1", "none"):
        return text
    rtol, _, atol = text.partition(",")
    return {"rtol": not_negative(rtol), "atol": not_negative(atol)}
