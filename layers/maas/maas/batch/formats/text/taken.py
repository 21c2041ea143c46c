"""Lines that were taken from a file: as one text where they can be read at once, else one by one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands for a line of more than MAX_LINE_BYTES: its beginning, size and number of quotes."""

    beginning: bytes
    size_bytes: int
    quotes: int


Line = bytes | TooLong
Piece = bytes | list[Line]  # lines that each have their newline, of which none begins with a blank; or any lines


def split(text: bytes) -> list[Line]:
    """The lines of a text in which each has its newline."""
    return text[:-1].split(b"\n")  # type: ignore[return-value]


class Taken:
    """Some lines in order; `ends` are the positions after each, `size_bytes` are theirs without newlines."""

    def __init__(self) -> None:
        self.ends: list[int] = []
        self.size_bytes = 0
        self._pieces: list[Piece] = []

    def __len__(self) -> int:
        return len(self.ends)

    def add(self, piece: Piece, ends: list[int], size_bytes: int) -> None:
        self._pieces.append(piece)
        self.ends += ends
        self.size_bytes += size_bytes

    @property
    def text(self) -> bytes | None:
        """All lines with their newlines. None if some may be too long, have several lines or begin with a blank."""
        if not all(isinstance(piece, bytes) for piece in self._pieces):
            return None
        return b"".join(self._pieces)  # type: ignore[arg-type]

    @property
    def lines(self) -> list[Line]:
        found: list[Line] = []
        for piece in self._pieces:
            found += split(piece) if isinstance(piece, bytes) else piece
        return found


class Unread(Sequence[T]):
    """The records of lines, made when they are asked for: where all lines were read at once, few are."""

    def __init__(self, taken: Taken, make: Callable[[Taken], list[T]]) -> None:
        self._taken, self._make = taken, make

    def __len__(self) -> int:
        return len(self._taken)

    def __getitem__(self, place: Any) -> Any:
        return self._records[place]

    def __iter__(self) -> Iterator[T]:
        return iter(self._records)

    @cached_property
    def _records(self) -> list[T]:
        return self._make(self._taken)
