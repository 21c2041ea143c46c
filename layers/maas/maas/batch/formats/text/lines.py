"""Splits blocks of bytes into lines with their end positions. Memory is bounded by one line."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, chain

import numpy as np

from maas.batch.formats.text.taken import Line, Piece, Taken, TooLong, split

BOM = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 64 << 20
MAX_CHUNK_BYTES = 64 << 20  # of several lines taken at once
PIECE_BYTES = 256 << 10
SHOWN_BYTES = 1024  # kept of a line that is too long
_NEWLINE, _SPACE = ord("\n"), ord(" ")


class Lines:
    """The lines that begin before `end`, in order, without blank ones, which are no records.

    `blocks` hold the bytes from `position` on. A line ends at a newline, with `quoted` at one outside double quotes. A
    byte order mark at the beginning of the file is dropped.
    """

    def __init__(self, blocks: Iterator[bytes], position: int, end: int, *, quoted: bool = False) -> None:
        self._split = _split_quoted(blocks) if quoted else _split(blocks)
        self._position, self._end = position, end
        self._piece: Piece = []
        self._at = position  # where the piece begins
        self._ends: list[int] = []  # of the lines in the piece
        self._taken = 0  # number of them that were taken

    def take(self, count: int, left_bytes: int = MAX_CHUNK_BYTES) -> Taken:
        """At most `count` lines.

        Stops after the line that exceeds `left_bytes`; takes none if that is negative.
        """
        taken = Taken()
        while (
            len(taken) < count and taken.size_bytes <= left_bytes and (self._taken < len(self._ends) or self._fetch())
        ):
            wanted = min(count - len(taken), len(self._ends) - self._taken)
            if isinstance(self._piece, bytes):
                self._take_text(taken, wanted, left_bytes - taken.size_bytes)
            else:
                self._take_lines(taken, wanted, left_bytes - taken.size_bytes)
        return taken

    def _take_text(self, taken: Taken, wanted: int, left_bytes: int) -> None:
        start = self._ends[self._taken - 1] if self._taken else self._at
        ends = self._ends[self._taken : self._taken + wanted]
        if ends[-1] - start > left_bytes:
            sizes = accumulate(end - begin - 1 for begin, end in zip([start, *ends], ends, strict=False))
            ends = ends[: 1 + sum(1 for size in sizes if size <= left_bytes)]
        text = self._piece[start - self._at : ends[-1] - self._at]
        taken.add(text, ends, len(text) - len(ends))
        self._taken += len(ends)

    def _take_lines(self, taken: Taken, wanted: int, left_bytes: int) -> None:
        lines: list[Line] = []
        ends: list[int] = []
        size_bytes = 0
        some = slice(self._taken, self._taken + wanted)
        for line, end in zip(self._piece[some], self._ends[some], strict=True):
            self._taken += 1
            if isinstance(line, TooLong) or (line and not line.isspace()):  # type: ignore[union-attr]
                lines.append(line)  # type: ignore[arg-type]
                ends.append(end)
                size_bytes += len(line) if isinstance(line, bytes) else 0
                if size_bytes > left_bytes:
                    break
        taken.add(lines, ends, size_bytes)

    def _fetch(self) -> bool:
        """Split the next block; returns whether there was one with lines that begin before the end."""
        if self._position >= self._end:
            return False
        piece = next(self._split, None)
        if piece is None:
            return False
        self._at = at = self._position
        if isinstance(piece, bytes):
            text = np.frombuffer(piece, np.uint8)
            newlines = np.flatnonzero(text == _NEWLINE)
            ends: list[int] = (newlines + (at + 1)).tolist()
            if (text[:1] <= _SPACE).any() or (text[newlines[:-1] + 1] <= _SPACE).any():  # some may be blank
                piece = split(piece)
        else:
            sizes = (1 + (line.size_bytes if isinstance(line, TooLong) else len(line)) for line in piece)
            ends = [at + size for size in accumulate(sizes)]
        if at == 0:
            piece = _without_mark(piece)
        starts_within = bisect_left([at, *ends[:-1]], self._end) if ends[-1:] > [self._end] else len(ends)
        self._piece, self._ends, self._taken = piece, ends[:starts_within], 0
        self._position = ends[-1]
        return True


def _without_mark(piece: Piece) -> Piece:
    """The first lines of a file without the byte order mark."""
    if isinstance(piece, bytes) and piece.startswith(BOM):
        piece = split(piece)
    if not isinstance(piece, bytes) and piece and isinstance(piece[0], bytes):
        piece[0] = piece[0].removeprefix(BOM)
    return piece


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


def _cut(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces that stay in the CPU's cache while they are split."""
    for block in blocks:
        for start in range(0, len(block), PIECE_BYTES):
            yield block[start : start + PIECE_BYTES]


def _split(blocks: Iterator[bytes]) -> Iterator[Piece]:
    """The lines that end in each block, each with its newline; the bytes after the last newline are a line too."""
    begun = _Begun()
    for block in _cut(blocks):
        first, last = block.find(b"\n"), block.rfind(b"\n")
        if first < 0:
            begun.add(block)
            continue
        begun.add(block[:first])
        line, others = begun.end(), block[first + 1 : last + 1]
        if isinstance(line, bytes):
            yield b"%b\n%b" % (line, others)
        else:
            yield [line]
            if others:
                yield others
        begun.add(block[last + 1 :])
    if begun:
        line = begun.end()
        yield b"%b\n" % line if isinstance(line, bytes) else [line]


def _split_quoted(blocks: Iterator[bytes]) -> Iterator[Piece]:
    """As `_split`, but a newline after an odd number of quotes belongs to the line."""
    begun = _Begun()
    for piece in _split(blocks):
        if isinstance(piece, bytes) and not begun and b'"' not in piece:
            yield piece
            continue
        lines = split(piece) if isinstance(piece, bytes) else piece
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
        if ended:
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
