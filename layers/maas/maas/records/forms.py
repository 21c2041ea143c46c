"""Forms of a version beside its source: prepared for an environment, or with weights of fewer bits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from maas.records.files import ModelFile
from maas.records.rows import Row, known


@dataclass(frozen=True, slots=True)
class Variant(Row):
    """The model prepared for one kind of environment (`key`: see `maas.deployment.variants`), with measurements.

    No files: no prepared form loads faster with equal answers, so that environment serves the source.
    """

    key: str
    files: tuple[ModelFile, ...] = ()
    load_ms: float = 0.0
    run_ms: float = 0.0
    max_difference: float = 0.0

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**(known(cls, fields) | {"files": tuple(map(ModelFile.of, fields["files"]))}))


@dataclass(frozen=True, slots=True)
class Quantized(Row):
    """The model with weights of fewer bits, served on request of its `scheme`, in any environment.

    `difference` is the largest difference of its outputs from the source's, relative to their largest value. No files:
    the form was not kept, for `reason`.
    """

    scheme: str
    tolerance: float
    files: tuple[ModelFile, ...] = ()
    size_bytes: int | None = None
    difference: float | None = None
    load_ms: float | None = None
    run_ms: float | None = None
    reason: str | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        return cls(**(known(cls, fields) | {"files": tuple(map(ModelFile.of, fields["files"]))}))
