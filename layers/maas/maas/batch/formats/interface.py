"""What every format has in common: a source, a plan, chunks of records, and who reads and writes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np

from maas.errors import InvalidRequest

Array = np.ndarray[Any, Any]

ERRORS_SUFFIX = "errors.jsonl"  # beside the outputs of a binary format, where there are errors


class Source(Protocol):
    """An input object. `read` may be called from several threads at once; each call costs a round trip.

    Equal sources have the same bytes.
    """

    @property
    def size_bytes(self) -> int: ...

    def __hash__(self) -> int: ...

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end)."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """A job's wishes about its records. None is: as the file and the model have it.

    `columns` are those that make up the one 2-D input, in this order; `exclude` are those that do not. `join` carries
    the input's fields along. `select` are the outputs that are wanted.
    """

    columns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    join: bool = False
    select: tuple[str, ...] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Of the options of a job, of which others are passed over. Raises InvalidRequest."""
        join = options.get("join")
        if join not in (None, "input"):
            raise InvalidRequest(f"join: got {join!r:.80}, expected 'input'", field="join")
        columns, exclude, select = (_names(options, name) for name in ("columns", "exclude", "select"))
        if columns is not None and exclude is not None:
            raise InvalidRequest("exclude: got it beside columns, expected one of the two", field="exclude")
        return cls(columns, exclude, join == "input", select)


def _names(options: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    names = options.get(name)
    if names is None:
        return None
    if not isinstance(names, list | tuple) or not names or not all(type(one) is str for one in names):
        raise InvalidRequest(f"{name}: got {names!r:.80}, expected an array of names", field=name)
    if len(set(names)) != len(names):
        raise InvalidRequest(f"{name}: got {names!r:.80}, expected each name once", field=name)
    return tuple(names)


@dataclass(frozen=True, slots=True)
class Plan:
    """Ranges [start, end) that have each record once, in order, in the format's units: bytes of text, else rows.

    `layout` is what the reader needs to know of the file beside its range: plain JSON values, less than 50 kB. It
    is kept in a table whose maps have no order: what has one is a list.
    """

    shards: list[tuple[int, int]]
    layout: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that are run at once.

    Where a chunk ends follows from where it begins, the number of rows asked for and the data alone: reading on from
    `end` gives the chunks that would have come. `good` are the places (0 ≤ place < rows) of the records in `inputs`,
    arrays of shape (len(good), *record), row-major, of the dtype of maas.datatypes; `errors` tells what is wrong with
    the others by place. A `whole` chunk is one record whose arrays have the model's own shape: run as they are, and
    given to the writer as they come out. `carried` is between the reader and the writer of a format.
    """

    end: int
    rows: int
    good: Sequence[int]
    inputs: dict[str, Array]
    errors: dict[int, str]
    whole: bool = False
    carried: Any = None


class Reader(Protocol):
    def chunks(self, source: Source, start: int, end: int, batch_rows: int) -> Iterator[Chunk]:
        """The records that begin in [start, end), at most `batch_rows` of one shape at a time.

        Raises InvalidRequest where the file cannot be read on, and whatever the source raises.
        """
        ...


class Writer(Protocol):
    @property
    def size_bytes(self) -> int:
        """Roughly, so far."""
        ...

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        """`failed` tells what is wrong by place, all of `chunk.errors` with it; `predicted` has the others, in order.

        An array of `predicted` is (records, *record), or of a `whole` chunk what the model gave. Raises InvalidRequest
        for outputs that the format cannot hold.
        """
        ...

    def finish(self) -> dict[str, bytes]:
        """What to write, by the suffix of the part's name. The same chunks always give the same bytes."""
        ...
