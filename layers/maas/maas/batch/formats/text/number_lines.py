"""Lines of JSON that hold nothing but the numbers of a model's one input, read without a Python object a number."""

import re
from collections.abc import Sequence

import orjson

from maas.batch.formats.signatures import RecordTensor
from maas.serving import json_numbers
from maas.serving.datatypes import Array


class NumberLines:
    """Reads `{"NAME": [1, 2, …]}` and `[1, 2, …]`, for an input that is a row of numbers of fixed length."""

    def __init__(self, tensor: RecordTensor) -> None:
        name = re.escape(orjson.dumps(tensor.name))
        self._head = re.compile(rb"(\{[ \t]*%b[ \t]*:[ \t]*)?\[" % name)
        self._width, self._takes_fractions = tensor.shape[0], tensor.dtype.kind == "f"

    def read(self, text: bytes, lines: int) -> Array | None:
        """The numbers, (lines, width), as NumPy reads them; None unless all lines have one form and are valid.

        Each line ends with a newline. What stands between two rows becomes `],[`: then the text is one array.
        """
        found = self._head.match(text)
        if found is None:
            return None
        head, first_end = found[0], text.index(b"\n") + 1
        tail = text[text.rfind(b"]", 0, first_end) : first_end]
        if tail.strip(b" \t\r\n") != (b"]}" if found[1] else b"]") or not text.endswith(tail):
            return None
        read = json_numbers.read_rows(text[len(head) : -len(tail)], tail + head, lines, self._width)
        return read if read is not None and (self._takes_fractions or read.dtype.kind == "i") else None


def number_lines(inputs: Sequence[RecordTensor]) -> NumberLines | None:
    """None for models of other inputs."""
    if len(inputs) != 1 or len(inputs[0].shape) != 1 or inputs[0].shape[0] < 1 or inputs[0].name == "inputs":
        return None
    return None if inputs[0].datatype in ("BOOL", "BYTES", "BF16") else NumberLines(inputs[0])
