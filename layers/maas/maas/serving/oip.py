"""The Open Inference Protocol V2 on the wire: parses the body of an `infer` request.

Plain dataclasses and orjson, no pydantic: this is the hot route. Contracts: the protocol,
https://github.com/kserve/open-inference-protocol, and its binary tensor data extension,
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

import codecs
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import orjson

from maas.errors import InvalidRequest, TooLarge
from maas.numbers import whole_number
from maas.serving import json_numbers
from maas.serving.datatypes import Array

T = TypeVar("T")

HEADER_LENGTH = "inference-header-content-length"  # bytes of the JSON before the tensors
MAX_TIMEOUT_US = 1 << 53
# Nested lists take up to 40 times the memory of their text and compress 1000 times: the gateway's 10 MB could unpack to
# more than the process has. Numbers as text compress about 3 times, so real requests stay below this limit.
MAX_JSON_BYTES = 16 * 1024 * 1024
_JSON: dict[type, str] = {dict: "an object", str: "a string", bool: "a boolean"}
_JSON |= dict.fromkeys((list, np.ndarray), "an array")
_JSON |= dict.fromkeys((int, float, np.int64, np.float64), "a number")
_TENSOR = "an object with name, shape, datatype and data"
_NONE: Mapping[str, Any] = {}
_NOT_JSON = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|NaN|-?Infinity', re.DOTALL)  # matches strings to skip them


class RequestInput(NamedTuple):
    """A tensor as received: JSON `data`, nested or flat, or the `raw` bytes of the binary extension.

    Many numbers are an array of int64 or float64, as NumPy makes of the lists.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: list[Any] | Array | None = None
    raw: memoryview | None = None


class RequestedOutput(NamedTuple):
    """`binary` None: the request's `binary_output` decides. `classification` is the number of classes, 0 for none."""

    name: str
    binary: bool | None = None
    classification: int = 0


class InferenceRequest(NamedTuple):
    """`outputs` None means all outputs; `raw` is a body that holds one input without JSON.

    `variant` names the requested form of the model; None is the version as pushed. `parameters` are all of the request.
    """

    inputs: tuple[RequestInput, ...]
    outputs: tuple[RequestedOutput, ...] | None = None
    id: str | None = None
    binary_output: bool = False
    timeout_us: int = 0
    variant: str | None = None
    parameters: Mapping[str, Any] = {}
    raw: memoryview | None = None


def parse_request(body: bytes, header_length: str | None = None) -> InferenceRequest:
    """`header_length` is the value of the header HEADER_LENGTH. Raises InvalidRequest, naming the field; TooLarge."""
    if header_length is None:
        return _parsed(body, _Tail(memoryview(b"")))
    end = whole_number(header_length)
    if end is None or end > len(body):
        expected = f"a whole number of at most the body's {len(body)} bytes"
        raise InvalidRequest(f"{HEADER_LENGTH}: got {header_length:.40}, expected {expected}", field=HEADER_LENGTH)
    if end == 0:
        return InferenceRequest((), binary_output=True, raw=memoryview(body))
    return _parsed(body[:end], _Tail(memoryview(body)[end:]))


def read_json(body: bytes, *, words: bool = True) -> Any:
    """The value of a request's JSON body; `words` as of `loads`. Raises InvalidRequest, TooLarge."""
    if len(body) > MAX_JSON_BYTES:
        expected = f"at most {MAX_JSON_BYTES:,}: send tensors as binary data, a large request as a job of kind infer"
        raise TooLarge(f"body: got {len(body):,} bytes of JSON, expected {expected}", field="body")
    return loads(body, "body", words=words)


def read_tensors(body: bytes, field: str | None = None) -> Any:
    """As `read_json`, but a large array of numbers is an array of NumPy: in fields of this name, by default in all."""
    read = None
    if json_numbers.FEWEST_BYTES <= len(body) <= MAX_JSON_BYTES:
        read = json_numbers.read_document(body, field)
    return read_json(body) if read is None else read


def loads(text: bytes, where: str, *, words: bool = True) -> Any:
    """The value of the JSON. Raises InvalidRequest, which names `where`.

    Drops a byte order mark. Python's json module writes NaN and Infinity without quotes, so clients send them: reads
    them as those strings if `words`.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = error
    try:
        text = text.removeprefix(codecs.BOM_UTF8)
        return orjson.loads(_NOT_JSON.sub(_as_string, text) if words else text)
    except orjson.JSONDecodeError:
        raise InvalidRequest(f"{where}: {_why_no_json(text, str(reason))}", field=where) from None


def _why_no_json(text: bytes, reason: str) -> str:
    if not text:
        return "got nothing, expected JSON"
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8, as JSON is (byte {text[error.start]:#04x} at {error.start})"
    return f"not JSON ({reason})"


def _as_string(found: re.Match[bytes]) -> bytes:
    return found[0] if found[0].startswith(b'"') else b'"%s"' % found[0]


class _Tail:
    """The bytes after the JSON: the binary tensors in order."""

    def __init__(self, rest: memoryview) -> None:
        self._rest = rest

    def take(self, size_bytes: int, where: str) -> memoryview:
        if size_bytes > len(self._rest):
            raise _wrong(where, size_bytes, f"at most the remaining {len(self._rest)} bytes of the body")
        taken, self._rest = self._rest[:size_bytes], self._rest[size_bytes:]
        return taken

    def check_end(self) -> None:
        if self._rest:
            raise _wrong("body", f"{len(self._rest)} bytes after the last tensor", "none")


def _parsed(body: bytes, tail: _Tail) -> InferenceRequest:
    document = _typed(read_tensors(body, "data"), dict, "body")
    inputs = document.get("inputs")
    if type(inputs) is not list:
        other = ": rows in instances are for /v1/models/NAME:predict" if "instances" in document else ""
        raise _wrong("inputs", kind_of(inputs), f"an array, each item {_TENSOR}{other}")
    outputs, identity = document.get("outputs"), document.get("id")
    parameters = _parameters(document, "")
    request = InferenceRequest(
        tuple([_input(one, f"inputs[{index}]", tail) for index, one in enumerate(inputs)]),
        None if outputs is None else _requested_outputs(_typed(outputs, list, "outputs")) or None,
        None if identity is None else _typed(identity, str, "id"),
        _flag(parameters, "binary_data_output", "") or False,
        _whole(parameters.get("timeout", 0), "parameters.timeout", MAX_TIMEOUT_US),
        variant_of(parameters),
        parameters,
    )
    tail.check_end()
    return request


def variant_of(parameters: Mapping[str, Any]) -> str | None:
    """The requested form of the model; None is the version as pushed. Raises InvalidRequest."""
    variant = parameters.get("variant")
    return None if variant is None else _typed(variant, str, "parameters.variant")


def _input(document: object, where: str, tail: _Tail) -> RequestInput:
    if not isinstance(document, dict):
        raise _wrong(where, kind_of(document), _TENSOR)
    fields: dict[str, Any] = document
    shape = _typed(fields.get("shape"), list, where, ".shape")
    for dimension in shape:
        if type(dimension) is not int or not 0 <= dimension < 1 << 63:
            came = dimension if type(dimension) in (int, float) else kind_of(dimension)
            raise _wrong(f"{where}.shape", came, "whole numbers of at least 0")
    size_bytes = _parameters(fields, where).get("binary_data_size")
    data, raw = fields.get("data"), None
    if size_bytes is None:
        data = data if isinstance(data, np.ndarray) else _typed(data, list, where, ".data")
    elif data is not None:
        raise _wrong(f"{where}.data", "data and binary_data_size", "one of the two")
    else:
        named = f"{where}.parameters.binary_data_size"
        raw = tail.take(_whole(size_bytes, named), named)
    return RequestInput(
        _typed(fields.get("name"), str, where, ".name"),
        _typed(fields.get("datatype"), str, where, ".datatype"),
        tuple(shape),
        data,
        raw,
    )


def _requested_outputs(documents: list[object]) -> tuple[RequestedOutput, ...]:
    outputs = tuple(_requested_output(one, f"outputs[{index}]") for index, one in enumerate(documents))
    names = [output.name for output in outputs]
    if len(set(names)) != len(names):
        raise _wrong("outputs", ", ".join(names), "each output once")
    return outputs


def _requested_output(document: object, where: str) -> RequestedOutput:
    fields = _typed(document, dict, where)
    parameters = _parameters(fields, where)
    return RequestedOutput(
        _typed(fields.get("name"), str, where, ".name"),
        _flag(parameters, "binary_data", where),
        _whole(parameters.get("classification", 0), f"{where}.parameters.classification"),
    )


def _parameters(fields: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Unknown parameters are ignored, as the protocol requires."""
    parameters = fields.get("parameters")
    return _NONE if parameters is None else _typed(parameters, dict, f"{where}.parameters".lstrip("."))


def _flag(parameters: Mapping[str, Any], name: str, where: str) -> bool | None:
    value = parameters.get(name)
    return None if value is None else _typed(value, bool, f"{where}.parameters.{name}".lstrip("."))


def _whole(value: object, where: str, limit: int = 1 << 63) -> int:
    """A whole number, 0 ≤ number < `limit`; tritonclient may write it as a string."""
    number = whole_number(value) if type(value) is str else value
    if type(number) is not int or not 0 <= number < limit:
        raise _wrong(where, value, f"a whole number from 0 to {limit - 1}")
    return number


def _typed(value: object, kind: type[T], where: str, part: str = "") -> T:
    if type(value) is not kind:
        raise _wrong(where + part, kind_of(value), _JSON[kind])
    return value


def kind_of(value: object) -> str:
    """The JSON name of the value's type: the value itself may be nested too deep to print."""
    return _JSON.get(type(value), "nothing")


def _wrong(where: str, came: object, expected: str) -> InvalidRequest:
    shown = kind_of(came) if isinstance(came, list | dict) else came
    return InvalidRequest(f"{where}: got {shown!s:.80}, expected {expected}", field=where)
