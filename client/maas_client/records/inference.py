"""Metadata and responses of the inference API, as frozen dataclasses."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Outputs = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class MetadataTensor:
    """An input or output of a model. -1 in `shape` is a variable dimension.

    >>> maas.metadata("digits").inputs[0].datatype
    'FP32'
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    parameters: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_optional(self) -> bool:
        """Whether the model has a default for this input."""
        return self.parameters.get("optional") is True


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """The inputs and outputs of a version.

    >>> maas.metadata("digits", "production").versions
    ('1',)
    """

    name: str
    platform: str
    inputs: tuple[MetadataTensor, ...]
    outputs: tuple[MetadataTensor, ...]
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShapeProfile:
    """A version measured at some shapes: `run_ms` is the median of `runs` runs in a function of `memory_mb`.

    >>> maas.versions.profile("digits", "production", {"x": [1, 2]}, runs=3).runs
    3
    """

    model_name: str
    model_version: str
    shapes: dict[str, tuple[int, ...]]
    runs: int
    run_ms: float
    memory_mb: int
    cost_per_million_usd: float


@dataclass(frozen=True, slots=True)
class InferenceResponse:
    """The outputs of a run. `model_version` is the number that answered, also for an alias; `id` is the request's.

    >>> maas.infer_response("digits", [[1, 2]], "production", request_id="42").id
    '42'
    """

    model_name: str
    model_version: str
    outputs: "Outputs"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A text of `rerank`; `index` is its place among those given.

    >>> maas.rerank("reranker", "cats", ["dogs bark", "cats purr"])[0].index
    1
    """

    index: int
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class ClassScore:
    """A class of `classify`.

    >>> maas.classify("reviews", ["fine"])[0][0].label
    'positive'
    """

    label: str
    score: float
