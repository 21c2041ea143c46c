"""Inputs of a version with a task: texts, or image files."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from maas_client.errors import InvalidInput

TEXT, IMAGE, QUERY = "text", "image", "query"
CALL_ITEMS, CALL_BYTES = 256, 2_000_000  # of one call: what a model of moderate size answers within seconds

Item = str | bytes | Path
Items = Item | Sequence[Item]


def calls_of(items: Items) -> Iterator[dict[str, np.ndarray]]:
    """The inputs of each call. Raises InvalidInput for texts and images in one list, and files that cannot be read."""
    name, contents = _contents(_listed(items))
    group: list[str | bytes] = []
    size_bytes = 0
    for content in contents:
        if group and (len(group) == CALL_ITEMS or size_bytes + len(content) > CALL_BYTES):
            yield {name: array_of(group)}
            group, size_bytes = [], 0
        group.append(content)
        size_bytes += len(content)
    yield {name: array_of(group)}


def are_images(items: Items) -> bool:
    """Whether the first one is an image."""
    return isinstance(next(iter(_listed(items)), None), bytes | Path)


def array_of(contents: Sequence[str | bytes]) -> np.ndarray:
    """Of one dimension."""
    array = np.empty(len(contents), np.object_)
    array[:] = contents
    return array


def texts_of(name: str, texts: object) -> list[str]:
    """Raises InvalidInput for anything but texts."""
    if isinstance(texts, str | bytes) or not isinstance(texts, Sequence | np.ndarray):
        raise InvalidInput(f"'{name}' is a {type(texts).__name__}, expected a list of texts")
    found = [*texts]
    for index, text in enumerate(found):
        if not isinstance(text, str):
            raise InvalidInput(f"'{name}' {index} is a {type(text).__name__}, expected text")
    return found


def _listed(items: Items) -> Sequence[Item]:
    return [items] if isinstance(items, Item) else items


def _contents(items: Sequence[Item]) -> tuple[str, Iterator[str | bytes]]:
    kinds = {IMAGE if isinstance(item, bytes | Path) else TEXT for item in items}
    if len(kinds) > 1:
        raise InvalidInput("got texts and images in one list: an image is a Path or bytes, a text is a str")
    if kinds == {IMAGE}:
        return IMAGE, (item if isinstance(item, bytes) else image_file(item) for item in items)  # type: ignore[arg-type]
    return TEXT, iter(texts_of("items", items))


def image_file(path: Path) -> bytes:
    """Raises InvalidInput."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror or error}") from error
