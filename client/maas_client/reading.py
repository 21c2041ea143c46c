"""Reads JSON answers into frozen dataclasses: checks each field, ignores unknown ones."""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from maas_client.errors import InvalidResponse

_Record = TypeVar("_Record")
_Value = TypeVar("_Value")
Reader = Callable[[object, str], Any]  # of a value and the place where it stands
_NAMES: dict[object, str] = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def parse(content: bytes) -> Any:
    """The value of a JSON text. Raises InvalidResponse."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidResponse(f"the answer is not JSON ({type(error).__name__}): {content[:80]!r}") from None


def instant(text: str) -> datetime:
    """The time of an answer, RFC 3339 with a zone. Raises InvalidResponse."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found
    except ValueError:
        pass
    raise InvalidResponse(f"the answer has the time {text!r:.80}, expected one as in 2026-01-31T12:00:00Z")


@dataclass(frozen=True, slots=True)
class Page:
    """The token of the next page of a list."""

    next_page_token: str | None = None


def read(kind: type[_Record], value: object, where: str = "") -> _Record:
    """A dataclass from a JSON object. null and a missing field are the field's default. Raises InvalidResponse."""
    if not isinstance(value, Mapping):
        raise _unexpected(where or kind.__name__, value, "an object")
    given = {}
    for name, reader, has_default in _fields(kind):  # type: ignore[arg-type]  # a class is hashable
        found = value.get(name)
        if found is not None:
            given[name] = reader(found, f"{where}.{name}" if where else name)
        elif not has_default:
            raise _missing(f"{where}.{name}" if where else name)
    return kind(**given)


def field_of(answer: object, name: str, wanted: type[_Value]) -> _Value:
    """A field of a JSON object that is no dataclass; null is an empty tuple. Raises InvalidResponse."""
    if not isinstance(answer, Mapping):
        raise _unexpected("body", answer, "an object")
    if name not in answer:
        raise _missing(name)
    is_empty = answer[name] is None and get_origin(wanted) is tuple
    found: _Value = _reader(wanted)([] if is_empty else answer[name], name)  # type: ignore[arg-type]
    return found


@cache
def _fields(kind: Hashable) -> list[tuple[str, Reader, bool]]:
    """Name, reader, and whether there is a default."""
    hints = get_type_hints(kind)
    missing = (MISSING, MISSING)
    return [
        (spec.name, _reader(hints[spec.name]), (spec.default, spec.default_factory) != missing)
        for spec in fields(kind)  # type: ignore[arg-type]
    ]


@cache
def _reader(wanted: Any) -> Reader:
    """A function that checks a value of this type; arrays become tuples, objects dataclasses."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return lambda value, where: value
    if origin in (Union, UnionType):
        (of,) = [_reader(one) for one in arguments if one is not NoneType]
        return lambda value, where: None if value is None else of(value, where)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return partial(read, wanted)
    if origin is tuple:
        return partial(_array, arguments[0], _reader(arguments[0]))
    if origin is dict:
        return partial(_object, _reader(arguments[1]))
    return partial(_scalar, (int, float) if wanted is float else wanted, _NAMES[wanted])


def _array(of: object, reader: Reader, value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _unexpected(where, value, "an array")
    if {*map(type, value)} <= {of}:  # a fast path, for shapes
        return tuple(value)
    return tuple(reader(one, f"{where}[{index}]") for index, one in enumerate(value))


def _object(reader: Reader, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _unexpected(where, value, "an object")
    return {str(name): reader(one, f"{where}.{name}") for name, one in value.items()}


def _scalar(allowed: Any, name: str, value: object, where: str) -> Any:
    if isinstance(value, allowed) and (allowed is bool or not isinstance(value, bool)):
        return value
    raise _unexpected(where, value, name)


def _unexpected(where: str, value: object, expected: str) -> InvalidResponse:
    return InvalidResponse(f"the answer's {where} is {repr(value)[:80]}, expected {expected}")


def _missing(where: str) -> InvalidResponse:
    return InvalidResponse(f"the answer has no {where}: is the server of this client's release?")
