"""The data folder after something else cut, deleted or added files in it, and on a full disk."""

import io
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from werkzeug.test import Client, TestResponse

from maas_client.errors import MaasError
from maas_local.data_folder import DataFolder
from maas_local.engine_process import engine
from maas_local.failures import Unusable
from maas_local.s3.application import S3
from maas_local.s3.blobs import Blob, Blobs
from maas_local.sqlite import connect, transaction
from maas_local.table.rows import Rows

CHILDREN = "CREATE TABLE IF NOT EXISTS parents (id PRIMARY KEY);"
CHILDREN += "CREATE TABLE IF NOT EXISTS children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);"


REMEDY = "Restore it from a backup, push the model or run the job again"


class FullDisk(io.BytesIO):
    """A request's body that cannot be stored."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(28, "No space left on device")


def s3_of(folder: Path) -> S3:
    return S3(folder / "objects.sqlite", folder / "objects", lambda *_: None)


@pytest.fixture
def stored(tmp_path: Path) -> Client:
    """A bucket `b` with an object `k` of 1,000 bytes."""
    client = Client(s3_of(tmp_path))
    client.put("/b")
    client.put("/b/k", data=bytes(1000))
    return client


def file_of(folder: Path) -> Path:
    (file,) = folder.glob("objects/??/*")
    return file


def told(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.text.partition("<Message>")[2].partition("</Message>")[0]


@pytest.mark.parametrize("size_bytes", [0, 999, 1001])
def test_file_of_another_size_is_an_error(stored: Client, tmp_path: Path, size_bytes: int) -> None:
    file = file_of(tmp_path)
    file.write_bytes(bytes(size_bytes))
    changed = f"{file} has {size_bytes:,} bytes, expected 1,000: something else has changed it"
    assert told(stored.get("/b/k")) == (500, f"{changed}. {REMEDY}")


def test_file_that_is_gone_is_an_error(stored: Client, tmp_path: Path) -> None:
    """It is none that was deleted through S3: nobody looks for such a file."""
    file = file_of(tmp_path)
    file.unlink()
    assert told(stored.get("/b/k")) == (500, f"{file} is missing: something else has removed it. {REMEDY}")
    assert s3_of(tmp_path).sweep() == ["k"]
    stored.delete("/b/k")
    assert stored.get("/b/k").status_code == 404
    assert s3_of(tmp_path).sweep() == []


def test_object_that_is_replaced_before_its_file_is_opened_is_the_new_one(stored: Client) -> None:
    storage = stored.application._storage
    meanwhile = [lambda: stored.put("/b/k", data=b"new")]

    class Late(Blobs):
        def read(self, blobs: Sequence[Blob], start: int, end: int) -> Iterator[bytes]:
            if meanwhile:
                assert meanwhile.pop()().status_code == 200
            return super().read(blobs, start, end)

    stored.application._storage = replace(storage, blobs=Late(storage.blobs._folder))
    assert stored.get("/b/k").data == b"new"


def test_file_that_is_cut_while_it_is_read_ends_the_answer(stored: Client, tmp_path: Path) -> None:
    blobs = s3_of(tmp_path)._storage.blobs
    (blob,) = s3_of(tmp_path)._storage.index.current("b", "k").blobs  # type: ignore[union-attr]
    pieces = blobs.read([blob], 0, 1000)
    file_of(tmp_path).write_bytes(b"")
    with pytest.raises(Exception, match="something else has changed it"):
        list(pieces)


def test_files_of_others_stay(stored: Client, tmp_path: Path) -> None:
    """Of file managers and tools that synchronise folders."""
    file = file_of(tmp_path)
    foreign = [
        tmp_path / "objects" / ".DS_Store",
        tmp_path / "objects" / "notes" / "no object.txt",
        file.with_name(f"{file.name} (conflicted copy)"),
    ]
    for path in foreign:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert s3_of(tmp_path).sweep() == []
    assert all(path.exists() for path in (file, *foreign))


@pytest.mark.parametrize("left", [None, b""])
def test_start_without_the_list_of_objects_is_refused(stored: Client, tmp_path: Path, left: bytes | None) -> None:
    """The files would all be deleted, as nothing holds them."""
    for path in tmp_path.glob("objects.sqlite*"):
        path.unlink()
    if left is not None:
        (tmp_path / "objects.sqlite").write_bytes(left)
    for _ in range(2):
        with pytest.raises(Unusable, match="there are 1 files of objects, but no list of them"):
            s3_of(tmp_path).sweep()
    assert file_of(tmp_path).stat().st_size == 1000


@pytest.mark.full
@pytest.mark.parametrize(
    ("lost", "left", "expected"),
    [
        ("objects.sqlite", None, "there are 1 files of objects, but no list of them: restore .*objects"),
        ("objects*", None, "lists nothing, but table.sqlite has rows: restore .*objects"),
        ("objects.sqlite", b"no database" * 100, r"is damaged \(file is not a database\): restore .*objects"),
        ("table.sqlite", None, "has no row, but there are objects of models: restore .*table"),
        ("table.sqlite", b"", "has no row, but there are objects of models: restore .*table"),
        ("table.sqlite", b"no database" * 100, r"is damaged \(file is not a database\): restore .*table"),
    ],
)
def test_start_that_would_lose_the_rest_is_refused(
    tmp_path: Path, lost: str, left: bytes | None, expected: str
) -> None:
    Client(s3_of(tmp_path)).put("/b")
    Client(s3_of(tmp_path)).put("/b/models/m/1/source/model.onnx", data=b"x")
    Rows(tmp_path / "table.sqlite").write({("t", "MODELS", "m"): {"pk": {"S": "MODELS"}, "sk": {"S": "m"}}})
    for path in [*tmp_path.glob(lost), *tmp_path.glob(f"{lost}-*")]:
        with suppress(FileNotFoundError, IsADirectoryError):
            path.unlink()
    if lost == "objects*":
        file_of(tmp_path).unlink()
    if left is not None:
        (tmp_path / lost).write_bytes(left)
    expected += r"\.sqlite with its -wal file from a backup, or remove"
    for _ in range(2):
        with DataFolder.open(tmp_path) as folder, pytest.raises(MaasError, match=expected), engine("127.0.0.1", folder):
            pass


@pytest.mark.full
def test_start_tells_of_objects_without_files(
    stored: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file_of(tmp_path).unlink()
    with DataFolder.open(tmp_path) as folder, engine("127.0.0.1", folder) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/b/k").status_code == 500
    assert f"objects lack their files in {tmp_path}/objects (1, such as k): restore it" in capsys.readouterr().err


@pytest.mark.full
def test_death_of_the_services_is_told(tmp_path: Path) -> None:
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    died, before = threading.Event(), set(children.read_text().split())
    with DataFolder.open(tmp_path) as folder, engine("127.0.0.1", folder, died.set):
        assert not died.wait(0.1)
        (pid,) = set(children.read_text().split()) - before
        os.kill(int(pid), signal.SIGKILL)
        assert died.wait(60)


@pytest.mark.full
def test_end_of_the_services_is_no_death(tmp_path: Path) -> None:
    died = threading.Event()
    with DataFolder.open(tmp_path) as folder, engine("127.0.0.1", folder, died.set):
        pass
    assert not died.is_set()


@pytest.mark.full
def test_failure_is_told_once_to_who_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DataFolder.open(tmp_path) as folder, engine("127.0.0.1", folder) as port:
        url = f"http://127.0.0.1:{port}/b"
        httpx.put(url, timeout=60)
        httpx.put(f"{url}/k", content=b"content", timeout=60)
        file_of(tmp_path).write_bytes(b"cut")
        assert [httpx.get(f"{url}/k", timeout=60).status_code for _ in range(2)] == [500, 500]
    assert capsys.readouterr().err == (
        f"maas: {file_of(tmp_path)} has 3 bytes, expected 7: something else has changed it. {REMEDY}\n"
    )


def test_full_disk_is_named_by_s3(stored: Client, tmp_path: Path) -> None:
    told_by_stream = told(stored.put("/b/new", input_stream=FullDisk(b"body")))
    assert told_by_stream == (500, "the local S3 failed: [Errno 28] No space left on device")
    storage = stored.application._storage
    storage.index._database.execute("PRAGMA max_page_count = 1")
    answers = [told(stored.put(f"/b/{number}", data=b"x")) for number in range(200)]
    assert answers[-1] == (500, "the local S3 failed: database or disk is full")
    assert len([*storage.blobs.names()]) == 1 + [status for status, _ in answers].count(200)
    storage.index._database.execute("PRAGMA max_page_count = 100000")
    assert stored.put("/b/after", data=b"x").status_code == 200


def test_failed_commit_ends_its_transaction() -> None:
    database = connect(None, CHILDREN)
    database.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError), transaction(database):
        database.execute("INSERT INTO children VALUES (1)")
    with transaction(database):
        database.execute("INSERT INTO parents VALUES (1)")
        database.execute("INSERT INTO children VALUES (1)")
    assert database.execute("SELECT COUNT(*) FROM children").fetchall() == [(1,)]
