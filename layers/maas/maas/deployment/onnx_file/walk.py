"""Every message of an ONNX file, each with the values that its reader asks for.

Works in a memory map and holds one message of each level: memory does not grow with the model.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from maas.deployment.onnx_file.messages import MESSAGES
from maas.deployment.onnx_file.wire import Field, fields, numbers
from maas.errors import ModelRejected

MAX_DEPTH = 64  # of messages; protobuf's own limit is 100
MAX_FIELDS = 10_000_000
MAX_KEPT = 256  # values of a repeated field that is kept
Keep = Mapping[str, Collection[str]]


@dataclass(slots=True)
class Part:
    """A message of the type `kind`, `depth` levels below the model, with those of its fields that are kept."""

    kind: str
    depth: int
    _values: dict[str, list[tuple[Field, Any]]] = field(default_factory=dict)

    def keep(self, one: Field, value: "int | memoryview | Part") -> None:
        kept = self._values.setdefault(one.name, [])
        if len(kept) == MAX_KEPT:
            raise ModelRejected(f"a message {self.kind} has more than {MAX_KEPT} values for {one.name}")
        kept.append((one, value))

    def integer(self, name: str) -> int:
        """0 without a value; negative numbers as unsigned ones of 64 bits."""
        return next((value for _, value in self._values.get(name, ())), 0)

    def content(self, name: str) -> bytes | memoryview:
        return next((value for _, value in self._values.get(name, ())), b"")

    def text(self, name: str) -> str:
        """Raises ModelRejected if it is not UTF-8: two names must not become one."""
        try:
            return str(self.content(name), "utf-8")
        except UnicodeDecodeError:
            raise ModelRejected(f"{self.kind}.{name} is not UTF-8: export the model again") from None

    def shown(self, name: str) -> str:
        """A text for messages."""
        return str(self.content(name)[:200], "utf-8", "replace")

    def parts(self, name: str) -> list["Part"]:
        return [value for _, value in self._values.get(name, ())]

    def numbers(self, name: str, most: int) -> list[int] | None:
        """The varints of a repeated field, unsigned; None for more than `most`."""
        found = list(islice(chain.from_iterable(numbers(*one) for one in self._values.get(name, ())), most + 1))
        return found if len(found) <= most else None


def walk(model: memoryview, keep: Keep) -> Iterator[Part]:
    """All messages, each after those inside it, with the fields that `keep` names for its type.

    Raises ModelRejected, see `fields`, and for more than the limits.
    """
    met = 0
    parts = [Part("ModelProto", 0)]
    readers = [fields(model, MESSAGES["ModelProto"])]
    while readers:
        part = parts[-1]
        kept = keep.get(part.kind, ())
        for one, value in readers[-1]:
            met += 1
            if met > MAX_FIELDS:
                raise ModelRejected(f"the file has more than {MAX_FIELDS:,} fields")
            if one.message is None:
                if one.name in kept:
                    part.keep(one, value)
                continue
            if len(readers) > MAX_DEPTH:
                raise ModelRejected(f"messages are nested more than {MAX_DEPTH} deep: a graph in a graph is three")
            assert isinstance(value, memoryview)
            inner = Part(one.message, len(readers))
            if one.name in kept:
                part.keep(one, inner)
            readers.append(fields(value, MESSAGES[one.message]))
            parts.append(inner)
            break
        else:
            readers.pop()
            yield parts.pop()
