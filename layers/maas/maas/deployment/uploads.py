"""An upload from its declared files to its commit mark: presigned requests, then the check that all files arrived."""

import json
from collections.abc import Sequence

from maas.aws.s3 import PART_BYTES, ModelBucket, UploadPart
from maas.deployment.artifacts import commit_mark_key, source_key
from maas.errors import InvalidRequest, TooLarge, UploadIncomplete
from maas.names import MODEL_SUFFIX, check_file_name, is_model_file
from maas.records import EXAMPLE_NAMES, ModelFile, ModelVersion, Status

MAX_FILES = 500  # a version's row stays below DynamoDB's 400 KB
MAX_EXAMPLE_BYTES = 1 << 20
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")  # archives are not unpacked


def check_files(files: Sequence[ModelFile], max_bytes: int) -> None:
    """Raises InvalidRequest unless the names are distinct and exactly one is a model; TooLarge beyond `max_bytes`."""
    if len(files) > MAX_FILES:
        raise InvalidRequest(f"files: got {len(files)}, expected at most {MAX_FILES}", field="files")
    for index, file in enumerate(files):
        check_file_name(file.name, f"files.{index}.name")
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes > max_bytes:
        raise TooLarge(f"files: got {size_bytes:,} bytes together, expected at most {max_bytes:,}", field="files")
    archives = [file.name for file in files if file.name.lower().endswith(ARCHIVES)]
    if archives:
        raise InvalidRequest(
            f"files: got the archive {archives[0]}, expected its files, each by its name", field="files"
        )
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        raise InvalidRequest(f"files: got {names}, expected each name once", field="files")
    models = [name for name in names if is_model_file(name)]
    if len(models) != 1:
        raise InvalidRequest(f"files: got {models}, expected exactly one *{MODEL_SUFFIX}", field="files")
    _check_examples([file for file in files if file.name in EXAMPLE_NAMES])


def _check_examples(examples: Sequence[ModelFile]) -> None:
    if len(examples) > 1:
        raise InvalidRequest(f"files: got {[file.name for file in examples]}, expected one of them", field="files")
    for file in examples:
        if file.size_bytes > MAX_EXAMPLE_BYTES:
            raise TooLarge(
                f"files: {file.name} has {file.size_bytes:,} bytes, expected at most {MAX_EXAMPLE_BYTES:,}: one small "
                "record is enough",
                field="files",
            )


def presign(bucket: ModelBucket, version: ModelVersion) -> dict[str, list[UploadPart]]:
    """Upload requests by file name."""
    return {
        file.name: bucket.presign(source_key(version.model, version.number, file.name), file.size_bytes, file.sha256)
        for file in version.files
    }


def complete(bucket: ModelBucket, version: ModelVersion) -> None:
    """Writes the commit mark once every file is uploaded; its event starts the deployment.

    Marks a VALIDATING version again, which restarts a deployment whose event was lost.
    Raises UploadIncomplete, naming every missing or wrong file.
    """
    if version.status not in (Status.PENDING_UPLOAD, Status.VALIDATING):
        return
    problems = [problem for file in version.files if (problem := _problem(bucket, version, file))]
    if problems:
        raise UploadIncomplete(problems)
    files = [{"name": file.name, "size_bytes": file.size_bytes, "sha256": file.sha256} for file in version.files]
    mark = {"model": version.model, "version": version.number, "files": files}
    bucket.write(commit_mark_key(version.model, version.number), json.dumps(mark).encode())


def _problem(bucket: ModelBucket, version: ModelVersion, file: ModelFile) -> str | None:
    key = source_key(version.model, version.number, file.name)
    stored = bucket.stored(key)
    if stored is None and file.size_bytes > PART_BYTES:
        bucket.finish_multipart(key, file.size_bytes)
        stored = bucket.stored(key)
    if stored is None:
        return f"{file.name} is not there"
    if stored.size_bytes != file.size_bytes:
        return f"{file.name} has {stored.size_bytes} bytes, declared were {file.size_bytes}"
    if stored.sha256 and stored.sha256 != file.sha256:
        return f"{file.name} has SHA-256 {stored.sha256}, declared was {file.sha256}"
    return None
