"""The example of a version: inputs that its model takes, for the smoke run and the profile."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from maas_client.arguments import path
from maas_client.errors import InvalidInput
from maas_client.files import LocalFile

SUFFIXES = (".npz", ".json")
NAMES = tuple(f"example{suffix}" for suffix in SUFFIXES)
MAX_BYTES = 1 << 20

Example = str | Path | Mapping[str, Any]


def example_file(example: Example) -> LocalFile:
    """A file .npz or .json, or arrays by name, as the file that is pushed. Raises InvalidInput."""
    file = _of_arrays(example) if isinstance(example, Mapping) else _of_path(path("example", example))
    if file.size_bytes > MAX_BYTES:
        raise InvalidInput(f"the example has {file.size_bytes:,} bytes, at most {MAX_BYTES:,}: give smaller inputs")
    return file


def _of_path(path: Path) -> LocalFile:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(f"the example {path} is no .npz or .json file")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}")
    return LocalFile(path, f"example{suffix}", path.stat().st_size)


def _of_arrays(example: Mapping[str, Any]) -> LocalFile:
    import numpy as np

    from maas_client.protocol.fitting import array_of

    arrays = {}
    for name, value in example.items():
        array = array_of(name, value)
        # NPZ has no objects without pickle, which the server refuses; text has a fixed width there.
        arrays[name] = array.astype(np.str_) if array.dtype.kind == "O" else array
    if not arrays:
        raise InvalidInput("the example names no input")
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:  # as numpy.savez_compressed, which takes no input named file
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    content = packed.getvalue()
    return LocalFile(Path(NAMES[0]), NAMES[0], len(content), content)
