"""Answers in JSON become frozen dataclasses: each field checked, unknown fields passed over."""

import json
from collections.abc import Hashable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from maas_client.errors import InvalidResponse

_Record = TypeVar("_Record")
_Value = TypeVar("_Value")
_NAMES: dict[object, str] = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}


def parse(content: bytes) -> Any:
    """The value of a JSON text. Raises InvalidResponse."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidResponse(f"the answer is not JSON ({type(error).__name__}): {content[:80]!r}") from None


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of a list says of the next one."""

    next_page_token: str | None = None


def read(kind: type[_Record], value: object, where: str = "") -> _Record:
    """A dataclass from a JSON object. null and a missing field are the field's default. Raises InvalidResponse."""
    if not isinstance(value, Mapping):
        raise _unexpected(where or kind.__name__, value, "an object")
    given = {}
    for name, wanted, has_default in _fields(kind):  # type: ignore[arg-type]  # a class is hashable
        place = f"{where}.{name}" if where else name
        if value.get(name) is not None:
            given[name] = _value(wanted, value[name], place)
        elif not has_default:
            raise _missing(place)
    return kind(**given)


def field_of(answer: object, name: str, wanted: type[_Value]) -> _Value:
    """A field of a JSON object that is no dataclass; null is an empty tuple. Raises InvalidResponse."""
    if not isinstance(answer, Mapping):
        raise _unexpected("body", answer, "an object")
    if name not in answer:
        raise _missing(name)
    is_empty = answer[name] is None and get_origin(wanted) is tuple
    found: _Value = _value(wanted, [] if is_empty else answer[name], name)
    return found


@cache
def _fields(kind: Hashable) -> list[tuple[str, Any, bool]]:
    """Name, type, and whether there is a default."""
    hints = get_type_hints(kind)
    missing = (MISSING, MISSING)
    return [
        (spec.name, hints[spec.name], (spec.default, spec.default_factory) != missing)
        for spec in fields(kind)  # type: ignore[arg-type]
    ]


def _value(wanted: Any, value: object, where: str) -> Any:
    origin, arguments = get_origin(wanted), get_args(wanted)
    if wanted is Any:
        return value
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        (wanted,) = [one for one in arguments if one is not NoneType]
        return _value(wanted, value, where)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return read(wanted, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise _unexpected(where, value, "an array")
        return tuple(_value(arguments[0], one, f"{where}[{index}]") for index, one in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _unexpected(where, value, "an object")
        return {str(name): _value(arguments[1], one, f"{where}.{name}") for name, one in value.items()}
    return _scalar(wanted, value, where)


def _scalar(wanted: type, value: object, where: str) -> Any:
    allowed = (int, float) if wanted is float else (wanted,)
    if isinstance(value, allowed) and (wanted is bool or not isinstance(value, bool)):
        return value
    raise _unexpected(where, value, _NAMES[wanted])


def _unexpected(where: str, value: object, expected: str) -> InvalidResponse:
    return InvalidResponse(f"the answer's {where} is {repr(value)[:80]}, expected {expected}")


def _missing(where: str) -> InvalidResponse:
    return InvalidResponse(f"the answer has no {where}: is the server of this client's release?")
