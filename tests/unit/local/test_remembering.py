"""The local stack on a data folder: what the next start finds, and what goes on."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from maas.settings import Settings
from maas_client import MaasClient
from maas_client.errors import MaasError
from maas_local.cloud import LocalCloud
from maas_local.data_folder import DataFolder
from maas_local.engine_process import engine
from maas_local.resources import NAME
from maas_local.stack import LocalStack
from support import killing, onnx_models
from support.aws.engine import TEMPLATE, Cloud
from support.system import Bucket

ONES = np.ones((1, 3), np.float32)
MB = 1 << 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def facts(maas: MaasClient) -> list[object]:
    """What a user sees, but for statistics of use."""
    return [
        maas.models.get("kept"),
        maas.models.history("kept"),
        maas.versions.get("kept", 1),
        maas.aliases.list("kept"),
        maas.jobs.list(),
        [(key.id, key.name) for key in maas.keys.list()],
    ]


@pytest.mark.parametrize("works", [False, pytest.param(True, marks=pytest.mark.full)], ids=["model", "job"])
def test_next_start_finds_everything(data: Path, tmp_path: Path, works: bool) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear(2.0))
    (tmp_path / "rows.jsonl").write_text('{"x": [1, 2, 3]}\n' * 5)
    with LocalStack.start(data=data) as stack, MaasClient(stack.url, stack.api_key) as maas:
        maas.push(tmp_path / "model.onnx", "kept", alias="live")
        maas.keys.create("reader", scopes=["infer"])
        jobs = [maas.batch("kept", tmp_path / "rows.jsonl", wait=True)] if works else []
        before = facts(maas)
    with LocalStack.start(data=data) as again, MaasClient(again.url, again.api_key) as maas:
        assert (again.api_key, again.cloud.url) == (stack.api_key, stack.cloud.url)
        assert facts(maas) == before
        assert maas.infer("kept", {"x": ONES}, version="live")["y"].tolist() == [[6.0, 6.0]]
        for job in jobs:
            (part,) = maas.jobs.download(job.id, tmp_path / "out")
            assert len(Path(part).read_text().splitlines()) == 5


@pytest.mark.full
def test_what_was_in_flight_goes_on(data: Path, tmp_path: Path) -> None:
    """The services alone, without functions: the events come to nothing, as when the stack is killed before them."""
    with DataFolder.open(data) as folder, LocalCloud.start(TEMPLATE, data=folder) as alone:
        cloud = Cloud(Settings(table=NAME, bucket=NAME, endpoint_url=alone.url))
        cloud.create_model("kept")
        cloud.upload("kept", onnx_models.linear(1.0))
        for model, result in (("another", b"no JSON"), ("dropped", None), ("list", b"[]")):
            cloud.s3.put_object(Bucket=NAME, Key=f"inbox/{model}/model.onnx", Body=onnx_models.linear(2.0))
            if result:
                cloud.s3.put_object(Bucket=NAME, Key=f"inbox/{model}/model.onnx.result.json", Body=result)
        cloud.s3.put_object(Bucket=NAME, Key="batch/input/nobody/1/rows.jsonl", Body=b"{}\n")
    with LocalStack.start(data=data) as stack, MaasClient(stack.url, stack.api_key) as maas:
        assert maas.versions.wait("kept", 1, 60).status == "READY"
        bucket = Bucket(stack.cloud.client("s3"), NAME)
        for model in ("another", "dropped", "list"):
            bucket.wait_for(f"inbox/{model}/model.onnx.result.json", lambda body: b"READY" in body)
        eventually(lambda: [(job.model, job.status) for job in maas.jobs.list()] == [("nobody", "FAILED")])


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.full
def test_revoked_admin_key_is_replaced(data: Path) -> None:
    with LocalStack.start(data=data) as stack, MaasClient(stack.url, stack.api_key) as maas:
        assert stack.api_key
        maas.keys.revoke(stack.api_key.split("_")[1])
    with LocalStack.start(data=data) as again, MaasClient(again.url, again.api_key) as maas:
        assert again.api_key != stack.api_key
        assert maas.models.list() == []


@pytest.mark.full
def test_killed_stack_loses_nothing_acknowledged(data: Path) -> None:
    known = killing.run(4, 0, data)
    assert known.weights and known.jobs


@pytest.mark.full
def test_stack_ends_with_its_services(data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Without them, each request would be answered with 503, for ever."""
    with killing.Stack(data, 0).process as stack:
        (engine,) = [pid for pid in killing.descendants(stack.pid) if b"maas_local.engine" in command_of(pid)]
        os.kill(engine, signal.SIGKILL)
        assert stack.wait(60) == 1
    assert "was killed: start `maas local` again; what was answered is kept" in capfd.readouterr().err


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.full
def test_memory_does_not_grow_with_objects(data: Path) -> None:
    others = children()
    with DataFolder.open(data) as folder, engine("127.0.0.1", folder) as port, httpx.Client(timeout=60) as http:
        (child,) = children() - others
        url = f"http://127.0.0.1:{port}/b"
        http.put(url)
        http.put(f"{url}/warm", content=bytes(MB))
        before = peak_bytes(child)
        http.put(f"{url}/large", content=bytes(256 * MB))
        for start in range(0, 256, 32):
            answer = http.get(f"{url}/large", headers={"range": f"bytes={start * MB}-{(start + 8) * MB - 1}"})
            assert len(answer.content) == 8 * MB
        for number in range(300):
            http.put(f"{url}/many/{number % 3}", content=b"version")
        assert peak_bytes(child) < before + 32 * MB


def children() -> set[str]:
    """Process ids of this thread's children, of which earlier tests may have left some."""
    return set(Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split())


def peak_bytes(pid: str) -> int:
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def test_folder_is_for_one_stack(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maas_local.data_folder._PATIENCE_SECONDS", 0.1)
    with DataFolder.open(data), pytest.raises(MaasError, match="another `maas local` uses"), DataFolder.open(data):
        pass


def test_foreign_file_is_an_error(data: Path) -> None:
    data.mkdir()
    (data / "local.json").write_text("[]")
    with pytest.raises(MaasError, match=r"local\.json is not what `maas local` wrote"), DataFolder.open(data):
        pass


def test_file_in_the_place_of_the_folder(data: Path) -> None:
    data.write_text("")
    with pytest.raises(MaasError, match=r"cannot use .*: choose another folder with --data"), DataFolder.open(data):
        pass
