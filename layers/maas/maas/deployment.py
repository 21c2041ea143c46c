"""An uploaded version becomes READY or FAILED. Replayed, late or after a crash, the outcome is the same."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from maas import artifacts, preparation
from maas.aws.s3_reader import S3Reader
from maas.errors import ArtifactCorrupt, InsufficientStorage, ModelRejected, NotFound, ServiceUnavailable
from maas.records import ModelVersion, Status
from maas.registry import Registry

ACTOR = "deployment"


class Deployment:
    def __init__(self, registry: Registry, reader: S3Reader, tmp_dir: Path, tmp_bytes: int, threads: int) -> None:
        self._registry, self._reader = registry, reader
        self._tmp_dir, self._tmp_bytes, self._threads = tmp_dir, tmp_bytes, threads

    def deploy(self, model: str, number: int) -> ModelVersion:
        """Check a version whose commit mark arrived; returns it as it is then.

        What is wrong with the model ends in FAILED. When S3 or DynamoDB do not answer, that is raised, and the event
        comes again. Anything else is a fault of ours: FAILED too, since it would only happen again, and raised, so
        that alarms ring. Raises NotFound if there is no such version.
        """
        version = self._registry.versions.start_validation(model, number, ACTOR)
        if version.status is not Status.VALIDATING:
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
        return self._registry.versions.finish_validation(checked, ACTOR)

    def _checked(self, version: ModelVersion) -> ModelVersion:
        """The version as READY."""
        if version.size_bytes > self._tmp_bytes:
            raise InsufficientStorage(version.size_bytes, self._tmp_bytes)
        self._tmp_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._tmp_dir))
        try:
            files = artifacts.fetch(self._reader, version, folder)
            found = preparation.inspect(folder / version.model_file.name, self._threads)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return replace(
            version,
            status=Status.READY,
            files=files,
            inputs=found.inputs,
            outputs=found.outputs,
            profile=found.profile,
        )
