"""The files of a Hugging Face export beside its model."""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from maas.errors import ModelRejected
from maas.records import LABELS_NAME, TOKENIZER_NAME

MAX_BYTES = 8 << 20  # of a JSON file; the tokenizer may have more
POOLING = "1_Pooling/config.json"
PREPROCESSOR = "preprocessor_config.json"


class Export:
    """Each file as read, {} where it is not there. Raises ModelRejected for one that is not JSON of its kind."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    @property
    def tokenizer(self) -> Path:
        """Raises ModelRejected if there is none."""
        if not self.has(TOKENIZER_NAME):
            raise ModelRejected(f"a task on text needs {TOKENIZER_NAME} beside the model")
        return self.root / TOKENIZER_NAME

    @cached_property
    def config(self) -> dict[str, Any]:
        return self.object("config.json")

    @property
    def architecture(self) -> str:
        listed = self.config.get("architectures")
        return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], str) else ""

    @cached_property
    def tokenizer_config(self) -> dict[str, Any]:
        return self.object("tokenizer_config.json")

    def modules(self) -> Iterator[str]:
        """The kinds of sentence-transformers modules, such as Pooling, in their order."""
        listed = self._read("modules.json") if self.has("modules.json") else []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise ModelRejected("modules.json is no JSON array of objects")
        return (str(one.get("type", "")).rpartition(".")[2] for one in listed)

    def labels(self) -> tuple[list[str], str] | None:
        """The names of the classes in their order, and where they are from."""
        if self.has(LABELS_NAME):
            lines = (self.root / LABELS_NAME).read_text("utf-8-sig", "replace").removesuffix("\n").split("\n")
            return lines, LABELS_NAME
        named = self.config.get("id2label")
        if not named:
            return None
        try:
            ordered = {int(key): value for key, value in named.items()}
            if sorted(ordered) != [*range(len(ordered))] or not all(type(one) is str for one in ordered.values()):
                raise ValueError
        except (AttributeError, ValueError, TypeError):
            raise ModelRejected("config.json: id2label has no text for each of the numbers 0, 1, …") from None
        return [ordered[index] for index in range(len(ordered))], "config.json id2label"

    def special_token(self, name: str) -> str | None:
        """The text of a special token, such as `mask_token`."""
        for file in ("special_tokens_map.json", "tokenizer_config.json"):
            found = self.object(file).get(name)
            text = found.get("content") if isinstance(found, dict) else found
            if isinstance(text, str):
                return text
        return None

    def object(self, name: str) -> dict[str, Any]:
        found = self._read(name) if self.has(name) else {}
        if not isinstance(found, dict):
            raise ModelRejected(f"{name} is no JSON object")
        return found

    def _read(self, name: str) -> Any:
        path = self.root / name
        if path.stat().st_size > MAX_BYTES:
            raise ModelRejected(f"{name} has {path.stat().st_size:,} bytes, expected at most {MAX_BYTES:,}")
        try:
            return json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            raise ModelRejected(f"{name} is no JSON") from None


def number(fields: dict[str, Any], name: str, where: str) -> int | None:
    """A whole number of at least 1; None if it is absent. Raises ModelRejected."""
    value = fields.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not value >= 1 or value != value // 1:
        raise ModelRejected(f"{where}: {name} is {value!r:.80}, expected a whole number")
    return int(value)
