"""Servers and storages that answer what they should not: nothing is written elsewhere, kept without end or believed."""

import gzip
import hashlib
import json
import socket
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas.names import ALIAS_PATTERN, FILE_PATTERN, MAX_FILE_NAME
from maas_client import (
    DownloadFailed,
    InvalidInput,
    InvalidRequest,
    InvalidResponse,
    JobTimedOut,
    MaasClient,
    NoAnswerInTime,
    TimedOut,
    UploadFailed,
    name_rules,
)
from maas_client.cli.measured import profile_table, quantized_line
from maas_client.protocol.tensors import decode
from maas_client.retries import retry_after_seconds
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


def test_addresses_that_are_none_end_at_once(server: ContractServer, maas: Any, tmp_path: Path) -> None:
    for url in ("file:///etc/passwd", "gopher://127.0.0.1", "x", "http://"):
        started = time.monotonic()
        listed(server, GOOD | {"url": url})
        with pytest.raises(DownloadFailed):
            maas.versions.download("digits", 1, tmp_path)
        assert time.monotonic() - started < 2


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


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "x", ", ".join(["gzip"] * 50)])
def test_answers_of_other_encodings_are_not_unpacked(server: ContractServer, maas: Any, encoding: str) -> None:
    """Two layers of gzip make a gigabyte of a kilobyte, in one piece."""
    server.trouble = [("", (200, {"content-encoding": encoding}, gzip.compress(gzip.compress(bytes(1000)))))]
    with pytest.raises(InvalidResponse, match="content encoding"):
        maas.models.list()
    assert server.seen[0][2]["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "1_0", "5, 6", "+1", " "])
def test_header_lengths_that_are_none(server: ContractServer, maas: Any, length: str) -> None:
    server.trouble = [("", (200, {"inference-header-content-length": length}, b"{}"))]
    with pytest.raises(InvalidResponse):
        maas.infer("echo", {"x": np.ones((1, 2), np.float32)})


@pytest.mark.parametrize(
    "header",
    [
        "9" * 5000,
        "nan",
        "inf",
        "1_0",
        "-5",
        ",",
        "a" * 60_000,
        "Mon, 99 Foo 0 99:99:99 +9999",
    ],
    ids=lambda one: one[:12],
)
def test_retry_after_that_is_none(header: str) -> None:
    found = retry_after_seconds(header)
    assert found is None or found > 60


@pytest.mark.parametrize("etag", ['"é"', "\x80", '"a"\r\nx: y'])
def test_etags_that_no_header_carries(maas: Any, etag: str) -> None:
    with pytest.raises(InvalidInput, match="no header can carry"):
        maas.aliases.set("digits", "production", 1, if_match=etag)


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


@pytest.mark.full(keep=1)
def test_names_that_are_not_resolved_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver may take half a minute, and knows no limit."""
    waits = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: waits.wait(20) and [])
    started = time.monotonic()
    with MaasClient("http://slow.example", "k", timeout_seconds=0.5) as maas, pytest.raises(NoAnswerInTime):
        maas.infer("echo", {"x": np.ones((1, 2), np.float32)})
    waits.set()
    assert time.monotonic() - started < 3


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


def test_lists_that_never_end(server: ContractServer, maas: Any) -> None:
    page = json.dumps({"models": [], "next_page_token": "again"}).encode()
    server.trouble = [("GET", (200, {}, page))] * 3
    with pytest.raises(InvalidResponse, match="next_page_token"):
        maas.models.list()
    assert len(server.seen) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": {"deep": [1]}, "field": ["inputs"], "current": "x"},
        {"error": "x" * 100_000, "field": 7},
        {"error": ["a"], "message": 3},
    ],
)
def test_refusals_of_other_forms(server: ContractServer, maas: Any, refusal: dict[str, Any]) -> None:
    server.trouble = [("", (400, {"retry-after": "9" * 400}, json.dumps(refusal).encode()))]
    with pytest.raises(InvalidRequest) as caught:
        maas.infer("echo", {"x": np.ones((1, 2), np.float32)})
    assert len(str(caught.value)) < 4100
    assert caught.value.field is None


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("FP32", ["1.5"]),
        ("FP32", [True]),
        ("FP32", [1e39]),
        ("FP32", [10**400]),
        ("FP64", ["nan"]),
        ("INT64", [1.0]),
        ("INT64", ["1_0"]),
        ("INT64", [None]),
        ("UINT8", [256]),
        ("UINT8", [-1]),
        ("BOOL", [1]),
        ("BYTES", [1]),
        ("BYTES", [None]),
        ("FP32", [[1.0], [1.0, 2.0]]),
        ("FP32", {"0": 1.0}),
        ("FP32", None),
        ("WORDS", [1.0]),
    ],
)
def test_outputs_of_other_kinds_are_refused(datatype: str, data: object) -> None:
    with pytest.raises(InvalidResponse, match="output 'y' is not what its datatype and shape say"):
        decode("y", datatype, (1,), data)


@pytest.mark.parametrize("shape", [(-1,), (2,), (2**62, 2**62), (0, 2**63)])
def test_outputs_of_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidResponse):
        decode("y", "FP32", shape, [1.0])
    with pytest.raises(InvalidResponse):
        decode("y", "BYTES", shape, None, memoryview(b"\1\0\0\0a"))


@pytest.mark.full
def test_waiting_ends_in_time_whatever_drips(times: ContractServer, maas: Any) -> None:
    slow = Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b" " * 1000, 0.02)
    times.holds = True
    job = maas.infer_later("times", [[1, 2]])
    for wait, error in (
        (lambda: maas.jobs.wait(job.id, timeout_seconds=0.5), JobTimedOut),
        (lambda: maas.jobs.answer(job, timeout_seconds=0.5), JobTimedOut),
    ):
        times.trouble = [("GET /api/v1/jobs", 0.0), ("GET /api/v1/jobs", slow)]
        started = time.monotonic()
        with pytest.raises((error, NoAnswerInTime)):
            wait()
        assert time.monotonic() - started < 2
    times.looks_until_ready = 1000
    times.versions["times", 2] |= {"status": "VALIDATING", "looks": 1000}
    times.trouble = [("GET", 0.0), ("GET", slow)]
    started = time.monotonic()
    with pytest.raises((TimedOut, NoAnswerInTime)):
        maas.versions.wait("times", 2, timeout_seconds=0.5)
    assert time.monotonic() - started < 2


def test_an_answer_that_drips_from_the_storage_ends_in_time(times: ContractServer, maas: Any) -> None:
    job = maas.infer_later("times", [[1, 2]])
    maas.jobs.answer(job)
    times.trouble = [("GET /bucket", Drip(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000, 0.02))]
    started = time.monotonic()
    with pytest.raises(NoAnswerInTime):
        maas.jobs.answer(job, timeout_seconds=1)
    assert time.monotonic() - started < 3


def test_tokens_and_ids_that_no_address_carries(server: ContractServer, maas: Any) -> None:
    page = json.dumps({"models": [], "next_page_token": "\ud800"}).encode()
    server.trouble = [("GET", (200, {}, page))]
    with pytest.raises(InvalidResponse, match="next_page_token"):
        maas.models.list()
    with pytest.raises(InvalidInput, match="is no name"):
        maas.jobs.get("\ud800")


@pytest.mark.parametrize(
    "profile",
    [
        {"size_bytes": "x"},
        {"size_bytes": []},
        {"golden_vectors": "x"},
        {"load_ms": [1]},
        {"shapes": 5},
        {"shapes": {"x": 1}},
    ],
    ids=str,
)
def test_measurements_that_are_none(profile: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse, match="measurements of another form"):
        profile_table(profile, [])
    with pytest.raises(InvalidResponse, match="measurements of another form"):
        profile_table({}, [{"key": 1}])
    with pytest.raises(InvalidResponse, match="measurements of another form"):
        quantized_line({"kept": True, "scheme": 1})
