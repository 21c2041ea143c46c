"""The data folder after something else cut, deleted or added files in it, and on a full disk."""

import io
import sqlite3
from pathlib import Path

import httpx
import pytest
from werkzeug.test import Client, TestResponse

from maas_client.errors import MaasError
from maas_local.data_folder import DataFolder
from maas_local.engine_process import engine
from maas_local.s3.application import S3
from maas_local.s3.errors import S3Error
from maas_local.sqlite import connect, transaction

CHILDREN = "CREATE TABLE IF NOT EXISTS parents (id PRIMARY KEY);"
CHILDREN += "CREATE TABLE IF NOT EXISTS children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);"


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
    assert told(stored.get("/b/k")) == (500, changed)


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
    assert s3_of(tmp_path).sweep() == 0
    assert all(path.exists() for path in (file, *foreign))


@pytest.mark.parametrize("left", [None, b""])
def test_start_without_the_list_of_objects_is_refused(stored: Client, tmp_path: Path, left: bytes | None) -> None:
    """The files would all be deleted, as nothing holds them."""
    for path in tmp_path.glob("objects.sqlite*"):
        path.unlink()
    if left is not None:
        (tmp_path / "objects.sqlite").write_bytes(left)
    for _ in range(2):
        with pytest.raises(S3Error, match="there are 1 files of objects, but no list of them"):
            s3_of(tmp_path).sweep()
    assert file_of(tmp_path).stat().st_size == 1000


@pytest.mark.full
def test_refused_start_tells_what_to_do(stored: Client, tmp_path: Path) -> None:
    for path in tmp_path.glob("objects.sqlite*"):
        path.unlink()
    expected = r"but no list of them: restore .*objects\.sqlite with its -wal file from a backup, or remove"
    with DataFolder.open(tmp_path) as folder, pytest.raises(MaasError, match=expected), engine("127.0.0.1", folder):
        pass


@pytest.mark.full
def test_failure_is_told_once_to_who_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DataFolder.open(tmp_path) as folder, engine("127.0.0.1", folder) as port:
        url = f"http://127.0.0.1:{port}/b"
        httpx.put(url)
        httpx.put(f"{url}/k", content=b"content")
        file_of(tmp_path).write_bytes(b"cut")
        assert [httpx.get(f"{url}/k").status_code for _ in range(2)] == [500, 500]
    assert capsys.readouterr().err == (
        f"maas: {file_of(tmp_path)} has 3 bytes, expected 7: something else has changed it\n"
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
