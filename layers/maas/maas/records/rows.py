"""Records as rows, which another release of this code may write too.

While a deployment goes on, and after it was taken back, older code meets rows of newer code. Fields that a record does
not know are read over, and written again with it (docs/adr/0032-rows-of-another-release.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self

UNKNOWN = "unknown"
SPARSE = "SPARSE"  # a class that has it is stored without the fields that have their default


@dataclass(frozen=True, slots=True)
class Row:
    """A record of the table, or a part of one. `unknown` are fields that this release does not know."""

    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False, kw_only=True)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        return cls(**known(cls, row))


def known(kind: type[Row], row: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments for a kind of Row: fields of its own, and the others as its `unknown`."""
    names = kind.__dataclass_fields__.keys()
    if row.keys() <= names:
        return dict(row)
    found: dict[str, Any] = {UNKNOWN: {}}
    for name, value in row.items():
        (found if name in names else found[UNKNOWN])[name] = value
    return found


def row_of(value: Any) -> Any:
    """A record as plain values, and so what it holds; each with its unknown fields."""
    if is_dataclass(value):
        own = {one.name: getattr(value, one.name) for one in fields(value) if one.name != UNKNOWN}
        if hasattr(value, SPARSE):
            defaults = {one.name: one.default for one in fields(value)}
            own = {name: one for name, one in own.items() if one != defaults[name]}
        return {**getattr(value, UNKNOWN, {}), **row_of(own)}
    if isinstance(value, Mapping):
        return {name: row_of(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [row_of(one) for one in value]
    return value


def fields_of(record: Any) -> dict[str, Any]:
    """The record as its row, for `of` to read back, without empty strings, which are defaults."""
    return {name: value for name, value in row_of(record).items() if value != ""}
