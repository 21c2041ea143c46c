"""An environment that finds no prepared form for its onnxruntime and CPU makes one and stores it for others.

Runs in a background thread and a child process. The manifest is written last, and only if there is none: of several
environments one wins, and files without a manifest (after a crash) are ignored.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maas.aws.s3_reader import S3Reader
from maas.aws.s3_writer import S3Writer
from maas.deployment import artifacts
from maas.deployment.artifacts import content_digest
from maas.errors import MaasError, NotFound
from maas.records import ModelFile, ModelVersion, Variant
from maas.records.rows import row_of
from maas.telemetry.observability import logger

if TYPE_CHECKING:
    from maas.deployment.preparation import Inspection

MANIFEST = "manifest.json"
MAX_FILE_BYTES = 5 * 1024**3  # of one PUT


class WriteBack:
    """`prepare` makes the prepared form of a model file: `preparation.inspect` with this function's limits.

    It gets the shapes of inputs that ran at deployment. `key` is called anew each time: a snapshot may be restored on
    another CPU.
    """

    def __init__(
        self,
        reader: S3Reader,
        writer: S3Writer,
        key: Callable[[], str],
        tmp_dir: Path,
        prepare: Callable[[str, str, dict[str, list[int]] | None], "Inspection"],
    ) -> None:
        self._reader, self._writer, self._key, self._tmp_dir = reader, writer, key, tmp_dir
        self._prepare = prepare

    def find(self, version: ModelVersion) -> Variant | None:
        """This environment's form, from the record or from another environment's manifest; None if none was tried."""
        if version.profile is None:  # it never ran: no input shows that a prepared form has the same outputs
            return Variant(self._key())
        recorded = next((one for one in version.variants if one.key == self._key()), None)
        if recorded:
            return recorded
        try:
            manifest = json.loads(self._reader.read(self._prepared_key(version, MANIFEST)))
        except NotFound:
            return None
        return Variant.of(manifest["variant"]) if manifest["source"] == content_digest(version.files) else None

    def start(self, version: ModelVersion, path: Path) -> threading.Thread:
        """Prepares the version, whose source is at `path`, in the background."""
        thread = threading.Thread(target=self._run, args=(version, path), name="write-back", daemon=True)
        thread.start()
        return thread

    def _run(self, version: ModelVersion, path: Path) -> None:
        folder = Path(tempfile.mkdtemp(dir=self._tmp_dir, suffix=".partial"))
        try:
            found = self._prepare(str(path), str(folder), (version.profile or {}).get("shapes"))
            self._write(version, folder, found.prepared)
        except MaasError as error:  # the source is served instead
            logger().warning("no prepared form", extra={"model": version.model, "reason": error.message})
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _write(self, version: ModelVersion, folder: Path, measured: Mapping[str, Any] | None) -> None:
        files: list[ModelFile] = []
        paths = sorted(folder.iterdir()) if measured else []
        if any(path.stat().st_size > MAX_FILE_BYTES for path in paths):
            return
        for path in paths:
            digest = artifacts.file_digest(path)
            s3_version = self._writer.put_file(self._prepared_key(version, path.name), path, digest)
            files.append(ModelFile(path.name, path.stat().st_size, digest, s3_version))
        variant = Variant(self._key(), tuple(files), **(measured or {}))
        manifest = {"source": content_digest(version.files), "variant": row_of(variant)}
        self._writer.put_new(self._prepared_key(version, MANIFEST), json.dumps(manifest).encode())

    def _prepared_key(self, version: ModelVersion, name: str) -> str:
        return artifacts.prepared_key(version.model, version.number, self._key(), name)
