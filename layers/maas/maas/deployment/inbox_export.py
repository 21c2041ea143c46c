"""A folder as Hugging Face exports it, dropped into the inbox: its files, and whether all have come.

Nothing marks the end of `aws s3 sync`, and the files arrive in any order. So an event of such a folder waits until
nothing has changed for a moment; events of the small files leave this to the newest one of them.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime

from maas.aws.s3 import ModelBucket
from maas.deployment.variants import MODEL_NAME
from maas.names import is_model_file
from maas.records import EXPORT_NAMES, LABELS_NAME

QUIET_SECONDS = 3.0
RESULT_SUFFIX = ".result.json"  # of the outcome, beside a drop
GRAPHS = "/onnx"


def is_settled(bucket: ModelBucket, key: str, limit: int) -> bool:
    """Whether this event shall look for a model: True at once unless it is of an export's folder.

    A large file bears the time at which its upload began, so that only among small ones is the newest the last.
    """
    parts = key.split("/")
    folder = "/".join(parts[:3])
    if len(parts) < 4:
        return True
    before = _changes(bucket, folder, limit)
    if not before.keys() & {f"{folder}/{name}" for name in EXPORT_NAMES}:
        return True
    newest = max(before, key=lambda one: (before[one], one))
    if key.removeprefix(f"{folder}/") in EXPORT_NAMES and key != newest:
        return False
    time.sleep(QUIET_SECONDS)
    return _changes(bucket, folder, limit) == before


def models_in(folder: str, keys: Iterable[str]) -> list[str]:
    """The model in the folder's `onnx`: of several, the one of the usual name."""
    found = [key for key in keys if is_model_file(key) and key.rpartition("/")[0] == folder + GRAPHS]
    usual = f"{folder}{GRAPHS}/{MODEL_NAME}"
    return [usual] if usual in found else sorted(found)


def files(base: str, objects: Mapping[str, int]) -> dict[str, str]:
    """Keys of the export's files by name, for a model in the folder `base` or in the `onnx` of it."""
    if base.count("/") < 2:  # the folder of all drops of a model
        return {}
    root = base.removesuffix(GRAPHS) if base.count("/") > 2 else base
    names = (*EXPORT_NAMES, LABELS_NAME)
    return {name: f"{root}/{name}" for name in names if f"{root}/{name}" in objects}


def _changes(bucket: ModelBucket, folder: str, limit: int) -> dict[str, datetime]:
    changes = bucket.changes(f"{folder}/", limit)
    return {key: at for key, at in changes.items() if not key.endswith(RESULT_SUFFIX)}
