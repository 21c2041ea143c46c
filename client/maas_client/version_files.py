"""The files of a version to push: the model with its data files, labels, example, test vectors, files of an export."""

import mmap
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from maas_client.errors import InvalidInput
from maas_client.example_files import NAMES as EXAMPLE_NAMES
from maas_client.export_files import MODEL_SUFFIX, export_files, model_of
from maas_client.files import LocalFile
from maas_client.name_rules import LONGEST_FILE_NAME, is_file_name

GOLDEN = "golden"
BESIDE = ("labels.txt", *EXAMPLE_NAMES)  # what the server knows by name
VECTORS = (".json", ".pb")
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
# A StringStringEntryProto: field 1, of 8 bytes, then field 2 with its length as a varint of one or two bytes.
_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f]|[\x80-\xff][\x01-\x7f])")


@dataclass(frozen=True, slots=True)
class VersionFiles:
    """`left_out` are paths below the folder that are no part of the version."""

    files: tuple[LocalFile, ...]
    left_out: tuple[str, ...] = ()


class NewOptions(TypedDict):
    """What `versions.create` takes beside the files."""

    description: str
    tags: Mapping[str, str] | None
    tolerance: Mapping[str, float] | None
    quantize: Mapping[str, Any] | None
    smoke_run: Literal["required", "optional"]
    task: str | None


def version_files(
    path: Path, golden: Path | None = None, example: LocalFile | None = None, variant: str | None = None
) -> VersionFiles:
    """What `path`, an .onnx file or a folder with one, brings to a version, and the test vectors of folder `golden`.

    The model comes with the data files that it names; of a folder, also labels.txt, example.npz or example.json, and
    the test vectors in golden/, and what tells the task of an export. `example` stands in for that of the folder,
    `variant` names one of its models. Raises InvalidInput before anything is sent.
    """
    if path.is_dir():
        found = _of_folder(path, variant)
    elif path.is_file():
        if variant is not None:
            raise InvalidInput(f"{path} is one model: a variant is one of several in a folder")
        if path.suffix.lower() != MODEL_SUFFIX:
            raise InvalidInput(f"{path} is not an .onnx file: export the model to ONNX first")
        found = VersionFiles(tuple(_with_data(path)))
    else:
        raise InvalidInput(f"there is no file or folder {path}")
    vectors = _vectors(golden) if golden else ()
    if golden and not vectors:
        raise InvalidInput(f"{golden} holds no test vectors: expected *.json, or test_data_set_*/input_0.pb and so on")
    of_path = [file for file in found.files if example is None or file.name not in EXAMPLE_NAMES]
    files = (*of_path, *vectors, *([example] if example else []))
    _check(path, files)
    return VersionFiles(files, found.left_out)


def _of_folder(folder: Path, variant: str | None) -> VersionFiles:
    inside = [one for one in sorted(folder.rglob("*")) if one.is_file() and not _hidden(one.relative_to(folder))]
    files = _with_data(model_of(folder, inside, variant))
    files += [_local(folder / name, name) for name in BESIDE if folder / name in inside]
    files += [_local(folder / name, name) for name in export_files(folder, inside)]
    files += _vectors(folder / GOLDEN)
    taken = {file.path for file in files}
    left_out = [one.relative_to(folder).as_posix() for one in inside if one not in taken]
    return VersionFiles(tuple(files), tuple(left_out))


def _with_data(model: Path) -> list[LocalFile]:
    """The model and its data files, which it names by their paths from its folder."""
    named = {name: model.parent / name for name in sorted(_locations(model)) if not _hidden(Path(name))}
    inside = model.parent.resolve()
    data = {name: path for name, path in named.items() if path.is_file() and path.resolve().is_relative_to(inside)}
    return [_local(model, _model_name(model)), *(_local(path, name) for name, path in data.items())]


def _locations(model: Path) -> set[str]:
    """The values of all entries called `location` in the model, whether they are of external data or not."""
    if not model.stat().st_size:
        return set()
    found = set()
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for entry in _LOCATION.finditer(content):
            low, high = entry[1][0], entry[1][1] if len(entry[1]) > 1 else 0
            length = (low & 0x7F) | high << 7
            name = content[entry.end() : entry.end() + length]
            if length <= LONGEST_FILE_NAME and b"\0" not in name:
                found.add(name.decode("utf-8", "surrogateescape").removeprefix("./"))
    return found


def _vectors(folder: Path) -> list[LocalFile]:
    """Test vectors in a folder: *.json, or ONNX's test_data_set_*/*.pb."""
    found = [one for one in sorted(folder.rglob("*")) if one.is_file() and one.suffix in VECTORS]
    return [_local(one, f"{GOLDEN}/{_plain(one.relative_to(folder).as_posix())}") for one in found]


def _check(path: Path, files: Sequence[LocalFile]) -> None:
    names = [file.name for file in files]
    for file in files:
        shown = str(path) if file.name == path.name else f"{file.name} of {path}"
        if not file.size_bytes:
            raise InvalidInput(f"{shown} is empty: export the model again, or take the file away")
        if _is_pointer(file):
            raise InvalidInput(f"{shown} is a pointer of Git LFS, not the file: run `git lfs pull` there")
        if not is_file_name(file.name):
            expected = f'names of at most {LONGEST_FILE_NAME} bytes without control characters and " * : < > ? \\ |'
            raise InvalidInput(f"the model names the file {file.name!r}, expected {expected}: export it with such ones")
        if names.count(file.name) > 1:
            raise InvalidInput(f"{path}: several files would be called {file.name}: rename one")


def _is_pointer(file: LocalFile) -> bool:
    """Whether Git wrote it in place of a large file that it did not get."""
    with file.open() as opened:
        return opened.read(len(_LFS_POINTER)) == _LFS_POINTER


def _local(path: Path, name: str) -> LocalFile:
    return LocalFile(path, name, path.stat().st_size)


def _model_name(path: Path) -> str:
    """A name that the server takes; nothing else refers to it."""
    return _plain(path.stem[-100:]) + MODEL_SUFFIX


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._/-]|(?<![^/])[.-]", "_", name)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
