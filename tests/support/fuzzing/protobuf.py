"""Mutations of a protobuf's structure: tags, lengths, duplicates, long numbers, groups, nesting.

A message is read into `Piece`s, which write themselves back byte for byte, right or wrong.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from google.protobuf.descriptor import Descriptor, FieldDescriptor

VARINT, FIXED64, BYTES, START, END, FIXED32 = range(6)
Pieces = list["Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A field as it is written. `value` is a number, bytes, or the fields of a message.

    `pads` are the bytes that its tag, and its number or length, are longer than they need to be; `length_error` is
    added to the length. `tail` follows it.
    """

    number: int
    wire_type: int
    value: "int | bytes | Pieces"
    pads: tuple[int, int] = (0, 0)
    length_error: int = 0
    tail: bytes = b""

    def written(self) -> bytes:
        tag = varint(self.number << 3 | self.wire_type, self.pads[0])
        if isinstance(self.value, int):
            return tag + varint(self.value, self.pads[1]) + self.tail
        content = self.value if isinstance(self.value, bytes) else written(self.value)
        if self.wire_type == BYTES:
            tag += varint(max(0, len(content) + self.length_error), self.pads[1])
        return tag + content + self.tail


def written(pieces: Pieces) -> bytes:
    return b"".join(piece.written() for piece in pieces)


def varint(number: int, pad: int = 0) -> bytes:
    more = number > 127 or pad > 0
    return bytes([number & 127 | more << 7]) + (varint(number >> 7, pad - (number <= 127)) if more else b"")


def read(content: bytes, kind: Descriptor) -> Pieces:
    """The fields of a message that is written well."""
    pieces, position = [], 0

    def number() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = content[position]
            position, value, shift = position + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while position < len(content):
        field, wire_type = divmod(number(), 8)
        if wire_type == VARINT:
            pieces.append(Piece(field, wire_type, number()))
            continue
        length = number() if wire_type == BYTES else {FIXED64: 8, FIXED32: 4}[wire_type]
        value = content[position : position + length]
        position += length
        inner: FieldDescriptor = kind.fields_by_number[field]
        pieces.append(Piece(field, wire_type, read(value, inner.message_type) if inner.message_type else value))
    return pieces


def mutated(pieces: Pieces, rng: random.Random) -> bytes:
    """The message with one to three mutations, each somewhere inside."""
    changed = pieces
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        changed = _somewhere(changed, rng.choice(MUTATIONS), rng)
    return written(changed)


Mutation = Callable[[Pieces, int, random.Random], Pieces]


def _somewhere(pieces: Pieces, mutation: Mutation, rng: random.Random) -> Pieces:
    """Mutates a field of this message or, more often, of one inside it."""
    inner = [at for at, piece in enumerate(pieces) if isinstance(piece.value, list)]
    if inner and rng.random() < 0.75:
        at = rng.choice(inner)
        value = pieces[at].value
        assert isinstance(value, list)
        return [*pieces[:at], replace(pieces[at], value=_somewhere(value, mutation, rng)), *pieces[at + 1 :]]
    return mutation(pieces, rng.randrange(len(pieces)), rng) if pieces else pieces


def _with(**change: Callable[[Piece, random.Random], object]) -> Mutation:
    """A mutation of one field's attributes."""

    def mutation(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
        values = {name: make(pieces[at], rng) for name, make in change.items()}
        return [*pieces[:at], replace(pieces[at], **values), *pieces[at + 1 :]]  # type: ignore[arg-type]

    return mutation


def _again(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    """The same field twice, next to each other or apart."""
    to = rng.choice([at, at + 1, rng.randrange(len(pieces) + 1)])
    return [*pieces[:to], pieces[at], *pieces[to:]]


def _split(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    """A message in two: a parser merges them where the field has one value."""
    value = pieces[at].value
    if isinstance(value, int):
        return pieces
    cut = rng.randrange(len(value) + 1)
    halves = [replace(pieces[at], value=value[:cut]), replace(pieces[at], value=value[cut:])]
    return [*pieces[:at], *halves, *pieces[at + 1 :]]


def _grouped(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    number = rng.choice([pieces[at].number, rng.randint(1, 30)])
    end = Piece(rng.choice([number, number + 1]), END, b"")
    return [*pieces[:at], Piece(number, START, [pieces[at], end][: rng.randint(1, 2)]), *pieces[at + 1 :]]


def _nested(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    """The field inside itself, as graphs in attributes and types in sequences can be."""
    piece = pieces[at]
    for _ in range(rng.choice([1, 2, 30, 70, 110])):
        piece = replace(piece, wire_type=BYTES, value=[piece])
    return [*pieces[:at], piece, *pieces[at + 1 :]]


def _moved(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    others = [*pieces[:at], *pieces[at + 1 :]]
    to = rng.randrange(len(others) + 1)
    return [*others[:to], pieces[at], *others[to:]]


def _dropped(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    return [*pieces[:at], *pieces[at + 1 :]]


def _packed(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    """Numbers of the same field in one value, or a packed value's first number alone."""
    piece = pieces[at]
    if isinstance(piece.value, int):
        same = [one for one in pieces if one.number == piece.number and isinstance(one.value, int)]
        packed = b"".join(varint(one.value) for one in same if isinstance(one.value, int))
        return [*(one for one in pieces if one not in same), Piece(piece.number, BYTES, packed)]
    if isinstance(piece.value, bytes) and piece.value:
        return [*pieces[:at], Piece(piece.number, VARINT, piece.value[0] & 127), *pieces[at:]]
    return pieces


def _inserted(pieces: Pieces, at: int, rng: random.Random) -> Pieces:
    piece = Piece(rng.randint(0, 27), rng.randrange(8), rng.choice([0, 1, b"", rng.randbytes(rng.randint(1, 12))]))
    return [*pieces[:at], piece, *pieces[at:]]


def _high(piece: Piece, rng: random.Random) -> int:
    return piece.number | 1 << rng.choice([25, 28, 29, 30, 31, 32, 40, 60])


def _number(piece: Piece, rng: random.Random) -> object:
    if not isinstance(piece.value, int):
        return piece.value
    high = 1 << rng.choice([1, 4, 7, 31, 32, 33, 63, 64, 69])
    return rng.choice([piece.value | high, high - 1, (1 << 64) - 1, (1 << 64) - (1 << 31), piece.value ^ 1])


def _pads(piece: Piece, rng: random.Random) -> tuple[int, int]:
    return rng.choice([(1, 0), (0, 1), (4, 0), (0, 4), (0, 8), (rng.randint(0, 10), rng.randint(0, 10))])


MUTATIONS: list[Mutation] = [
    _with(number=_high),
    _with(number=lambda piece, rng: rng.choice([0, rng.randint(1, 27), piece.number + 1])),
    _with(wire_type=lambda piece, rng: rng.randrange(8)),
    _with(pads=_pads),
    _with(value=_number),
    _with(length_error=lambda piece, rng: rng.choice([-2, -1, 1, 2, 1 << 20, 1 << 31, 1 << 32])),
    _with(tail=lambda piece, rng: rng.choice([b"\0", b"\x0b\x0c", rng.randbytes(rng.randint(1, 6))])),
    _again,
    _split,
    _grouped,
    _nested,
    _moved,
    _dropped,
    _packed,
    _inserted,
]
