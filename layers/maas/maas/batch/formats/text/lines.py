"""Splits blocks of bytes into lines with their end positions. Memory is bounded by one line."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, chain

BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 64 << 20
MAX_CHUNK_BYTES = 64 << 20  # of several lines taken at once
SHOWN_BYTES = 1024  # kept of a line that is too long


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands for a line of more than MAX_LINE_BYTES: its beginning, size and number of quotes."""

    beginning: bytes
    size_bytes: int
    quotes: int


Line = bytes | TooLong


class Lines:
    """The lines that begin before `end`, in order, without blank ones, which are no records.

    `blocks` hold the bytes from `position` on. A line ends at a newline, with `quoted` at one outside double quotes. A
    byte order mark at the beginning of the file is dropped.
    """

    def __init__(self, blocks: Iterator[bytes], position: int, end: int, *, quoted: bool = False) -> None:
        self._split = _split_quoted(blocks) if quoted else _split(blocks)
        self._position, self._end = position, end
        self._lines: list[Line] = []
        self._ends: list[int] = []
        self._taken = 0  # number of `_lines` that were taken

    def take(self, count: int, left_bytes: int = MAX_CHUNK_BYTES) -> tuple[list[Line], list[int]]:
        """At most `count` lines, without newlines, and the position after each.

        Stops after the line that exceeds `left_bytes`; takes none if that is negative.
        """
        lines: list[Line] = []
        ends: list[int] = []
        size_bytes = 0
        while len(lines) < count and size_bytes <= left_bytes and (self._taken < len(self._lines) or self._fetch()):
            wanted = slice(self._taken, self._taken + count - len(lines))
            for line, end in zip(self._lines[wanted], self._ends[wanted], strict=True):
                self._taken += 1
                if isinstance(line, TooLong) or (line and not line.isspace()):
                    lines.append(line)
                    ends.append(end)
                    size_bytes += len(line) if isinstance(line, bytes) else 0
                    if size_bytes > left_bytes:
                        break
        return lines, ends

    def _fetch(self) -> bool:
        """Split the next block; returns whether there was one with lines that begin before the end."""
        if self._position >= self._end:
            return False
        lines = next(self._split, None)
        if lines is None:
            return False
        at = self._position
        sizes = [1 + (line.size_bytes if isinstance(line, TooLong) else len(line)) for line in lines]
        ends = list(accumulate(sizes, initial=at))
        if at == 0 and lines and isinstance(lines[0], bytes):
            lines[0] = lines[0].removeprefix(BOM)
        kept = sum(1 for start in ends[:-1] if start < self._end) if ends[-1] > self._end else len(lines)
        self._lines, self._ends, self._taken = lines[:kept], ends[1 : kept + 1], 0
        self._position = ends[-1]
        return True


def after_newline(blocks: Iterator[bytes], position: int, end: int) -> tuple[Iterator[bytes], int]:
    """The blocks after the first newline and the position there; no blocks if it is not before `end`.

    `blocks` hold the bytes from `position` on.
    """
    for block in blocks:
        found = block.find(b"\n")
        if found >= 0:
            return chain([block[found + 1 :]], blocks), position + found + 1
        position += len(block)
        if position >= end:
            break
    return iter(()), end


class _Begun:
    """A line that may go on. Bytes beyond MAX_LINE_BYTES are counted, not kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._quotes = 0

    def __bool__(self) -> bool:
        return self._size_bytes > 0

    @property
    def is_quoted(self) -> bool:
        """An odd number of quotes so far: the next newline is part of the line."""
        return self._quotes % 2 == 1

    def add(self, line: Line) -> None:
        if self._size_bytes <= MAX_LINE_BYTES:
            self._parts.append(line if isinstance(line, bytes) else line.beginning)
        self._size_bytes += len(line) if isinstance(line, bytes) else line.size_bytes
        self._quotes += line.count(b'"') if isinstance(line, bytes) else line.quotes

    def end(self) -> Line:
        """Return the line and begin the next one."""
        text = b"".join(self._parts)
        too_long = self._size_bytes > MAX_LINE_BYTES
        line = TooLong(text[:SHOWN_BYTES], self._size_bytes, self._quotes) if too_long else text
        self._parts, self._size_bytes, self._quotes = [], 0, 0
        return line


def _split(blocks: Iterator[bytes]) -> Iterator[list[Line]]:
    """The lines that end in each block; the bytes after the last newline are a line too."""
    begun = _Begun()
    for block in blocks:
        first, *lines = block.split(b"\n")
        begun.add(first)
        if lines:
            last = lines.pop()
            yield [begun.end(), *lines]
            begun.add(last)
    if begun:
        yield [begun.end()]


def _split_quoted(blocks: Iterator[bytes]) -> Iterator[list[Line]]:
    """As `_split`, but a newline after an odd number of quotes belongs to the line."""
    begun = _Begun()
    for lines in _split(blocks):
        ended: list[Line] = []
        place = 0
        while place < len(lines):
            line = lines[place]
            if not begun and isinstance(line, bytes) and b'"' not in line:
                ended.append(line)
            else:
                begun.add(line)
                if begun.is_quoted:
                    place = _pass_over(lines, place, begun)
                else:
                    ended.append(begun.end())
            place += 1
        yield ended
    if begun:
        yield [begun.end()]


def _pass_over(lines: list[Line], place: int, begun: _Begun) -> int:
    """Add the newline after `place` and the lines without quotes that follow; returns the place of the last one."""
    last = place
    while last + 1 < len(lines) and isinstance(line := lines[last + 1], bytes) and b'"' not in line:
        last += 1
    begun.add(b"\n".join([b"", *lines[place + 1 : last + 1], b""]))  # type: ignore[list-item]
    return last
