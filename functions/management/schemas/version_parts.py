"""Parts of a version: its files, signature, task, profile and forms."""

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, Self

from pydantic import BaseModel
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from maas import records
from schemas.shared import attributes


class Tensor(BaseModel):
    name: str
    datatype: str
    shape: list[int]


class Task(BaseModel):
    """What is done with texts or images before the graph runs and after; its signature is the version's.

    `origins` says where each of the `parameters` came from, and the task's name as `task`. `raw_inputs` and
    `raw_outputs` are the graph's own, for requests with `parameters.task` raw.
    """

    name: str
    parameters: dict[str, Any]
    origins: dict[str, str]
    raw_inputs: list[Tensor]
    raw_outputs: list[Tensor]

    @classmethod
    def of(cls, task: records.Task | None) -> Self | None:
        if task is None:
            return None
        raw = {"raw_inputs": tensors_of(task.raw_inputs), "raw_outputs": tensors_of(task.raw_outputs)}
        return cls.model_validate({"name": task.name, "parameters": task.parameters, "origins": task.origins} | raw)


def tensors_of(tensors: Sequence[records.MetadataTensor]) -> list[Tensor]:
    return [Tensor(name=t.name, datatype=t.datatype, shape=list(t.shape)) for t in tensors]


class File(BaseModel):
    name: str
    size_bytes: int
    sha256: str


class Profile(TypedDict):
    """Measured at deployment with inputs of `shapes`; `shapes_from` is the origin of these inputs.

    Generated ones hold `values`, repeated along the last axis, or fractions where an input has none there; `values` is
    null if they are too many.
    """

    load_ms: float
    run_ms: float
    run_ms_batch_32: NotRequired[float]
    peak_memory_bytes: float
    golden_vectors: NotRequired[float]
    size_bytes: NotRequired[float]
    recommended_memory_mb: NotRequired[float]
    usd_per_million_requests: NotRequired[float]
    shapes: NotRequired[dict[str, list[int]]]
    shapes_from: NotRequired[Literal["golden", "example", "signature", "task"]]
    values: NotRequired[dict[str, list[bool | int | float | str]] | None]


class PreparedVariant(BaseModel):
    """The model optimised for one onnxruntime version and CPU; other environments run the source."""

    key: str
    size_bytes: int
    load_ms: float
    run_ms: float
    max_difference: float


class QuantizedForm(BaseModel):
    """If `kept`, served to requests with `parameters.variant` of this scheme; else `reason` says why not.

    `difference` is the largest difference from the source's outputs, over their largest value.
    """

    scheme: str
    kept: bool
    reason: str | None
    tolerance: float
    difference: float | None
    size_bytes: int | None
    load_ms: float | None
    run_ms: float | None

    @classmethod
    def of(cls, found: records.Quantized | None) -> Self | None:
        if found is None:
            return None
        return cls.model_validate(attributes(cls, found, "kept") | {"kept": bool(found.files)})
