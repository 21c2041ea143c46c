"""Servers that answer what they should not: nothing is waited for or read without end, nor believed."""

import gzip
import json
import socket
import threading
import time
from typing import Any

import numpy as np
import pytest

from maas_client import (
    InvalidInput,
    InvalidRequest,
    InvalidResponse,
    JobTimedOut,
    MaasClient,
    NoAnswerInTime,
    TimedOut,
)
from maas_client.cli.measured import profile_table, quantized_line
from maas_client.protocol.tensors import decode
from maas_client.retries import retry_after_seconds
from support.server.server import ContractServer, Drip


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


@pytest.mark.full(keep=1)
def test_names_that_are_not_resolved_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver may take half a minute, and knows no limit."""
    waits = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: waits.wait(100) and [])
    started = time.monotonic()
    with MaasClient("http://slow.example", "k", timeout_seconds=0.5) as maas, pytest.raises(NoAnswerInTime):
        maas.infer("echo", {"x": np.ones((1, 2), np.float32)})
    waits.set()
    assert time.monotonic() - started < 50


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
    slow = Drip(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b" " * 1000, 0.1)
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
        assert time.monotonic() - started < 50  # of the 100 that it drips
    times.looks_until_ready = 1000
    times.versions["times", 2] |= {"status": "VALIDATING", "looks": 1000}
    times.trouble = [("GET", 0.0), ("GET", slow)]
    started = time.monotonic()
    with pytest.raises((TimedOut, NoAnswerInTime)):
        maas.versions.wait("times", 2, timeout_seconds=0.5)
    assert time.monotonic() - started < 50


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
