"""Makes an uploaded version READY or FAILED. A repeated or late event gives the same outcome."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from maas.aws.s3 import ModelBucket
from maas.aws.s3_reader import S3Reader
from maas.deployment import artifacts, preparation, profile
from maas.deployment.artifacts import file_digest
from maas.deployment.child import Limits
from maas.deployment.inbox import write_version_result
from maas.deployment.variants import own_key
from maas.errors import ArtifactCorrupt, InsufficientStorage, ModelRejected, NotFound, ServiceUnavailable
from maas.records import ModelFile, ModelVersion, Quantized, Status, Variant
from maas.registry import Registry

ACTOR = "deployment"


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

        A fault of the model makes it FAILED. If S3 or DynamoDB do not answer, ServiceUnavailable is raised and the
        event is delivered again. Any other exception is a bug: FAILED, since a retry would fail too, and raised, so
        that alarms see it. Raises NotFound if there is no such version.
        """
        version = self._registry.versions.start_validation(model, number, ACTOR)
        if version.status is not Status.VALIDATING:
            write_version_result(self._bucket, version)
            return version
        try:
            checked = self._checked(version)
        except (ModelRejected, ArtifactCorrupt, InsufficientStorage, NotFound) as error:
            checked = replace(version, status=Status.FAILED, status_reason=error.message)
        except ServiceUnavailable:
            raise
        except Exception:
            reason = "an internal error; its trace is in the log of the deployment function"
            self._registry.versions.finish_validation(
                replace(version, status=Status.FAILED, status_reason=reason), ACTOR
            )
            raise
        done = self._registry.versions.finish_validation(checked, ACTOR)
        write_version_result(self._bucket, done)
        return done

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
            files = artifacts.fetch_source(self._reader, version, version.files, source)
            path = str(source / version.model_file.name)
            tolerances = {name: version.options[name] for name in ("rtol", "atol") if name in version.options}
            job = preparation.Job(path, means.threads, means.max_tensor_bytes, str(prepared), **tolerances)
            found = preparation.inspect(job, means.limits)
            variants = (self._prepared(version, found, prepared),)
            shutil.rmtree(prepared)  # the quantised form needs the space
            quantized = self._quantized(version, path, folder / "quantized")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(
            version,
            status=Status.READY,
            files=files,
            inputs=found.inputs,
            outputs=found.outputs,
            warnings=found.warnings,
            profile=self._profile(version, found),
            variants=variants,
            quantized=quantized,
        )

    def _prepared(self, version: ModelVersion, found: preparation.Inspection, folder: Path) -> Variant:
        """Uploads the prepared form under this environment's key."""
        if found.prepared is None:
            return Variant(own_key())
        return Variant(own_key(), self._uploaded(version, own_key(), folder), **found.prepared)

    def _quantized(self, version: ModelVersion, path: str, folder: Path) -> Quantized | None:
        """Makes the quantised form if the push asked for one, and uploads it if it is accurate enough."""
        wish = version.options.get("quantize")
        if not wish:
            return None
        quantized = Quantized(**wish)
        folder.mkdir()
        try:
            job = preparation.QuantizeJob(path, self._means.threads, str(folder), **wish)
            quantized = replace(quantized, **preparation.quantize(job, self._means.limits))
        except ModelRejected as error:
            return replace(quantized, reason=error.message)
        if quantized.reason:
            return quantized
        return replace(quantized, files=self._uploaded(version, quantized.scheme, folder))

    def _uploaded(self, version: ModelVersion, form: str, folder: Path) -> tuple[ModelFile, ...]:
        files = []
        for path in sorted(folder.iterdir()):
            key = artifacts.prepared_key(version.model, version.number, form, path.name)
            digest = file_digest(path)
            files.append(ModelFile(path.name, path.stat().st_size, digest, self._bucket.upload(key, path)))
        return tuple(files)

    def _profile(self, version: ModelVersion, found: preparation.Inspection) -> dict[str, float]:
        memory_mb = profile.recommended_memory_mb(found.profile["peak_memory_bytes"])
        usd = profile.usd_per_million(found.profile["run_ms"], self._means.memory_mb, memory_mb)
        return found.profile | {
            "size_bytes": version.size_bytes,
            "recommended_memory_mb": memory_mb,
            "usd_per_million_requests": usd,
        }
