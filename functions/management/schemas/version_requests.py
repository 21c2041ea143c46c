"""The request for a version: files and the options of its deployment."""

from typing import Annotated, Literal

from pydantic import Field

from maas.tasks.names import NO_TASK, TASKS
from schemas.samples import Tolerances
from schemas.shared import Body, DeclaredFile, Description, Tags, like

EXAMPLE_FILE = {
    "name": "model.onnx",
    "size_bytes": 6360000,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}


class Golden(Tolerances):
    """Allowed differences from the test vectors: |difference| ≤ atol + rtol * |expected|."""


class Quantize(Body):
    """Asks for a quantised form, kept if its outputs differ by at most `tolerance` of their largest value."""

    scheme: Literal["dynamic-int8"]
    tolerance: Annotated[float, Field(ge=0, le=1, strict=True)] = 0.05


SmokeRun = Literal["required", "optional"]
TaskName = Literal[*TASKS, NO_TASK]  # type: ignore[valid-type]  # right at run time; mypy reads no tuples


class CreateVersion(Body):
    """Exactly one file is a `.onnx`; others are its external data, `labels.txt`, test vectors in `golden/`, and inputs
    that it takes, of at most 1 MB, as `example.npz` or `example.json`."""

    model_config = like(files=[EXAMPLE_FILE], description="A hundred trees", tags={"accuracy": "0.987"})

    files: Annotated[list[DeclaredFile], Field(min_length=1)]
    golden: Golden = Golden()
    quantize: Quantize | None = None
    smoke_run: Annotated[
        SmokeRun, Field(description="optional: READY with a warning, never run, if no generated input runs.")
    ] = "required"
    task: Annotated[
        TaskName | None,
        Field(description="The task of an export's folder, if it shall not be found; none: tensors as the graph has."),
    ] = None
    description: Description = ""
    tags: Tags = Field({})

    def options(self) -> dict[str, object]:
        """Options of the deployment, as the version's record keeps them."""
        quantize = {"quantize": self.quantize.model_dump()} if self.quantize else {}
        smoke_run = {"smoke_run": self.smoke_run} if self.smoke_run != "required" else {}
        task = {"task": self.task} if self.task else {}
        return self.golden.model_dump() | quantize | smoke_run | task
