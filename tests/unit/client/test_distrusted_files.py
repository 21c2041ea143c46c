"""Files that a server lists or asks for: nothing is written or sent elsewhere, nor more than was said."""

import gzip
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from maas.names import ALIAS_PATTERN, FILE_PATTERN, MAX_FILE_NAME
from maas_client import (
    DownloadFailed,
    InvalidInput,
    InvalidResponse,
    NoAnswerInTime,
    UploadFailed,
    name_rules,
    retries,
)
from support.server.server import ContractServer, Drip

GOOD = {"name": "model.onnx", "size_bytes": 4, "sha256": hashlib.sha256(b"good").hexdigest()}


def test_rules_for_names_are_the_servers() -> None:
    assert (name_rules._FILE.pattern, name_rules.LONGEST_FILE_NAME) == (FILE_PATTERN, MAX_FILE_NAME)
    assert name_rules._ALIAS.pattern == ALIAS_PATTERN


def listed(server: ContractServer, *files: dict[str, Any]) -> None:
    """The next answer lists these files, all at the address of a good one."""
    server.parts["/bucket/good"] = {0: b"good"}
    urls = {"url": f"{server.url}/bucket/good?X-Amz-Signature=a"}
    server.trouble = [("/files", (200, {}, json.dumps({"files": [urls | file for file in files]}).encode()))]


@pytest.mark.parametrize(
    "names",
    [
        ["../model.onnx"],
        ["/etc/passwd"],
        [".bashrc"],
        ["a/../../b"],
        ["a\\b"],
        ["a:b"],
        ["a\x1bb"],
        ["a" * 201],
        [""],
        ["a", "a"],
        ["a", "a/b"],
    ],
)
def test_files_of_other_names_are_not_written(
    server: ContractServer, maas: Any, tmp_path: Path, names: list[str]
) -> None:
    listed(server, *[GOOD | {"name": name} for name in names])
    with pytest.raises(DownloadFailed, match="the server lists"):
        maas.versions.download("digits", 1, tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_written_through_links(server: ContractServer, maas: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "weights").symlink_to(tmp_path / "elsewhere")
    listed(server, GOOD | {"name": "weights/all.bin"})
    with pytest.raises(DownloadFailed, match="would be written outside"):
        maas.versions.download("digits", 1, tmp_path / "here")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def storage(server: ContractServer, *answers: Any) -> None:
    server.trouble += [("GET /bucket", answer) for answer in answers]


@pytest.mark.full
def test_no_more_is_written_than_was_declared(server: ContractServer, maas: Any, tmp_path: Path) -> None:
    listed(server, GOOD)
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"good" + bytes(1000)
    storage(server, *[Drip(endless, 0)] * 6)
    with pytest.raises(DownloadFailed, match="its bytes are not those that were uploaded"):
        maas.versions.download("digits", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_come_without_content_encoding(server: ContractServer, maas: Any, tmp_path: Path) -> None:
    listed(server, GOOD)
    storage(server, (200, {"content-encoding": "gzip"}, gzip.compress(b"good")))
    with pytest.raises(DownloadFailed, match="content encoding"):
        maas.versions.download("digits", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (asked,) = [headers for _, path, headers, _ in server.seen if "/bucket" in path]
    assert asked["accept-encoding"] == "identity"


def test_addresses_that_are_none_end_at_once(
    server: ContractServer, maas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 300.0)  # another attempt would come after minutes
    monkeypatch.setattr(retries, "LONGEST_PAUSE_SECONDS", 300.0)
    for url in ("file:///etc/passwd", "gopher://127.0.0.1", "x", "http://"):
        started = time.monotonic()
        listed(server, GOOD | {"url": url})
        with pytest.raises(DownloadFailed):
            maas.versions.download("digits", 1, tmp_path)
        assert time.monotonic() - started < 100


NO_ADDRESSES = [
    "",
    "//x",
    "x",
    "http:///x",
    "http://[::1",
    "http://a:x/",
    "http://127.0.0.1:0/",
    "http://a..b/",
    "http://xn--/",
    "http://\ud800/",
    "http://127.0.0.1/\ud800",
    "http://a\x00b/",
    "http://a\nb/",
    f"http://{'a' * 64}/",
    f"http://127.0.0.1/{'a' * 70_000}",
    "ws://127.0.0.1/",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("url", NO_ADDRESSES, ids=lambda one: ascii(one[:24]))
def test_what_is_no_address_is_not_asked(server: ContractServer, maas: Any, tmp_path: Path, url: str) -> None:
    listed(server, GOOD | {"url": url})
    with pytest.raises(DownloadFailed, match="no address of a file"):
        maas.versions.download("digits", 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def asks_for_part(server: ContractServer, part: dict[str, Any]) -> None:
    """The next push is told to send its four bytes so."""
    part = {
        "url": f"{server.url}/bucket/x?offset=0",
        "method": "PUT",
        "headers": {},
        "offset": 0,
        "size_bytes": 4,
    } | part
    answer = {"model": "m", "version": 1, "status": "PENDING_UPLOAD", "files": [], "size_bytes": 4}
    answer |= {"created_at": "", "updated_at": "", "uploads": [{"name": "model.onnx", "parts": [part]}]}
    server.trouble = [("POST .*/versions$", (201, {}, json.dumps(answer).encode()))]


@pytest.mark.parametrize(
    "part",
    [
        {"url": "http://[::1"},
        {"url": "http://a:x/"},
        {"headers": {"é": "x"}},
        {"headers": {"x": "é"}},
        {"headers": {"x": "\ud800"}},
        {"headers": {"x": "a\r\nb: c"}},
        {"headers": {"x y": "z"}},
        {"headers": {"": ""}},
    ],
    ids=ascii,
)
def test_parts_that_http_cannot_send(server: ContractServer, maas: Any, tmp_path: Path, part: dict[str, Any]) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    asks_for_part(server, part)
    with pytest.raises(InvalidResponse, match="in a way that HTTP does not have"):
        maas.push(tmp_path, "m")
    assert server.seen_paths("PUT") == []


@pytest.mark.parametrize(
    "headers",
    [{"content-type": f"text/plain; charset={one}"} for one in ("zlib", "rot13", "idna", "undefined", "utf-7")]
    + [{"content-encoding": one} for one in ("gzip", "gzip, gzip", "br", "x")],
    ids=str,
)
def test_refusals_of_the_storage_are_shown_in_part(
    server: ContractServer, maas: Any, tmp_path: Path, headers: dict[str, str]
) -> None:
    """Neither a codec of Python nor a bomb is opened for them."""
    (tmp_path / "model.onnx").write_bytes(b"good")
    server.trouble = [("PUT", (400, headers, b"x\x9c" + bytes(2_000_000)))]
    with pytest.raises(UploadFailed, match="HTTP 400 x") as caught:
        maas.push(tmp_path, "m")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("job_id", ["../../x", "..", "", "/etc/x", "a\\b", "0" * 19, "A" * 20, "0" * 20 + "\n"])
def test_ids_of_jobs_are_no_paths(times: ContractServer, maas: Any, tmp_path: Path, job_id: str) -> None:
    (tmp_path / "rows.jsonl").write_text('{"x": [1, 2]}\n')
    (here := tmp_path / "folder" / "here").mkdir(parents=True)
    job = maas.batch("times", tmp_path / "rows.jsonl", wait=True)
    answer = json.dumps(asdict(job) | {"id": job_id}).encode()
    results = json.dumps({"results": []}).encode()
    times.trouble = [("GET", (200, {}, answer)), ("results", (200, {}, results))]
    with pytest.raises((DownloadFailed, InvalidInput), match=r"which is no id of a job|is no name"):
        maas.jobs.download(job.id, here)
    assert [*tmp_path.rglob("part-*")] == [*here.iterdir()] == []


def test_names_that_are_one_file_here(server: ContractServer, maas: Any, tmp_path: Path) -> None:
    """As where case does not count; here a link stands for that."""
    (tmp_path / "Model.onnx").symlink_to("model.onnx")
    server.parts["/bucket/other"] = {0: b"evil"}
    other = {"name": "Model.onnx", "url": f"{server.url}/bucket/other", "sha256": hashlib.sha256(b"evil").hexdigest()}
    listed(server, GOOD, GOOD | other)
    with pytest.raises(DownloadFailed, match=r"'Model.onnx' is the same file here"):
        maas.versions.download("digits", 1, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == b"good"


@pytest.mark.parametrize(
    "parts",
    [
        [{"offset": -1, "size_bytes": 4}],
        [{"offset": 0, "size_bytes": 3}],
        [{"offset": 0, "size_bytes": 5}],
        [{"offset": 0, "size_bytes": 2}, {"offset": 1, "size_bytes": 3}],
        [{"offset": 0, "size_bytes": 4, "method": "DELETE"}],
        [{"offset": 0, "size_bytes": 4, "name": "other"}],
    ],
)
def test_parts_that_are_no_cut_of_the_file(
    server: ContractServer, maas: Any, tmp_path: Path, parts: list[dict[str, Any]]
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"good")
    part = {"url": f"{server.url}/bucket/x?offset=0", "method": "PUT", "headers": {}}
    upload = {"name": parts[0].get("name", "model.onnx"), "parts": [part | one for one in parts]}
    answer = {"model": "m", "version": 1, "status": "PENDING_UPLOAD", "files": [], "size_bytes": 4}
    answer |= {"created_at": "", "updated_at": "", "uploads": [upload]}
    server.trouble = [("POST .*/versions$", (201, {}, json.dumps(answer).encode()))]
    with pytest.raises(InvalidResponse, match="the server asks for"):
        maas.push(tmp_path, "m")
    assert server.seen_paths("PUT") == []


def test_an_answer_that_drips_from_the_storage_ends_in_time(times: ContractServer, maas: Any) -> None:
    job = maas.infer_later("times", [[1, 2]])
    maas.jobs.answer(job)
    times.trouble = [("GET /bucket", Drip(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000, 0.1))]
    started = time.monotonic()
    with pytest.raises(NoAnswerInTime):
        maas.jobs.answer(job, timeout_seconds=1)
    assert time.monotonic() - started < 50  # of the 100 that it drips
