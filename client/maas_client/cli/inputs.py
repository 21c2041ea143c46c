"""Reads what `maas predict` is given: files, as a request or as arrays that fit the signature, texts and images."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from maas_client.cli.columns import read_columns
from maas_client.cli.texts import STDIN, called, lines_of, read_json, standard_input
from maas_client.errors import InvalidInput
from maas_client.protocol.fitting import fit, names, shown
from maas_client.protocol.tensors import BF16, Tensor
from maas_client.records.inference import MetadataTensor
from maas_client.task_inputs import array_of, image_file

Signature = Callable[[], tuple[MetadataTensor, ...]]
NUMPY = (b"\x93NUMPY", b"PK\x03\x04")  # how NPY and NPZ begin


class Given(NamedTuple):
    """Either a whole inference request as JSON, or inputs by name."""

    request: dict[str, Any] | None
    inputs: dict[str, Tensor]

    @property
    def texts(self) -> list[str]:
        """The values of an only input of texts; none of others."""
        columns = [one for one in self.inputs.values() if not isinstance(one, BF16) and one.dtype.kind == "O"]
        if self.request is not None or len(self.inputs) != 1 or not columns:
            return []
        return [str(value) for value in columns[0].ravel().tolist()]

    @property
    def records(self) -> int | None:
        """The size of the first dimension, if all inputs have the same."""
        if self.request is None:
            shapes = [(one.bits if isinstance(one, BF16) else one).shape for one in self.inputs.values()]
        else:
            shapes = [tuple(one.get("shape") or ()) for one in self.request["inputs"]]
        first = {shape[0] if shape else None for shape in shapes}
        return first.pop() if len(first) == 1 else None


def read(source: str, signature: Signature) -> Given:
    """Read the file `source`, or JSON, NPY or NPZ from standard input for `-`.

    `signature` is called only if the file is not a whole request. Arrays are cast to the datatype of their input, and a
    single record becomes a batch of one. Raises InvalidInput.
    """
    suffix = Path(source).suffix.lower()
    readers = {".json": _json, ".csv": _csv, ".npy": _numpy, ".npz": _numpy, ".txt": _lines}
    if source == STDIN:
        return _stdin(signature)
    if suffix not in readers:
        other = "; `maas batch` takes this one" if source.lower().endswith((".parquet", ".jsonl", ".gz")) else ""
        raise InvalidInput(f"{source}: expected a .json, .csv, .npy, .npz or .txt file, or - for standard input{other}")
    return readers[suffix](source, signature)


def read_texts(texts: Sequence[str], signature: Signature) -> Given:
    """For the only input of a model, a text each; `-` alone is the lines of standard input. Raises InvalidInput."""
    return _column("--text", lines_of(STDIN) if [*texts] == [STDIN] else texts, signature)


def read_images(paths: Sequence[Path], signature: Signature) -> Given:
    """For the only input of a model, a file's bytes each. Raises InvalidInput."""
    return _column("--image", [image_file(path) for path in paths], signature)


def _lines(source: str, signature: Signature) -> Given:
    return _column(source, lines_of(source), signature)


def _column(source: str, values: Sequence[str | bytes], signature: Signature) -> Given:
    tensor = _only(source, signature())
    if tensor.datatype != "BYTES":
        raise InvalidInput(f"{called(source)}: the model takes {shown([tensor])}, no text")
    array = array_of(values)
    return Given(None, {tensor.name: array[:, np.newaxis] if len(tensor.shape) == 2 else array})


def _stdin(signature: Signature) -> Given:
    content = standard_input()
    if content.startswith(NUMPY):
        return _arrays(STDIN, BytesIO(content), signature)
    try:
        document = read_json(STDIN, content)
    except InvalidInput as error:
        raise InvalidInput(f"{error}; CSV and text are read from files, by their names") from None
    return _document(STDIN, document, signature)


def _json(source: str, signature: Signature) -> Given:
    return _document(source, read_json(source), signature)


def _document(source: str, document: Any, signature: Signature) -> Given:
    if isinstance(document, dict):
        if document.keys() == {"request", "response"}:  # a golden vector
            document = document["request"]
        inputs = document.get("inputs")
        if isinstance(inputs, list) and inputs and all(isinstance(one, dict) for one in inputs):
            return Given(document, {})
        return _fitted(source, document, signature())
    if isinstance(document, list):
        return _fitted(source, {_only(source, signature()).name: document}, signature())
    raise InvalidInput(f"{called(source)}: expected an inference request, an object of inputs by name, or an array")


def _csv(source: str, signature: Signature) -> Given:
    expected = _required(signature())
    return _fitted(source, read_columns(source, expected), expected)


def _numpy(source: str, signature: Signature) -> Given:
    try:
        return _arrays(source, source, signature)
    except OSError as error:
        raise InvalidInput(f"cannot read {source}: {error.strerror or error}") from error


def _arrays(source: str, file: str | BytesIO, signature: Signature) -> Given:
    try:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return _fitted(source, {_only(source, signature()).name: loaded}, signature())
        with loaded:
            arrays = {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, BadZipFile) as error:
        reason = f"is not a NumPy file of numbers or fixed-width strings: {error}"
        raise InvalidInput(f"{called(source)} {reason}") from None
    return _fitted(source, arrays, signature())


def _required(expected: Sequence[MetadataTensor]) -> tuple[MetadataTensor, ...]:
    return tuple(tensor for tensor in expected if not tensor.is_optional)


def _only(source: str, expected: Sequence[MetadataTensor]) -> MetadataTensor:
    required = _required(expected)
    if len(required) != 1:
        name_each = "name each, in a JSON object or an .npz file"
        raise InvalidInput(f"{called(source)}: the model takes {shown(required)}: {name_each}")
    return required[0]


def _fitted(source: str, given: Mapping[str, Any], expected: Sequence[MetadataTensor]) -> Given:
    required = {tensor.name for tensor in _required(expected)}
    if not required <= set(given) <= {tensor.name for tensor in expected}:
        raise InvalidInput(f"{called(source)}: has {names(given)}; the model takes {shown(_required(expected))}")
    try:
        return Given(None, {one.name: fit(given[one.name], one) for one in expected if one.name in given})
    except InvalidInput as error:
        raise InvalidInput(f"{called(source)}: {error}") from None
