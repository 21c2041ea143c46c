"""Inputs of a version with a task: texts, or image files."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from maas_client.arguments import listed, texts
from maas_client.errors import InvalidInput

TEXT, IMAGE, QUERY = "text", "image", "query"
CALL_ITEMS, CALL_BYTES = 256, 2_000_000  # of one call: what a model of moderate size answers within seconds

Item = str | bytes | Path
Items = Item | Sequence[Item]


def calls_of(items: Sequence[Item]) -> Iterator[dict[str, np.ndarray]]:
    """The inputs of each call. Raises InvalidInput for texts and images in one list, and files that cannot be read."""
    name, contents = _contents(items)
    group: list[str | bytes] = []
    size_bytes = 0
    for content in contents:
        if group and (len(group) == CALL_ITEMS or size_bytes + len(content) > CALL_BYTES):
            yield {name: array_of(group)}
            group, size_bytes = [], 0
        group.append(content)
        size_bytes += len(content)
    yield {name: array_of(group)}


def are_images(items: Sequence[Item]) -> bool:
    """Whether the first one is an image."""
    return isinstance(next(iter(items), None), bytes | Path)


def is_file_as_text(item: Item) -> bool:
    """Whether a text is the name of a file here."""
    return isinstance(item, str) and os.path.isfile(item)


def array_of(contents: Sequence[str | bytes]) -> np.ndarray:
    """Of one dimension."""
    array = np.empty(len(contents), np.object_)
    array[:] = contents
    return array


def listed_items(items: Items) -> list[Item]:
    """Raises InvalidInput for anything but items."""
    return [items] if isinstance(items, Item) else listed("items", items, "text, a file, or a list of them")


def _contents(items: Sequence[Item]) -> tuple[str, Iterator[str | bytes]]:
    kinds = {IMAGE if isinstance(item, bytes | Path) else TEXT for item in items}
    if len(kinds) > 1:
        raise InvalidInput("got texts and images in one list: an image is a Path or bytes, a text is a str")
    if kinds == {IMAGE}:
        return IMAGE, (item if isinstance(item, bytes) else image_file(item) for item in items)  # type: ignore[arg-type]
    return TEXT, iter(texts("items", items))


def image_file(path: Path) -> bytes:
    """Raises InvalidInput."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
