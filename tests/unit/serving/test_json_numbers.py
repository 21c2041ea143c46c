"""Numbers read by simdjson are the ones that orjson and NumPy read, in documents valid and broken."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from maas.errors import MaasError
from maas.records import MetadataTensor
from maas.serving import compatibility, json_numbers, oip, tensors
from maas.serving.runner import Runner
from support import networks

PLAIN = ["0", "1", "-7", "12", "255", "0.5", "-1.25", "3e2", "1.5E-3", "0.1", "16777217", "123456.789"]
ODD = ["-0", "-0.0", "1e400", "-1e400", "1e-400", "4.9e-324", "2.2250738585072011e-308", "1e23", "65519.999", "65520"]
ODD += [
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1" * 30,
    "0." + "1" * 60,
]
ODD += [
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "3.4028235677973366e38",
    "true",
    "false",
]
ODD += [
    "null",
    "NaN",
    "-Infinity",
    '"NaN"',
    '"a"',
    '"\\u00e9"',
    '"["',
    "1_0",
    "01",
    "1.",
    ".5",
    "+1",
    "-",
    "1e",
    "{}",
    "[]",
]
SPACES = ["", "", "", " ", "\n", "\t"]
BROKEN = [b"[", b"]", b",", b"{", b"}", b'"', b"\\", b"\xff", b"\x00", b"e", b"1", b"-", b".", b" ", b":"]
IDS = (b"1", b"\\u0031")
FIELDS = ["data", "inputs", "instances", "x", "shape", "id", "parameters", "größe"]


class Documents:
    """Random JSON texts around arrays of numbers. A third has an odd value somewhere, a quarter a broken byte."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._odd = 0.0

    def text(self) -> bytes:
        self._odd = self._random.choice([0, 0, 0.05])
        text = self._value(3).encode()
        if self._random.random() < 0.25:
            place = self._random.randrange(len(text) + 1)
            text = text[:place] + self._random.choice(BROKEN) + text[place + self._random.randrange(2) :]
        return self._random.choice([b"", b"", b"", b"\xef\xbb\xbf"]) + text if self._random.random() < 0.05 else text

    def array(self, shape: list[int]) -> str:
        if not shape:
            return self._random.choice(ODD if self._random.random() < self._odd else PLAIN)
        length = shape[0] if self._random.random() >= self._odd else shape[0] + 1
        space = self._random.choice(SPACES)
        return f"[{space}{f',{space}'.join(self.array(shape[1:]) for _ in range(length))}{space}]"

    def _value(self, depth: int) -> str:
        kind = self._random.randrange(4) if depth else 0
        if kind < 2:
            return self.array([self._random.randrange(1, 5) for _ in range(self._random.randrange(4))])
        if kind == 2:
            names = self._random.choices(FIELDS, k=self._random.randrange(4))
            return "{" + ", ".join(f'"{name}": {self._value(depth - 1)}' for name in names) + "}"
        return f"[{','.join(self._value(depth - 1) for _ in range(self._random.randrange(4)))}]"


def check_same(fast: Any, slow: Any) -> int:
    """Raises AssertionError unless both are one value; returns the number of arrays in `fast`."""
    if isinstance(fast, np.ndarray):
        expected = np.array(slow)
        assert (fast.dtype, fast.shape, fast.tobytes()) == (expected.dtype, expected.shape, expected.tobytes())
        return 1
    assert type(fast) is type(slow)
    if isinstance(fast, dict):
        assert [*fast] == [*slow]
        return sum(check_same(fast[name], slow[name]) for name in fast)
    if isinstance(fast, list):
        return sum(check_same(one, other) for one, other in zip(fast, slow, strict=True))
    assert (fast, str(fast)) == (slow, str(slow))
    return 0


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 50))])
def test_both_readers_agree(seed: int) -> None:
    """2000 documents a seed, 100,000 in all."""
    documents, arrays = Documents(seed), 0
    for number in range(2000):
        text = documents.text()
        fast = json_numbers.read_document(text, (None, "data")[number % 2], fewest=1)
        if fast is not None:
            arrays += check_same(fast, orjson.loads(text))
    assert arrays > 300


HIDDEN = ["[[1],[2,3,4]]", "[[], 1, [2, 3]]", "[1, [2], 3]", "[[1, 2], 3]", "[[1, [2]], [3, 4]]", "[[[]]]", "[{}, 1]"]
OTHER = ["[1, true]", '["1", 2]', "[1e400, 1]", "[9223372036854775808, 1.5]", "[NaN, 1]", "[1, 2]]", "[1, 2"]
FIELDS_TOO = ['{"a": [1, 2], "a": [3, 4]}', '{"a": [1, 2], "b": "["}', '{"a": [1, 2], "b": "\\ud800"}']


@pytest.mark.parametrize("text", [*HIDDEN, *OTHER, *FIELDS_TOO, "[" * 70 + "1, 2" + "]" * 70])
def test_is_left_to_orjson(text: str) -> None:
    assert json_numbers.read_document(text.encode(), fewest=1) is None


def test_few_numbers_and_other_fields_stay_lists() -> None:
    text = json.dumps({"data": [0.5] * 300, "shape": [1] * 60, "few": {"data": [1, 2]}}).encode()
    found = json_numbers.read_document(text, "data")
    assert isinstance(found["data"], np.ndarray)
    assert found["shape"] == [1] * 60 and found["few"] == {"data": [1, 2]}


def outcome(call: Callable[..., dict[str, Any]], *arguments: Any) -> Any:
    try:
        return {name: (array.dtype, array.shape, array.tobytes()) for name, array in call(*arguments).items()}
    except MaasError as error:
        return type(error), error.message, error.field


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    path: Path = tmp_path_factory.mktemp("json_numbers") / "model.onnx"
    path.write_bytes(networks.doubled(["n", 64]))
    return Runner(path, threads=1)


def requests(seed: int, count: int) -> list[tuple[bytes, str]]:
    """Bodies large enough for simdjson, valid and broken, with the datatype that they are for."""
    documents, choice = Documents(seed), random.Random(seed)
    bodies = []
    for _ in range(count):
        documents._odd = choice.choice([0, 0.0005, 0.005])
        values = documents.array(choice.choice([[16, 64], [1024], [2, 8, 64], [16, 63]]))
        datatype = choice.choice(["FP32", "FP32", "FP64", "FP16", "INT64", "UINT64", "UINT8", "BOOL", "BYTES", "BF16"])
        bodies.append((values.encode(), datatype))
    return bodies


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 10))])
def test_requests_are_decoded_or_refused_alike(seed: int) -> None:
    decoded = 0
    for values, datatype in requests(seed, 200):
        tensor = b'{"name": "x", "shape": [16, 64], "datatype": "%b", "data": %b}' % (datatype.encode(), values)
        signature = [MetadataTensor("x", datatype, (-1, 64))]
        # An escape, so that orjson reads the second one.
        fast, slow = (outcome(decoded_oip, b'{"inputs": [%b], "id": "%b"}' % (tensor, id_), signature) for id_ in IDS)
        assert fast == slow
        decoded += isinstance(fast, dict)
    assert decoded


@pytest.mark.parametrize("form", ['{"instances": %s}', '{"inputs": %s}', '{"inputs": {"x": %s}}', "%s"])
def test_rows_and_columns_are_decoded_or_refused_alike(form: str, runner: Runner) -> None:
    decoded = 0
    for values, _ in requests(1, 60):
        body = form.encode().replace(b"%s", values)
        fast, slow = (outcome(decoded_v1, body, read, runner) for read in (oip.read_tensors, oip.read_json))
        assert fast == slow
        decoded += isinstance(fast, dict)
    assert decoded


def test_rows_with_arrays_by_name(runner: Runner) -> None:
    row, whole = [[0.5] * 64] * 8, [[1] * 64] * 8
    for rows in ([row, row], [row, whole], [row, row[:4]], [row, [[0.5] * 63] * 8], [row, [[True] * 64] * 8]):
        body = json.dumps({"instances": [{"x": one} for one in rows]}).encode()
        fast, slow = (outcome(decoded_v1, body, read, runner) for read in (oip.read_tensors, oip.read_json))
        assert fast == slow


def decoded_oip(body: bytes, signature: list[MetadataTensor]) -> dict[str, Any]:
    return tensors.decode(oip.parse_request(body).inputs, signature)


def decoded_v1(body: bytes, read: Callable[[bytes], Any], runner: Runner) -> dict[str, Any]:
    return compatibility.decode(compatibility.document_of(read(body)), runner)
