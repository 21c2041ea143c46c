"""Batch jobs with both clients, over real HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest

from maas_client import (
    Conflict,
    DownloadFailed,
    InvalidInput,
    Job,
    JobCancelled,
    JobFailed,
    JobTimedOut,
    NotFound,
    ServerFailed,
    UploadFailed,
)
from support.server.server import HANG_UP
from support.server.server import ContractServer as Server
from unit.client.conftest import ROWS

pytestmark = pytest.mark.usefixtures("times")


def posted(server: Server) -> list[dict[str, Any]]:
    return [json.loads(body) for method, path, _, body in server.seen if (method, path) == ("POST", "/api/v1/jobs")]


def test_batch_of_a_file(server: Server, maas: Any, lines: Path) -> None:
    seen: list[object] = []
    job = maas.batch("times", lines, "prod", wait=True, progress=seen.append)
    assert (job.status, job.version, job.kind, job.has_ended) == ("SUCCEEDED", 2, "batch", True)
    assert job.progress is not None
    assert (job.progress.rows, job.progress.shards_done) == (7, 4)
    assert server.content(job.input) == lines.read_bytes()
    stages = [one.status if isinstance(one, Job) else one.stage for one in seen]  # type: ignore[attr-defined]
    assert list(dict.fromkeys(stages)) == ["hashing", "uploading", "RUNNING", "FINISHING", "SUCCEEDED"]

    (path,) = maas.jobs.download(job, lines.with_name("out.jsonl"))
    assert [json.loads(line)["y"] for line in path.read_text().splitlines()] == (ROWS * 2).tolist()
    assert sorted(one.name for one in lines.parent.iterdir()) == ["model.onnx", "out.jsonl", "rows of today.jsonl"]


def test_batch_options(server: Server, maas: Any, lines: Path) -> None:
    maas.batch(
        "times",
        lines,
        1,
        output="s3://maas/batch/output/mine/",
        columns=["a", "b"],
        join="input",
        select=("y",),
        max_errors=0,
        batch_size=8,
        notify="https://example.com/",
    )
    maas.batch("times", lines)
    full, least = posted(server)
    declared = full.pop("upload")
    assert declared["name"] == "rows_of_today.jsonl"
    assert declared["size_bytes"] == lines.stat().st_size
    options = {"columns": ["a", "b"], "join": "input", "select": ["y"], "max_errors": 0, "batch_size": 8}
    where = {"output": "s3://maas/batch/output/mine/", "notify": "https://example.com/"}
    assert full == {"model": "times", "version": "1", "options": options} | where
    assert least == {"model": "times", "options": {}, "upload": declared}


def test_batch_of_a_bucket_object(server: Server, maas: Any, lines: Path) -> None:
    server.parts["/bucket/batch/data/x.jsonl"] = {0: lines.read_bytes()}
    job = maas.batch("times", "s3://maas/batch/data/x.jsonl", wait=True)
    assert (job.input, job.status) == ("batch/data/x.jsonl", "SUCCEEDED")
    assert server.seen_paths("PUT") == []


def test_batch_uploads_in_parts(server: Server, maas: Any, lines: Path) -> None:
    server.part_bytes = 50
    job = maas.batch("times", lines, wait=True)
    assert len(server.seen_paths("PUT")) == 3
    assert server.content(job.input) == lines.read_bytes()


def test_job_created_once(server: Server, maas: Any, lines: Path) -> None:
    server.trouble = [("POST /api/v1/jobs$", 503), ("POST /api/v1/jobs$", HANG_UP), ("/complete", 503)]
    maas.batch("times", lines)
    assert len(posted(server)) == 3
    assert len(server.jobs) == 1


def test_failed_upload_cancels_job(server: Server, maas: Any, lines: Path) -> None:
    server.trouble = [("PUT /bucket", 403)]
    with pytest.raises(UploadFailed):
        maas.batch("times", lines)
    (job,) = maas.jobs.list()
    assert job.status == "CANCELLED"


@pytest.mark.full
def test_server_failure_after_upload_keeps_job(server: Server, maas: Any, lines: Path) -> None:
    server.trouble = [("/complete", 500), *[("/complete", 503)] * 4]
    assert maas.batch("times", lines).status == "PLANNING"
    assert server.trouble == []
    server.trouble = [("/complete", 503)] * 12
    with pytest.raises(ServerFailed):
        maas.batch("times", lines)
    assert server.trouble == []
    assert maas.jobs.list(1)[0].status == "UPLOADING"
    server.trouble = [("/complete", 409)]
    with pytest.raises(Conflict):
        maas.batch("times", lines)
    assert maas.jobs.list(1)[0].status == "CANCELLED"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"1", r"x\.txt: expected a name that ends in one of \.jsonl, \.csv, \.npy, \.parquet"),
        ("x.npy.gz", b"1", "expected a name that ends in"),
        ("x.csv.gz", None, "there is no file"),
    ],
)
def test_unpredictable_files_refused(
    server: Server, maas: Any, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=message):
        maas.batch("times", tmp_path / name)
    assert server.seen == []


def test_failed_job_reason_and_retry(server: Server, maas: Any, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"bad")
    said = r"failed: input: got no file of its format; `maas job retry \w{20}` plans it again, another input or"
    with pytest.raises(JobFailed, match=said) as caught:
        maas.batch("times", tmp_path / "x.csv", wait=True)
    failed = caught.value.job
    assert (failed.status, caught.value.reason) == ("FAILED", "input: got no file of its format")
    server.parts[f"/bucket/{failed.input}"] = {0: b"a,b\n1,2\n"}
    server.trouble = [("/retry", 503)]
    with pytest.raises(ServerFailed):  # a second one might find it running, which would look like a refusal
        maas.jobs.retry(failed.id)
    assert maas.jobs.retry(failed).status == "PLANNING"
    assert maas.jobs.wait(failed).status == "SUCCEEDED"
    with pytest.raises(Conflict, match="only one that FAILED is tried again"):
        maas.jobs.retry(failed.id)


def test_cancel_ends_wait(server: Server, maas: Any, lines: Path) -> None:
    server.holds = True
    job = maas.batch("times", lines)
    with pytest.raises(JobTimedOut, match=rf"is still RUNNING after 1 s: `maas job wait {job.id}` continues"):
        maas.jobs.wait(job.id, timeout_seconds=1)
    server.trouble = [("DELETE", 503)]
    assert maas.jobs.cancel(job).status == maas.jobs.get(job).status == "CANCELLED"
    with pytest.raises(JobCancelled, match="was cancelled"):
        maas.jobs.wait(job)
    with pytest.raises(NotFound, match="there is no job"):
        maas.jobs.get("0" * 20)


def test_jobs_listed_newest_first_over_pages(server: Server, maas: Any, lines: Path) -> None:
    server.parts["/bucket/batch/data/x.jsonl"] = {0: lines.read_bytes()}
    made = [maas.batch("times", "s3://maas/batch/data/x.jsonl").id for _ in range(103)]
    assert [job.id for job in maas.jobs.list()] == made[::-1]
    assert len(maas.jobs.list(limit=2)) == 2
    assert maas.jobs.list(1)[0].progress is None


def test_expired_addresses_renewed(server: Server, maas: Any, lines: Path) -> None:
    job = maas.batch("times", lines, wait=True)
    server.trouble = [("GET /bucket.*part-00002", 403)]
    (path,) = maas.jobs.download(job, lines.with_name("out.jsonl"))
    assert len(path.read_text().splitlines()) == 7
    assert len([one for one in server.seen_paths("GET") if "/results?" in one]) == 2
    server.trouble = [("GET /bucket.*part-00002", 403), ("GET /bucket.*part-00002", 403)]
    with pytest.raises(DownloadFailed, match=r"refused part-00002\.jsonl: HTTP 403"):
        maas.jobs.download(job, lines.with_name("more.jsonl"))


def test_interrupted_download_resumes(server: Server, maas: Any, lines: Path) -> None:
    job, to = maas.batch("times", lines, wait=True), lines.with_name("out.jsonl")
    server.trouble = [("GET /bucket.*part-00003", 403), ("GET /bucket.*part-00003", 403)]
    with pytest.raises(DownloadFailed):
        maas.jobs.download(job, to)
    assert not to.exists()
    server.seen.clear()
    maas.jobs.download(job, to)
    assert [path.partition("?")[0][-16:] for path in server.seen_paths("GET") if "/bucket/" in path] == [
        "part-00003.jsonl"
    ]
    assert len(to.read_text().splitlines()) == 7


@pytest.mark.full
def test_wrong_digest_never_joined(server: Server, maas: Any, lines: Path) -> None:
    job, to = maas.batch("times", lines, wait=True), lines.with_name("out.jsonl")
    answer = server.job_results

    def tampered(job_id: str, query: dict[str, str]) -> dict[str, Any]:
        found = answer(job_id, query)
        found["results"][1]["sha256"] = "0" * 64
        return found

    server.job_results = tampered  # type: ignore[method-assign]
    with pytest.raises(DownloadFailed, match="its bytes are not those that were uploaded"):
        maas.jobs.download(job, to)
    assert not to.exists()
