"""The interface of a format: source, options, plan, chunks of records, reader and writer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from maas.errors import InvalidRequest
from maas.serving.datatypes import Array


class Source(Protocol):
    """An input object. `read` is called from several threads at once; each call costs a round trip.

    Equal sources hold the same bytes.
    """

    @property
    def size_bytes(self) -> int: ...

    def __hash__(self) -> int: ...

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end)."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """A job's options for its records; None leaves the choice to the file and the model.

    `columns` are the features of the one 2-D input, in order; `exclude` are the columns that are no features. `join`
    copies the input's fields to the output. `select` names the outputs to write.
    """

    columns: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    join: bool = False
    select: tuple[str, ...] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """From the options of a job; those of other modules are ignored. Raises InvalidRequest."""
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
    """`shards` are ranges [start, end), in bytes of text or rows, that hold each record once and in order.

    `layout` is what a reader needs to know of the file besides its range: JSON values of less than 50 kB. DynamoDB does
    not keep the order of a map, so ordered values are lists.
    """

    shards: list[tuple[int, int]]
    layout: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records that run at once.

    Where chunks end depends only on where the first one starts, the number of rows asked for and the data. `good` are
    the places (0 ≤ place < rows) of the records in `inputs`, arrays of shape (len(good), *record), row-major, with the
    dtypes of maas.serving.datatypes; `errors` has the message for each other
    place. A `whole` chunk is one record whose arrays have the model's own shapes, which run and are written unchanged.
    `carried` passes values from the reader to the writer of a format.
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
        """The records that begin in [start, end), in chunks of at most `batch_rows` records of one shape.

        Raises InvalidRequest where the file is damaged, and whatever the source raises.
        """
        ...


class Writer(Protocol):
    @property
    def size_bytes(self) -> int:
        """The approximate size of what was added so far."""
        ...

    def add(self, chunk: Chunk, predicted: Mapping[str, Array], failed: Mapping[int, str]) -> None:
        """`failed` has the messages by place, with those of the chunk; `predicted` the outputs of the others, in order.

        An array of `predicted` is (records, *record), for a `whole` chunk as the model returned it. Raises
        InvalidRequest for outputs that the format cannot hold.
        """
        ...

    def finish(self) -> dict[str, bytes]:
        """The files of the part, by the suffix of their names. Equal chunks give equal bytes."""
        ...
