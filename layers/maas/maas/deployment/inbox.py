"""A model dropped into the bucket's `inbox/` becomes a version without an API call.

`inbox/{model}/{name}.onnx` with its data files in `inbox/{model}/{name}/`, or `inbox/{model}/{folder}/{name}.onnx` with
its data files beside it, or an export's folder `inbox/{model}/{folder}/` as Hugging Face writes it, in which the model
may lie in `onnx/`. Objects may arrive in any order and repeatedly: the version is created once all files that the
model names are there, and the same bytes create one version. The outcome is written to `….onnx.result.json`.
The name of the model file may be any: the version's file is `model.onnx`.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from maas.aws.s3 import ModelBucket
from maas.aws.s3_reader import S3Reader
from maas.deployment import artifacts, inbox_export, onnx_file, uploads
from maas.deployment.inbox_export import RESULT_SUFFIX
from maas.deployment.variants import MODEL_NAME
from maas.errors import AlreadyExists, Contended, InsufficientStorage, MaasError, ModelRejected, ServiceUnavailable
from maas.names import MODEL_SUFFIX, check_name, is_model_file
from maas.records import EXAMPLE_NAMES, LABELS_NAME, ModelFile, ModelQuota, ModelVersion, RegisteredModel
from maas.registry import Idempotency, Registry
from maas.registry.quota import check_quota

ACTOR = "inbox"
PREFIX = "inbox/"
MAX_OBJECTS = 1000  # of one drop: a version has at most 500 files


class Inbox:
    def __init__(
        self,
        registry: Registry,
        bucket: ModelBucket,
        reader: S3Reader,
        tmp_dir: Path,
        tmp_bytes: int,
        max_bytes: int,
        quota: ModelQuota,
    ) -> None:
        self._registry, self._bucket, self._reader = registry, bucket, reader
        self._tmp_dir, self._tmp_bytes, self._max_bytes, self._quota = tmp_dir, tmp_bytes, max_bytes, quota

    def drop(self, key: str) -> ModelVersion | None:
        """The version that an arrived object belongs to; None while other files are missing or if the drop was refused.

        Raises ServiceUnavailable and Contended, so that the event is delivered again.
        """
        if not key.startswith(PREFIX) or key.endswith((RESULT_SUFFIX, "/")):
            return None
        if not inbox_export.is_settled(self._bucket, key, MAX_OBJECTS):
            return None
        model_key, objects = self._drop_of(key)
        if is_model_file(key) and model_key != key:
            self._refuse(key, _misplaced(key, objects))
            return None
        if model_key is None:
            return None
        try:
            return self._version(model_key.split("/")[1], model_key, objects)
        except (ServiceUnavailable, Contended):
            raise
        except MaasError as error:
            self._refuse(model_key, error.message)
            return None

    def _refuse(self, model_key: str, reason: str) -> None:
        write_result(self._bucket, model_key, {"status": "REFUSED", "reason": reason})

    def _drop_of(self, key: str) -> tuple[str | None, Mapping[str, int]]:
        """The .onnx object that `key` belongs to, and the sizes of all objects that may belong to it, by key."""
        parent = key.rpartition("/")[0]
        if "/" not in parent:  # in no model's folder
            return None, {}
        deep = parent.count("/") >= 2  # in a folder of its own
        folder = "/".join(parent.split("/")[:3]) if deep else parent
        found = self._bucket.sizes(f"{folder}/", MAX_OBJECTS)
        models = _models_in(folder, found) or (inbox_export.models_in(folder, found) if deep else [])
        if key in models:
            return key, found
        if deep and not models:  # data of inbox/{model}/{name}.onnx, mostly in the folder of that name
            base = folder.rpartition("/")[0]
            found = self._bucket.sizes(f"{base}/", MAX_OBJECTS)
            models = _models_in(base, found)
            models = [one for one in models if one[: -len(MODEL_SUFFIX)] == folder] or models
        return (models[0] if len(models) == 1 else None), found

    def _version(self, model: str, model_key: str, objects: Mapping[str, int]) -> ModelVersion | None:
        check_name(model, "model")
        self._tmp_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=self._tmp_dir))
        try:
            files = self._fetched(model_key, objects, folder)
            if files is None:
                return None
            return self._made(model, model_key, files, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _fetched(self, model_key: str, objects: Mapping[str, int], folder: Path) -> list[ModelFile] | None:
        """Downloads the model and the files that it names; None and a WAITING result if one is missing."""
        base, _, name = model_key.rpartition("/")
        sizes = {key.removeprefix(f"{base}/"): size for key, size in objects.items() if key.startswith(f"{base}/")}
        files = [self._fetch(model_key, folder, MODEL_NAME, sizes[name])]
        named = {one.location for one in onnx_file.read_externals(folder / MODEL_NAME, self._max_bytes)}
        missing = sorted(named - sizes.keys())
        if missing:
            write_result(self._bucket, model_key, {"status": "WAITING", "missing": missing})
            return None
        total_bytes = sizes[name] + sum(sizes[one] for one in named)
        if total_bytes > self._tmp_bytes:
            raise InsufficientStorage(total_bytes, self._tmp_bytes)
        keys = {one: f"{base}/{one}" for one in named | ({LABELS_NAME, *EXAMPLE_NAMES} & sizes.keys())}
        keys |= inbox_export.files(base, objects)
        wanted = sorted(keys)
        uploads.check_files([*files, *(ModelFile(one, objects[keys[one]], "") for one in wanted)], self._max_bytes)
        return files + [self._fetch(keys[one], folder, one, objects[keys[one]]) for one in wanted]

    def _fetch(self, key: str, folder: Path, name: str, size_bytes: int) -> ModelFile:
        """Downloads an object as the file `name` of the version."""
        if not size_bytes:
            raise ModelRejected(f"{key.rpartition('/')[2]} is empty")
        if size_bytes > self._tmp_bytes:
            raise InsufficientStorage(size_bytes, self._tmp_bytes)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return ModelFile(name, size_bytes, self._reader.download(key, path, size_bytes).sha256)

    def _made(self, model: str, model_key: str, files: list[ModelFile], folder: Path) -> ModelVersion:
        """Creates, uploads and commits the version of these bytes; returns the existing one if they came before."""
        alone = RegisteredModel(model, "", "", 0).keeping(1, sum(file.size_bytes for file in files))
        check_quota(alone, self._quota)  # a refused drop leaves no empty model
        try:
            self._registry.models.create(model, "", {}, ACTOR)
        except AlreadyExists:
            self._registry.models.get(model)  # raises Gone for a deleted one
        digest = artifacts.content_digest(files)
        once = Idempotency(f"{ACTOR}/{model}", digest, digest, expires=False)
        description = f"dropped as {model_key}"
        version = self._registry.versions.create(
            model, files, description, {}, ACTOR, once, origin=model_key, quota=self._quota
        )
        for file, declared in zip(files, version.files, strict=True):
            if version.is_open:
                self._bucket.upload(artifacts.source_key(model, version.number, declared.name), folder / file.name)
        uploads.complete(self._bucket, version)
        if version.is_open:
            write_result(self._bucket, model_key, {"status": "VALIDATING", "version": version.number})
        else:
            write_version_result(self._bucket, replace(version, origin=model_key))
        return version


def _models_in(folder: str, keys: Iterable[str]) -> list[str]:
    return sorted(key for key in keys if is_model_file(key) and key.rpartition("/")[0] == folder)


def _misplaced(key: str, objects: Mapping[str, int]) -> str:
    """Why an arrived model belongs to no drop."""
    if len(objects) >= MAX_OBJECTS:
        return f"its folder holds {MAX_OBJECTS:,} objects or more: give the model a folder of its own"
    return f"got {key}, expected {PREFIX}MODEL/NAME.onnx or {PREFIX}MODEL/FOLDER/NAME.onnx"


def write_version_result(bucket: ModelBucket, version: ModelVersion) -> None:
    """Writes the result beside the drop that the version came from; nothing for an uploaded version."""
    if version.origin:
        result = {"model": version.model, "version": version.number, "status": version.status}
        write_result(bucket, version.origin, result | {"reason": version.status_reason})


def write_result(bucket: ModelBucket, model_key: str, result: Mapping[str, object]) -> None:
    bucket.write(model_key + RESULT_SUFFIX, json.dumps(result, indent=2).encode())
