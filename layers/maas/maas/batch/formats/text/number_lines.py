"""Lines of JSON that hold nothing but the numbers of a model's one input, read without a Python object a number."""

import re
from collections.abc import Sequence

import orjson

from maas.batch.formats.interface import Array
from maas.batch.formats.signatures import RecordTensor
from maas.serving import json_numbers

_NUMBER_BYTES = b"0123456789+-.eE, \t"


class NumberLines:
    """Reads `{"NAME": [1, 2, …]}` and `[1, 2, …]`, for an input that is a row of numbers of fixed length."""

    def __init__(self, tensor: RecordTensor) -> None:
        name = re.escape(orjson.dumps(tensor.name))
        self._head = re.compile(rb"[ \t]*(\{[ \t]*%b[ \t]*:[ \t]*)?\[" % name)
        self._width, self._takes_fractions = tensor.shape[0], tensor.dtype.kind == "f"

    def read(self, lines: Sequence[bytes]) -> Array | None:
        """The numbers, (lines, width), as NumPy reads them; None unless all lines have one form and are valid."""
        found = self._head.match(lines[0])
        if found is None:
            return None
        head, tail = found[0], lines[0][lines[0].rfind(b"]") :]
        if tail.strip(b" \t\r") != (b"]}" if found[1] else b"]"):
            return None
        first, last = len(head), -len(tail)
        rows = [line[first:last] for line in lines if line.startswith(head) and line.endswith(tail)]
        commas = self._width - 1
        if len(rows) != len(lines) or any(row.count(b",") != commas for row in rows):
            return None
        text = b",".join(rows)
        if text.translate(None, _NUMBER_BYTES):
            return None
        read = json_numbers.read_numbers(b"[%b]" % text)
        if read is None or not (self._takes_fractions or read.dtype.kind == "i"):
            return None
        return read.reshape(len(lines), self._width) if read.size == len(lines) * self._width else None


def number_lines(inputs: Sequence[RecordTensor]) -> NumberLines | None:
    """None for models of other inputs."""
    if len(inputs) != 1 or len(inputs[0].shape) != 1 or inputs[0].shape[0] < 1 or inputs[0].name == "inputs":
        return None
    return None if inputs[0].datatype in ("BOOL", "BYTES", "BF16") else NumberLines(inputs[0])
