"""Arguments of the client's methods, as they are sent. Each raises InvalidInput: what came, and what is expected."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from maas_client.errors import InvalidInput

T = TypeVar("T")


def by_name(name: str, given: object) -> dict[Any, Any]:
    """A mapping, as a dict."""
    if not isinstance(given, Mapping):
        raise _wrong(f"'{name}'", given, "a mapping")
    return dict(given)


def listed(name: str, given: object, expected: str = "a list") -> list[Any]:
    """A list, a tuple, an array: anything but text, which would be its letters."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise _wrong(f"'{name}'", given, expected)
    try:
        return [*given]
    except TypeError:  # an array without dimensions
        raise _wrong(f"'{name}'", given, expected) from None


def text(name: str, given: object) -> str:
    """Text that UTF-8 can carry."""
    return _text(f"'{name}'", given)


def texts(name: str, given: object) -> list[str]:
    return [_text(f"'{name}' {index}", one) for index, one in enumerate(listed(name, given, "a list of texts"))]


def instance(name: str, given: object, kind: type[T]) -> T:
    if not isinstance(given, kind):
        raise _wrong(f"'{name}'", given, f"a {kind.__name__}")
    return given


def moment(name: str, given: object) -> datetime:
    return instance(name, given, datetime)


def seconds(name: str, given: object) -> float:
    """A limit of time."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise _wrong(f"'{name}'", given, "a number of seconds")
    found = float(given)
    if not found > 0:
        raise InvalidInput(f"a timeout of {given} s leaves no time: give more than 0, or None")
    return found


def count(name: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise InvalidInput(f"'{name}' is {given!r:.80}, expected a whole number of at least 1")
    return given


def path(name: str, given: object) -> Path:
    try:
        return Path(given)  # type: ignore[arg-type]
    except TypeError:
        raise _wrong(f"'{name}'", given, "a path") from None


def _text(said: str, given: object) -> str:
    if not isinstance(given, str):
        raise _wrong(said, given, "text")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"{said} has a surrogate by itself, which no UTF-8 text has") from None
    return given


def _wrong(said: str, given: object, expected: str) -> InvalidInput:
    return InvalidInput(f"{said} is a {type(given).__name__}, expected {expected}")
