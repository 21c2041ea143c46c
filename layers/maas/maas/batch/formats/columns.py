"""Maps the columns of a table to inputs: by name, or all columns in order to the one 2-D input.

Index columns, which pandas adds to files, are no features unless `columns` names them.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile

from maas.batch.formats.interface import Options
from maas.batch.formats.signatures import RecordInputs, RecordTensor
from maas.errors import InvalidRequest

_UNNAMED = re.compile(r"(Unnamed: [0-9]+(\.[0-9]+)?)?")  # pandas writes "" and reads it as "Unnamed: 0"
_INDEX_LEVEL = re.compile(r"__index_level_[0-9]+__")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The columns of an input, by place in the table. `is_named`: the one of its name; otherwise its features."""

    tensor: RecordTensor
    places: tuple[int, ...]
    is_named: bool


def choose(
    names: Sequence[str],
    options: Options,
    inputs: RecordInputs,
    index: Collection[str] = (),
    lists: Collection[str] = (),
) -> list[Chosen]:
    """The columns of each input. `index` are index columns; those in `lists` hold several values a row.

    Raises InvalidRequest where the columns cannot be the model's inputs.
    """
    check_unique(names)
    wishes = options.columns is not None or options.exclude is not None
    is_named = all(tensor.name in names and (tensor.is_one_value or tensor.name in lists) for tensor in inputs.required)
    if is_named and not wishes and inputs.required:
        places = {name: place for place, name in enumerate(names)}
        return [Chosen(one, (places[one.name],), True) for one in inputs.tensors if one.name in places]
    tensor = inputs.single
    if tensor is None or len(tensor.shape) > 1:
        wanted = [f"{one.name} {list(one.shape)}" for one in inputs.required]
        raise _wrong(f"{list(names)!s:.500}{_separator(names)}", f"a column for each input: {wanted}")
    return [Chosen(tensor, _features(names, options, index, tensor), False)]


def unnamed(names: Sequence[str]) -> list[str]:
    """The index columns of a CSV header: the leading ones without a name."""
    return list(takewhile(_UNNAMED.fullmatch, names))


def is_index_level(name: str) -> bool:
    """Whether pandas gives this name to an index without one in a Parquet file."""
    return _INDEX_LEVEL.fullmatch(name) is not None


def check_unique(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise _wrong(f"{twice} more than once", "each name once")


def check_joined(names: Sequence[str], outputs: Sequence[str]) -> None:
    """Raises InvalidRequest where an input column and an output have the same name."""
    if same := sorted(set(names) & set(outputs)):
        raise InvalidRequest(f"join: got input columns {same}, expected none with the name of an output", field="join")


def _features(names: Sequence[str], options: Options, index: Collection[str], tensor: RecordTensor) -> tuple[int, ...]:
    for field, wished in (("columns", options.columns), ("exclude", options.exclude)):
        if unknown := [name for name in wished or () if name not in names]:
            raise InvalidRequest(f"{field}: got {unknown!s:.200}, expected some of {list(names)!s:.500}", field=field)
    kept = options.columns or [name for name in names if name not in index and name not in (options.exclude or ())]
    width = tensor.shape[0] if tensor.shape else 1
    if not kept or width not in (-1, len(kept)):
        expected = (
            f"{'at least one' if width == -1 else width} for input '{tensor.name}'; choose them with columns or exclude"
        )
        left_out = f" without the index {list(index)!s:.200}" if index and not options.columns else ""
        raise _wrong(f"{len(kept)} ({list(kept)!s:.200}){_separator(names)}{left_out}", expected)
    places = {name: place for place, name in enumerate(names)}
    return tuple(places[name] for name in kept)


def _separator(names: Sequence[str]) -> str:
    """Says what the cells of a CSV without commas look separated by, as of a spreadsheet that writes decimal commas."""
    found = [one for one in ";\t|" if one in names[0]] if len(names) == 1 else []
    return f", which is separated by {found[0]!r} and not by commas" if found else ""


def _wrong(came: object, expected: str) -> InvalidRequest:
    return InvalidRequest(f"columns: got {came!s:.500}, expected {expected}", field="columns")
