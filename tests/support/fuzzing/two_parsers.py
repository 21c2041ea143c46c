"""The walk over a model file against two parsers: `python -m support.fuzzing.two_parsers CASES SEED`.

Both the Python parser of `onnx` and its C++ one read each mutated file that the walk accepts, and write what they read:
that has to have the fields and values that the walk met.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache

from google.protobuf.message import DecodeError, Message
from onnx import ModelProto, TensorProto
from onnx.onnx_cpp2py_export.inliner import inline_selected_functions

from maas.deployment.onnx_file import checks
from maas.deployment.onnx_file.messages import MESSAGES
from maas.deployment.onnx_file.wire import Field, fields, varint
from maas.errors import ModelRejected
from support.fuzzing import models, protobuf
from support.fuzzing.broad_model import broad_model

TENSOR_BYTES = 1 << 26
Tree = dict[str, list["int | bytes | Tree"]]


def verdict(content: bytes) -> str:
    """`refused` by the walk; `same` in all readings; `unread`: accepted, but no parser takes it; or `differs`."""
    try:
        externals = checks.externals_of(memoryview(content), TENSOR_BYTES)
    except ModelRejected:
        return "refused"
    readings = [reading for parse in (in_python, in_cpp) if (reading := _parsed(parse, content)) is not None]
    if not readings:
        return "unread"
    walked, named = tree(content), sorted((one.tensor, one.offset, one.length) for one in externals)
    try:
        is_same = all(
            tree(one) == walked and _are_same(externals_in(ModelProto.FromString(one)), named) for one in readings
        )
        return "same" if is_same else "differs"
    except ModelRejected:  # a field that the parser does not know
        return "differs"


def in_python(content: bytes) -> bytes:
    return ModelProto.FromString(content).SerializeToString()  # type: ignore[no-any-return]


def in_cpp(content: bytes) -> bytes:
    """As C++ protobuf reads and writes it, in an operation on models that changes nothing here."""
    written: bytes = inline_selected_functions(content, [], False)
    return written


def externals_in(message: Message) -> list[tuple[str, int, int]]:
    """Name, offset and length (-1: not said) of each tensor whose bytes are in another file, sorted."""
    found = []
    for field, value in message.ListFields():
        for inner in (value if field.is_repeated else [value]) if field.message_type else []:
            found += externals_in(inner)
    if isinstance(message, TensorProto) and (message.external_data or message.data_location):
        entries = {entry.key: entry.value for entry in message.external_data}
        found.append((message.name, int(entries.get("offset", 0)), int(entries.get("length", -1))))
    return sorted(found)


def _are_same(found: list[tuple[str, int, int]], walked: list[tuple[str, int, int]]) -> bool:
    """The walk gives the length of a tensor without one by its shape."""
    return len(found) == len(walked) and all(
        (one[:2], one[2] in (-1, other[2])) == (other[:2], True) for one, other in zip(found, walked, strict=True)
    )


def _parsed(parse: Callable[[bytes], bytes], content: bytes) -> bytes | None:
    try:
        return parse(content)
    except (DecodeError, ValueError, RuntimeError):  # RuntimeError: read, but refused by the operation
        return None


def tree(content: bytes) -> Tree:
    """Names and values of a model's fields, whatever their order. It has a graph: C++ adds one where there is none."""
    return {"graph": [{}]} | _tree(memoryview(content), "ModelProto")


def _tree(content: memoryview, kind: str) -> Tree:
    found: Tree = {}
    for field, value in fields(content, MESSAGES[kind]):
        values = found.setdefault(field.name, [])
        if isinstance(value, int):
            values.append(value)
        elif field.message:
            values.append(_tree(value, field.message))
        else:
            values += _numbers(field, value) if field.run else [bytes(value)]
    return {name: values for name, values in found.items() if values}


def _numbers(field: Field, run: memoryview) -> list[int | bytes | Tree]:
    """Varints as numbers, others as their bytes."""
    size = {"float_data": 4, "floats": 4, "double_data": 8}.get(field.name)
    found: list[int | bytes | Tree] = []
    position = 0
    while position < len(run):
        position += not field.packed
        if size:
            found.append(bytes(run[position : position + size]))
            position += size
        else:
            number, position = varint(run, position)
            found.append(number)
    return found


@cache
def originals() -> list[bytes]:
    return [*models.originals()[:4], broad_model()]


def mutated(rng: random.Random) -> bytes:
    original = rng.choice(originals())
    if rng.random() < 0.2:
        return models.mutated(original, rng)
    return protobuf.mutated(protobuf.read(original, ModelProto.DESCRIPTOR), rng)


def run(cases: int, seed: int) -> Counter[str]:
    rng, counted = random.Random(seed), Counter[str]()
    for _ in range(cases):
        counted[verdict(mutated(rng))] += 1
    return counted


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
