"""The caches of runners in memory and of files in /tmp: concurrent requests, budgets, failures."""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from maas.aws.s3_reader import PART_BYTES, S3Reader
from maas.deployment.artifacts import LocalArtifacts
from maas.errors import ArtifactCorrupt, InsufficientStorage, ModelRejected, NotFound
from maas.records import ModelFile, ModelVersion, Quantized, Status
from maas.serving.runner import Runner
from maas.serving.runner_cache import RunnerCache
from support import onnx_models
from support.aws.engine import Cloud


def version(number: int, size_bytes: int = 100, content: bytes = b"") -> ModelVersion:
    file = ModelFile("model.onnx", len(content) or size_bytes, hashlib.sha256(content).hexdigest())
    return ModelVersion("m", number, Status.READY, (file,), "", "", 1)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_models.linear())
    return Runner(path, threads=1)


class Loads:
    """Counts what is loaded; may fail the first time. `may_end` ends a load."""

    def __init__(self, runner: Runner, failing: bool = False) -> None:
        self.numbers: list[int] = []
        self.forms: list[Quantized | None] = []
        self.may_end: Callable[[], object] = lambda: True
        self._runner, self._failing = runner, failing

    def __call__(self, version: ModelVersion, quantized: Quantized | None) -> Runner:
        self.numbers.append(version.number)
        self.forms.append(quantized)
        until(self.may_end)
        if self._failing:
            self._failing = False
            raise ModelRejected("the first time fails")
        return self._runner


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def ask_at_once(loads: Loads, count: int) -> tuple[list[Runner | Exception], RunnerCache]:
    """What came of so many concurrent requests; the load ends once all others wait for it."""
    cache, came = RunnerCache(loads, 1000), list[Runner | Exception]()
    loads.may_end = lambda: [len(one.runner._condition._waiters) for one in cache._entries.values()] == [count - 1]

    def ask() -> None:
        try:
            came.append(cache.get(version(1)))
        except ModelRejected as error:
            came.append(error)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loads.may_end = lambda: True
    return came, cache


def test_concurrent_gets_load_once(runner: Runner) -> None:
    loads = Loads(runner)
    assert ask_at_once(loads, 8)[0] == [runner] * 8
    assert loads.numbers == [1]


def test_failed_load_raises_for_all_waiters_then_retries(runner: Runner) -> None:
    loads = Loads(runner, failing=True)
    came, cache = ask_at_once(loads, 4)
    assert all(isinstance(one, ModelRejected) for one in came)
    assert cache.get(version(1)) is runner
    assert loads.numbers == [1, 1]


def test_least_recently_used_is_evicted_first(runner: Runner) -> None:
    loads = Loads(runner)
    cache = RunnerCache(loads, 250)
    for number in (1, 2, 1, 3, 1, 2):
        cache.get(version(number))
    assert loads.numbers == [1, 2, 3, 2]


def test_newest_stays_over_budget(runner: Runner) -> None:
    loads = Loads(runner)
    cache = RunnerCache(loads, 50)
    assert cache.get(version(1)) is cache.get(version(1)) is runner
    assert loads.numbers == [1]


def test_quantized_form_is_its_own_entry(runner: Runner) -> None:
    loads = Loads(runner)
    cache, form = RunnerCache(loads, 150), Quantized("dynamic-int8", 0.05, size_bytes=25)
    for quantized in (None, form, None, form):
        cache.get(version(1), quantized=quantized)
    assert loads.forms == [None, form]
    cache.drop("m")
    cache.get(version(1), quantized=form)
    assert loads.forms == [None, form, form]


@pytest.fixture
def files(cloud: Cloud, tmp_path: Path) -> LocalArtifacts:
    reader = S3Reader("us-east-1", cloud.settings.endpoint_url, cloud.settings.bucket)
    return LocalArtifacts(reader, tmp_path / "cache", budget_bytes=250)


def stored(cloud: Cloud, number: int, content: bytes) -> ModelVersion:
    key = f"models/m/{number}/source/model.onnx"
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=key, Body=content)
    return version(number, content=content)


def test_file_is_downloaded_once(cloud: Cloud, files: LocalArtifacts) -> None:
    one = stored(cloud, 1, b"a" * 100)
    path = files.model(one).path
    assert path.read_bytes() == b"a" * 100
    cloud.s3.delete_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx")
    assert files.model(one).path == path


def test_disk_budget(cloud: Cloud, files: LocalArtifacts, tmp_path: Path) -> None:
    versions = [stored(cloud, number, bytes([number]) * 100) for number in (1, 2, 3)]
    paths = [files.model(one).path for one in versions]
    assert [path.exists() for path in paths] == [False, True, True]
    again = LocalArtifacts(files._reader, tmp_path / "cache", budget_bytes=250)  # another process of the environment
    again.model(versions[0])
    assert sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.onnx")) == 200


@pytest.mark.full
def test_large_object_downloads_in_parts(cloud: Cloud, tmp_path: Path) -> None:
    content = random.Random(0).randbytes(PART_BYTES * 7 + 12345)  # more parts than come at once
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="large", Body=content)
    reader = S3Reader("us-east-1", cloud.settings.endpoint_url, cloud.settings.bucket)
    found = reader.download("large", tmp_path / "large", len(content))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert (tmp_path / "large").read_bytes() == content


def test_model_over_disk_budget_names_the_parameter(cloud: Cloud, files: LocalArtifacts) -> None:
    with pytest.raises(InsufficientStorage, match=r"needs 251 bytes .* has 250: raise the EphemeralStorage"):
        files.model(version(1, size_bytes=251))


def test_corrupt_download_is_not_kept(cloud: Cloud, files: LocalArtifacts, tmp_path: Path) -> None:
    one = stored(cloud, 1, b"a" * 100)
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key="models/m/1/source/model.onnx", Body=b"b" * 100)
    with pytest.raises(ArtifactCorrupt, match="its SHA-256 is"):
        files.model(one)
    assert list((tmp_path / "cache").iterdir()) == []


def test_absent_object_is_not_found(files: LocalArtifacts) -> None:
    with pytest.raises(NotFound):
        files.model(version(9, content=b"x"))
