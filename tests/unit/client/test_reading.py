"""Answers that are not what the API says: one error, naming the field."""

from typing import Any

import pytest

from maas_client import InvalidResponse, MaasError
from maas_client.reading import instant, parse, read
from maas_client.records.jobs import Job
from maas_client.records.models import ModelVersion
from support.server.server import ContractServer

VERSION: dict[str, Any] = {
    "model": "m",
    "version": 1,
    "status": "READY",
    "files": [{"name": "model.onnx", "size_bytes": 4, "sha256": "0"}],
    "size_bytes": 4,
    "inputs": None,
    "created_at": "",
    "updated_at": "",
}


def test_null_and_missing_are_the_default() -> None:
    found = read(ModelVersion, VERSION | {"tags": None, "tomorrows_field": 1})
    assert (found.inputs, found.tags, found.warnings, found.deleted_at) == ((), {}, (), None)
    assert found.files[0].size_bytes == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "1"}, "the answer's version is '1', expected an integer"),
        ({"version": True}, "version is True, expected an integer"),
        ({"version": None}, "the answer has no version"),
        ({"status": ["READY"]}, r"status is \['READY'\], expected a string"),
        ({"files": {"name": "x"}}, "files is .*, expected an array"),
        ({"files": [{"name": "x"}]}, r"the answer has no files\[0\]\.size_bytes"),
        ({"files": ["x"]}, r"files\[0\] is 'x', expected an object"),
        ({"tags": {"a": 1}}, r"tags\.a is 1, expected a string"),
        ({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1.5]}]}, r"shape\[0\] is 1\.5, expected an integer"),
    ],
)
def test_wrong_fields_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidResponse, match=message):
        read(ModelVersion, VERSION | change)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 5000, b'{"a":' * 100_000])
def test_texts_that_are_not_json(content: bytes) -> None:
    with pytest.raises(InvalidResponse, match="is not JSON"):
        parse(content)


def test_answers_of_other_servers(server: ContractServer, maas: Any) -> None:
    calls = [
        lambda: maas.models.list(),
        lambda: maas.models.get("m"),
        lambda: maas.versions.files("m", 1),
        lambda: maas.versions.create("m", []),
        lambda: maas.aliases.list("m"),
        lambda: maas.keys.create("k", []),
        lambda: maas.jobs.results("0"),
        lambda: maas.metadata("m"),
        lambda: maas.infer("m", [[1, 2]]),
        lambda: maas.infer_json("m", {"inputs": []}),
    ]
    for body in (b"<html>", b"null", b"[]", b"3", b"[" * 100_000, b'{"models": 3, "outputs": 3, "results": {}}'):
        for call in calls:
            server.trouble = [("", (200, {}, body))]
            with pytest.raises(InvalidResponse):
                call()
    server.trouble = [("", (404, {}, b"<html>"))]
    with pytest.raises(InvalidResponse, match="is it the URL of a MaaS server"):
        maas.models.get("m")
    assert issubclass(InvalidResponse, MaasError)


def test_rate_is_a_number() -> None:
    job = {"id": "0", "kind": "batch", "model": "m", "version": 1, "status": "RUNNING", "input": "i", "output": "o"}
    progress = {"shards_total": 1, "shards_done": 0, "shards_failed": 0, "rows": 0, "errors": 0, "rows_per_second": 3}
    job |= {"created_at": "", "updated_at": "", "actor": "ann", "progress": progress}
    found = read(Job, job)
    assert found.progress and found.progress.rows_per_second == 3


@pytest.mark.parametrize(
    "time", ["", "x", "2026-01-31", "2026-01-31T12:00:00", "2026-13-01T00:00:00Z", "\ud800", "9" * 5000], ids=ascii
)
def test_times_that_are_none(time: str) -> None:
    with pytest.raises(InvalidResponse, match="the answer has the time"):
        instant(time)
    assert instant("2026-01-31T12:00:00.5Z").year == 2026
