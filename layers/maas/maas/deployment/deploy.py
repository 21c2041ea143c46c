"""Makes an uploaded version READY or FAILED. A repeated or late event gives the same outcome."""

import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from maas.aws.s3 import ModelBucket
from maas.aws.s3_reader import S3Reader
from maas.deployment import artifacts, preparation, profile
from maas.deployment.artifacts import file_digest
from maas.deployment.child import Limits
from maas.deployment.inbox import write_version_result
from maas.deployment.variants import own_key
from maas.errors import (
    ArtifactCorrupt,
    Contended,
    InsufficientStorage,
    ModelRejected,
    NotFound,
    ServiceUnavailable,
)
from maas.records import ModelFile, ModelVersion, Quantized, Stage, Status, Variant, fields_of
from maas.registry import Registry

ACTOR = "deployment"
JOB_OPTIONS = ("rtol", "atol", "smoke_run", "task")  # of a version, as `preparation.Job` has them
# An item of DynamoDB has at most 400 KB: descriptions and tags of later updates take up to 90.
MAX_RECORD_BYTES = 300_000
MAX_REASON = 4000  # characters


@dataclass(frozen=True, slots=True)
class Means:
    """Disk, memory, CPU and limits of the deployment function."""

    tmp_dir: Path
    tmp_bytes: int
    memory_mb: int
    threads: int
    max_tensor_bytes: int
    limits: Limits


class Deployment:
    def __init__(self, registry: Registry, reader: S3Reader, bucket: ModelBucket, means: Means) -> None:
        self._registry, self._reader, self._bucket, self._means = registry, reader, bucket, means

    def deploy(self, model: str, number: int) -> ModelVersion:
        """Checks a version whose commit mark arrived; returns it with its new status.

        A fault of the model makes it FAILED. If S3 or DynamoDB do not answer, or others keep changing the model,
        ServiceUnavailable or Contended is raised and the event is delivered again. Any other exception is a bug:
        FAILED, since a retry would fail too, and raised, so that alarms see it. Raises NotFound if there is no such
        version.
        """
        version = self._registry.validation.start(model, number, ACTOR)
        if version.status is not Status.VALIDATING:
            write_version_result(self._bucket, version)
            return version
        try:
            done = self._finished(self._checked(version))
        except (ModelRejected, ArtifactCorrupt, InsufficientStorage, NotFound) as error:
            done = self._failed(version, error.message)
        except (ServiceUnavailable, Contended):
            raise
        except Exception:
            self._failed(version, "an internal error; its trace is in the log of the deployment function")
            raise
        write_version_result(self._bucket, done)
        return done

    def _finished(self, checked: ModelVersion) -> ModelVersion:
        """Raises ModelRejected for a version that the registry cannot store."""
        check_record(checked)
        return self._registry.validation.finish(checked, ACTOR)

    def _failed(self, version: ModelVersion, reason: str) -> ModelVersion:
        failed = replace(version, status=Status.FAILED, status_reason=shortened(reason))
        return self._registry.validation.finish(failed, ACTOR)

    def _checked(self, version: ModelVersion) -> ModelVersion:
        """The version as READY. Raises what makes it FAILED."""
        means = self._means
        if 2 * version.size_bytes > means.tmp_bytes:  # the source and its prepared form
            raise InsufficientStorage(2 * version.size_bytes, means.tmp_bytes)
        means.tmp_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=means.tmp_dir))
        try:
            source, prepared = folder / "source", folder / "prepared"
            source.mkdir()
            prepared.mkdir()
            report = partial(self._registry.validation.set_stage, version.model, version.number)
            report(Stage.CHECKING_DIGESTS)
            files = artifacts.fetch_source(self._reader, version, version.files, source)
            path = str(source / version.model_file.name)
            options = {name: version.options[name] for name in JOB_OPTIONS if name in version.options}
            job = preparation.Job(path, means.threads, means.max_tensor_bytes, str(prepared), **options)
            found = preparation.inspect(job, means.limits, report)
            variants = (self._prepared(version, found, prepared),)
            shutil.rmtree(prepared)  # the quantised form needs the space
            quantized = self._quantized(version, found, path, folder / "quantized")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(
            version,
            status=Status.READY,
            files=files,
            inputs=found.inputs,
            outputs=found.outputs,
            task=found.task,
            warnings=tuple(map(shortened, found.warnings)),
            profile=self._profile(version, found.profile) if found.profile else None,
            variants=variants,
            quantized=quantized,
        )

    def _prepared(self, version: ModelVersion, found: preparation.Inspection, folder: Path) -> Variant:
        """Uploads the prepared form under this environment's key."""
        if found.prepared is None:
            return Variant(own_key())
        return Variant(own_key(), self._uploaded(version, own_key(), folder), **found.prepared)

    def _quantized(
        self, version: ModelVersion, found: preparation.Inspection, path: str, folder: Path
    ) -> Quantized | None:
        """Makes the quantised form if the push asked for one, and uploads it if it is accurate enough."""
        wish = version.options.get("quantize")
        if not wish:
            return None
        quantized = Quantized(**wish)
        if found.profile is None:
            return replace(quantized, reason="the model never ran, so its outputs cannot be compared: push an example")
        folder.mkdir()
        self._registry.validation.set_stage(version.model, version.number, Stage.QUANTIZING)
        try:
            job = preparation.QuantizeJob(
                path,
                self._means.threads,
                str(folder),
                **wish,
                trial=found.trial,
                task=found.task.name if found.task else None,
            )
            quantized = replace(quantized, **preparation.quantize(job, self._means.limits))
        except ModelRejected as error:
            return replace(quantized, reason=shortened(error.message))
        if quantized.reason:
            return quantized
        return replace(quantized, files=self._uploaded(version, quantized.scheme, folder))

    def _uploaded(self, version: ModelVersion, form: str, folder: Path) -> tuple[ModelFile, ...]:
        """Raises NotFound for a version that is purged meanwhile: nothing would delete these objects."""
        self._registry.validation.check_kept(version.model, version.number)
        files = []
        for path in sorted(folder.iterdir()):
            key = artifacts.prepared_key(version.model, version.number, form, path.name)
            digest = file_digest(path)
            files.append(ModelFile(path.name, path.stat().st_size, digest, self._bucket.upload(key, path)))
        return tuple(files)

    def _profile(self, version: ModelVersion, measured: dict[str, Any]) -> dict[str, Any]:
        memory_mb = profile.recommended_memory_mb(measured["peak_memory_bytes"])
        usd = profile.usd_per_million(measured["run_ms"], self._means.memory_mb, memory_mb)
        return measured | {
            "size_bytes": version.size_bytes,
            "recommended_memory_mb": memory_mb,
            "usd_per_million_requests": usd,
        }


def check_record(version: ModelVersion) -> None:
    """Raises ModelRejected for a version whose record is too large for the registry."""
    size_bytes = _json_bytes(fields_of(version))
    if size_bytes > MAX_RECORD_BYTES:
        tensors = (*(version.inputs or ()), *(version.outputs or ()))
        named = sum(len(tensor.name.encode()) for tensor in tensors)
        raise ModelRejected(
            f"the record of the version takes {size_bytes:,} bytes, allowed are {MAX_RECORD_BYTES:,} (DynamoDB stores "
            f"400 KB an item): it has {len(tensors):,} inputs and outputs with {named:,} bytes of names, and "
            f"{len(version.files):,} files; export the model with fewer or shorter names"
        )


def shortened(text: str) -> str:
    """Names in a model may have any length: the registry and the event of a change take a few thousand characters."""
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]}… ({len(text):,} characters)"


def _json_bytes(fields: dict[str, Any]) -> int:
    return len(json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"))
