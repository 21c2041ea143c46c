"""Broken requests: good ones of every kind, changed at random, sent to the inference handler.

Whatever comes, the answer is a success or a refusal in our own shape: never a 5xx but 501, never an exception.
"""

import gzip
import json
import math
import random
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from maas.serving.datatypes import DTYPES, ELEMENTS
from maas.serving.oip import HEADER_LENGTH
from maas.serving.oip_reply import OutputTensor
from support import onnx_models, wire

Sent = tuple[str, bytes, dict[str, str]]
REFUSALS = {400, 404, 405, 406, 409, 413, 415, 501}
DEEP = "an array in an array, and so on"
WORDS = [
    "0" * 5000,
    "",
    "x",
    "NaN",
    "gzip",
    "deflate",
    "0",
    "-1",
    "1e9",
    "99999999999999999999",
    "\x00",
    "ü",
    "text/csv",
    "null",
]
VALUES: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    1 << 62,
    1 << 70,
    1e400,
    "x",
    [],
    {},
    [[]],
    [None],
    {"b64": "%"},
    "NaN",
    "\ud800",
    DEEP,
]
MODELS = {
    "linear": onnx_models.linear(),
    "types": onnx_models.identities(onnx_models.ALL_TYPES),
    "added": onnx_models.added(),
    "text": onnx_models.identities({"s": 8}),
}


def good_requests() -> list[Sent]:
    x = OutputTensor("x", "FP32", np.ones((2, 3), np.float32))
    text = OutputTensor("in_s", "BYTES", np.array(["a", "größer"], object))
    pair = [OutputTensor(name, "FP32", np.ones((2, 2), np.float32)) for name in "ab"]
    made: list[Sent] = []
    for model, tensors in (("linear", [x]), ("text", [text]), ("added", pair)):
        for binary in (True, False):
            body, headers = wire.request(tensors, binary=binary)
            path = f"/v2/models/{model}/infer"
            made.append((path, body, headers))
            made.append((path, gzip.compress(body), headers | {"content-encoding": "gzip"}))
            made.append(
                (path, zlib.compress(body), headers | {"content-encoding": "deflate", "accept-encoding": "gzip"})
            )
    made.append(("/v2/models/linear/infer", x.array[:1].tobytes(), {HEADER_LENGTH: "0"}))
    made.append(("/v2/models/text/infer", "größer".encode(), {HEADER_LENGTH: "0"}))
    made += [("/v2/models/types/infer", *wire.request(_of_every_type(), binary=binary)) for binary in (True, False)]
    asked = {"name": "y", "parameters": {"classification": 2, "binary_data": True}}
    document = {"id": "i", "inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
    document |= {"outputs": [asked], "parameters": {"timeout": 10_000_000}}
    made.append(("/v2/models/linear/infer", json.dumps(document).encode(), {}))
    made.append(("/v1/models/linear:predict", b'{"instances": [[1, 2, 3], [4, 5, 6]]}', {}))
    made.append(("/v1/models/added:predict", b'{"inputs": {"a": [[1, 2]], "b": [[3, 4]]}}', {}))
    made.append(("/invocations?model=linear", b"1,2,3\n4,5,6\n", {"content-type": "text/csv"}))
    made.append(("/invocations?model=linear", b"[[1, 2, 3]]", {"accept": "text/csv;q=0.5, application/json;q=0.1"}))
    made.append(("/v2/models/linear/profile", b'{"shapes": {"x": [1, 3]}, "runs": 2}', {}))
    made.append(("/v2/repository/models/linear/load", b'{"parameters": {}}', {}))
    return made


def _of_every_type() -> list[OutputTensor]:
    random_bytes, tensors = np.random.default_rng(0), []
    for name in onnx_models.ALL_TYPES:
        datatype = ELEMENTS[name]
        dtype = DTYPES[datatype]
        array = np.array(["", "ü"], dtype) if dtype.hasobject else random_bytes.integers(0, 2, 2).astype(dtype)
        tensors.append(OutputTensor(f"in_{name}", datatype, array))
    return tensors


def changed(sent: Sent, rng: random.Random) -> Sent:
    path, body, headers = sent
    for _ in range(rng.randint(1, 3)):
        choice = rng.randrange(6)
        if choice == 0 and body:  # flip a bit
            at = rng.randrange(len(body))
            body = body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :]
        elif choice == 1:  # delete a piece
            at = rng.randrange(len(body) + 1)
            body = body[:at] + body[at + rng.randrange(20) :]
        elif choice == 2:  # insert a piece
            at = rng.randrange(len(body) + 1)
            body = body[:at] + rng.randbytes(rng.randrange(20)) + body[at:]
        elif choice == 3:
            name = rng.choice([HEADER_LENGTH, "content-encoding", "accept-encoding", "content-type", "accept"])
            headers = headers | {name: rng.choice([*WORDS, str(rng.randrange(200))])}
        elif choice == 4:
            body, headers = _changed_document(body, headers, rng)
        else:
            path = path.replace(
                rng.choice(["linear", "models", "v2", "/"]), rng.choice(["types", "%00", "v1", "//"]), 1
            )
    return path, body, headers


def _changed_document(body: bytes, headers: dict[str, str], rng: random.Random) -> tuple[bytes, dict[str, str]]:
    """Replaces one value anywhere in the JSON and corrects the lengths."""
    length = headers.get(HEADER_LENGTH, "")
    try:
        end = int(length) if length.isascii() and length.isdigit() and length != "0" else len(body)
        document = json.loads(body[:end])
        if places := list(_places(document)):
            owner, key = rng.choice(places)
            owner[key] = rng.choice(VALUES)
        header = json.dumps(document).encode()
    except (ValueError, RecursionError):
        return body, headers
    depth = rng.choice([2, 70, 990, 5000])
    header = header.replace(json.dumps(DEEP).encode(), b"[" * depth + b"]" * depth)
    return header + body[end:], headers | {HEADER_LENGTH: str(len(header))} if length else headers


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


@contextmanager
def function() -> Iterator[ModuleType]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.onnx" for name in MODELS}
        for name, content in MODELS.items():
            paths[name].write_bytes(content)
        yield wire.inference_function(paths)


def answered(app: ModuleType, sent: Sent) -> int:
    """The status. Raises AssertionError with the request if the answer is not proper."""
    path, body, headers = sent
    answer = app.lambda_handler(wire.event(path, body, headers), wire.CONTEXT)
    assert is_proper(answer, timed=b"timeout" in body), (path, body, headers, answer)
    return int(answer["statusCode"])


def statuses_of_good_requests() -> Counter[int]:
    with function() as app:
        return Counter(answered(app, sent) for sent in good_requests())


def run(cases: int, seed: int, seconds: float = math.inf) -> Counter[int]:
    """Sends `cases` broken requests, or as many as fit in `seconds`; returns the count of each status."""
    rng, originals, end = random.Random(seed), good_requests(), time.monotonic() + seconds
    counted = Counter[int]()
    with function() as app:
        while counted.total() < cases and time.monotonic() < end:
            counted[answered(app, changed(rng.choice(originals), rng))] += 1
    return counted


def is_proper(answer: dict[str, Any], *, timed: bool) -> bool:
    """`timed` requests may ask for a timeout of a microsecond."""
    if answer["statusCode"] == 200:
        return True
    document = json.loads(answer["body"])
    allowed = REFUSALS | {504} if timed else REFUSALS
    if answer["statusCode"] == 404 and isinstance(document["error"], dict):  # no route, in the form of OpenAI
        return bool(document.keys() == {"error"} and document["error"].keys() == {"message", "type", "param", "code"})
    return answer["statusCode"] in allowed and type(document["error"]) is str and document.keys() <= {"error", "field"}
