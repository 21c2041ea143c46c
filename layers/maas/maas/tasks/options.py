"""Options of a task in one request, by name, with the field's name in each error."""

from collections.abc import Mapping, Sequence
from typing import Any

from maas.errors import InvalidRequest
from maas.serving.oip import kind_of


class Options:
    """Typed access to a request's parameters. Those that a task does not read are ignored, as the protocol requires."""

    def __init__(self, parameters: Mapping[str, Any], where: str = "parameters.") -> None:
        """`where` stands before a name in errors."""
        self._parameters, self._where = parameters, where

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._parameters.get(name)
        if value is None:
            return default
        if type(value) is not bool:
            raise self._wrong(name, value, "true or false")
        return value

    def whole(self, name: str, default: int | None, most: int) -> int | None:
        """From 1 to `most`."""
        value = self._parameters.get(name)
        if value is None:
            return default
        if type(value) is str and value.isascii() and value.isdigit() and len(value) < 10:
            value = int(value)
        if type(value) is not int or not 1 <= value <= most:
            raise self._wrong(name, value, f"a whole number from 1 to {most}")
        return value

    def text(self, name: str, default: str, choices: Sequence[str] | None = None) -> str:
        value = self._parameters.get(name)
        if value is None:
            return default
        if type(value) is not str or (choices is not None and value not in choices):
            raise self._wrong(name, value, f"one of {list(choices)}" if choices is not None else "text")
        return value

    def texts(self, name: str) -> list[str]:
        """An array of distinct texts, or one text with commas between them; [] if it is absent."""
        value = self._parameters.get(name)
        if type(value) is str:
            value = [part.strip() for part in value.split(",")]
        if value is None:
            return []
        if type(value) is not list or not all(type(one) is str and one for one in value) or not value:
            raise self._wrong(name, value, "an array of texts, or one text with commas between them")
        if len(set(value)) != len(value):
            raise self._wrong(name, value, "each text once")
        return value

    def _wrong(self, name: str, came: object, expected: str) -> InvalidRequest:
        shown, field = kind_of(came) if isinstance(came, list | dict) else repr(came), self._where + name
        return InvalidRequest(f"{field}: got {shown:.80}, expected {expected}", field=field)
