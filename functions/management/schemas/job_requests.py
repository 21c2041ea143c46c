"""The request for a job."""

from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    model_validator,
)

from maas.batch.state import job_records
from maas.records import ModelFile
from schemas.samples import JobShadow
from schemas.shared import Body, DeclaredFile, Name, like, whole

Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Parameter = StrictBool | StrictInt | StrictStr | list[Column]
Location = Annotated[str, StringConstraints(min_length=1, max_length=1100)]
Size = Annotated[int, Field(ge=0, lt=1 << 53, strict=True), BeforeValidator(whole)]
MAX_NAMES_BYTES = 64_000  # of all names in the options: a job's row must stay below DynamoDB's 400 kB


class JobOptions(Body):
    """`columns` and `exclude` select the features of CSV and Parquet, `select` the outputs (all names together at most
    64 kB). `join` copies the input's columns to the output. With more than `max_errors` bad records the job fails.
    `batch_size` is the number of rows per run. `parameters` are options of the version's task, as of a request."""

    columns: Annotated[list[Column], Field(min_length=1, max_length=5000)] | None = None
    exclude: Annotated[list[Column], Field(min_length=1, max_length=5000)] | None = None
    join: Literal["input"] | None = None
    select: Annotated[list[Column], Field(min_length=1, max_length=200)] | None = None
    max_errors: Size | None = None
    batch_size: Annotated[int, Field(ge=1, le=100_000, strict=True), BeforeValidator(whole)] | None = None
    parameters: Annotated[dict[Column, Parameter], Field(max_length=20)] | None = None

    @model_validator(mode="after")
    def _fit_into_a_row(self) -> Self:
        options = [one if type(one) is list else [str(one)] for one in (self.parameters or {}).values()]
        named = [*(self.columns or ()), *(self.exclude or ()), *(self.select or ()), *chain.from_iterable(options)]
        size_bytes = sum(len(one.encode()) for one in named)
        if size_bytes > MAX_NAMES_BYTES:
            came = f"got {size_bytes:,} bytes of names in columns, exclude, select and parameters"
            raise ValueError(f"{came}, expected at most {MAX_NAMES_BYTES:,}")
        return self


class RecordsFile(DeclaredFile):
    """A file of records, which may be empty: that gives a result without records."""

    size_bytes: Annotated[int, Field(ge=0, strict=True), BeforeValidator(whole)]


class CreateJob(Body):
    """Either `input`, an object in the bucket, or `upload`, a file to upload; an `infer` job needs an upload.

    `version` is a number or an alias, which is resolved now. `output` is a folder that no other job writes to; `notify`
    is an https URL or the ARN of an SNS topic. `shadow`, of a batch, runs another version on the same records.
    """

    model_config = like(model="digits", version="production", input="batch/data/images.npy", options={"max_errors": 10})

    model: Name
    version: Annotated[str, StringConstraints(min_length=1, max_length=63)] | None = None
    kind: Literal["batch", "infer"] = "batch"
    input: Location | None = None
    upload: RecordsFile | None = None
    header_length: Size | None = None
    output: Location | None = None
    options: JobOptions = JobOptions()
    notify: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    shadow: JobShadow | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.input is None) == (self.upload is None):
            raise ValueError("expected either input or upload")
        if self.kind == "infer" and not self.upload:
            raise ValueError("expected upload: a job of kind infer takes one request")
        if self.kind == "infer" and self.output:
            raise ValueError("expected no output: …/results returns the response of an infer job")
        return self

    def request(self) -> job_records.JobRequest:
        return job_records.JobRequest(
            self.kind,
            self.input,
            ModelFile(self.upload.name, self.upload.size_bytes, self.upload.sha256) if self.upload else None,
            self.header_length,
            self.output,
            self.options.model_dump(exclude_none=True),
            self.notify,
            self.shadow.record() if self.shadow else None,
        )
