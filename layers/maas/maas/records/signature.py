"""What a version takes and gives: tensors, or a task's texts and images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from maas.records.rows import Row, known


@dataclass(frozen=True, slots=True)
class MetadataTensor(Row):
    """An input or output of a model, in terms of the Open Inference Protocol. -1 is a variable dimension.

    An `optional` input may be left out: the graph has a default for it or works without. Elements of BYTES are text,
    unless they are `binary`, such as an image file.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    optional: bool = False
    binary: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**(known(cls, fields) | {"shape": tuple(fields["shape"])}))


@dataclass(frozen=True, slots=True)
class Task(Row):
    """What a version does with texts or images: one step before its graph runs and one after.

    `parameters` are those of the steps, `origins` says where each came from, and `task` itself. The signature of the
    graph is `raw_inputs` and `raw_outputs`; the version's own is what the task takes and gives.
    """

    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    raw_inputs: tuple[MetadataTensor, ...] = ()
    raw_outputs: tuple[MetadataTensor, ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        signature = {name: tuple(map(MetadataTensor.of, fields[name])) for name in ("raw_inputs", "raw_outputs")}
        return cls(**(known(cls, fields) | signature))
