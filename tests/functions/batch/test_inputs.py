"""What an input becomes: drops and their names, files without records, files of bad records only."""

import gzip
import io
import json
from typing import Any

import numpy as np
import pytest
from arro3.core import Array, DataType, Table, fixed_size_list_array
from arro3.io import read_parquet, write_parquet

from maas.batch.state.job_records import JobStatus, ShardStatus
from maas.errors import InvalidRequest
from support.batch.runs import ROWS, Runs

DROP = "batch/input/example/1/"


def npy(rows: int) -> bytes:
    file = io.BytesIO()
    np.save(file, np.full((rows, 3), np.nan, np.float32))
    return file.getvalue()


def parquet(rows: int) -> bytes:
    """Nulls, in a column of lists."""
    file = io.BytesIO()
    lists = fixed_size_list_array(Array([None] * 3 * rows, DataType.float32()), 3)
    write_parquet(Table.from_pydict({"x": lists}), file)
    return file.getvalue()


# ---------------------------------------------------------------- names of drops


MARKERS = [
    f"{DROP}_SUCCESS",
    f"{DROP}_metadata.jsonl",
    f"{DROP}.part-00000.jsonl.crc",
    f"{DROP}.hidden.jsonl",
    f"{DROP}data.jsonl_$folder$",
    f"{DROP}out.jsonl/_temporary/0/part-00000.jsonl",
    f"{DROP}out.jsonl/_SUCCESS",
    f"{DROP}out.jsonl/",
    "batch/input/example/_SUCCESS",
    "batch/input/rows.jsonl",
    "batch/input//1/rows.jsonl",
]


@pytest.mark.full
def test_marker_files_create_no_job(runs: Runs) -> None:
    before = runs.jobs.page(100, None)
    assert {key: runs.dropped(key) for key in MARKERS} == dict.fromkeys(MARKERS)
    assert runs.jobs.page(100, None) == before


@pytest.mark.full
def test_marker_file_as_the_input_of_a_job_is_refused(runs: Runs) -> None:
    before = runs.jobs.page(100, None)
    for name in ("_SUCCESS", "_part-0.jsonl", "folder/.part-0.jsonl"):
        with pytest.raises(InvalidRequest, match=r"input: got '.*', expected a file of records") as refused:
            runs.job(name=name)
        assert refused.value.field == "input"
    assert runs.jobs.page(100, None) == before
    assert runs.job(name="_folder/part-0.jsonl").status is JobStatus.RUNNING


@pytest.mark.full
def test_drop_in_a_folder(runs: Runs) -> None:
    """As Spark writes its parts."""
    job = runs.dropped(f"{DROP}out.jsonl/day=1/part-00000-c0de.jsonl")
    assert job
    assert runs.work(job).status is JobStatus.SUCCEEDED


def test_drop_without_a_version_fails(runs: Runs) -> None:
    for key in ("batch/input/example/rows.jsonl", "batch/input/example//rows.jsonl"):
        job = runs.dropped(key)
        assert job
        assert (job.status, job.model, job.output) == (JobStatus.FAILED, "example", f"batch/output/{job.id}/")
        expected = "batch/input/{model}/{version-or-alias}/{name}: the key names no version"
        assert job.reason == f"input: got {key}, expected {expected}"
        assert runs.jobs.get(job.id) == job
        retried = runs.started(runs.submission.retry(job.id))
        assert (retried.status, retried.reason) == (JobStatus.FAILED, job.reason)


@pytest.mark.full
def test_drop_of_another_format_fails(runs: Runs) -> None:
    job = runs.dropped(f"{DROP}rows.txt")
    assert job
    assert (job.status, "expected a name that ends in one of" in (job.reason or "")) == (JobStatus.FAILED, True)


@pytest.mark.full
def test_input_that_the_role_cannot_read_fails_with_the_reason(runs: Runs) -> None:
    """The planner may read object versions only, and an event has none if the bucket's versioning is off."""
    bucket = runs.cloud.settings.bucket
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    runs.cloud.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    job = runs.dropped(f"{DROP}rows.jsonl")
    assert job
    assert (job.status, job.reason) == (
        JobStatus.FAILED,
        f"S3 answers 403 for {DROP}rows.jsonl without a version: "
        "check the function's role, the bucket's policy, and that the bucket's versioning is on",
    )


# ---------------------------------------------------------------- no records

EMPTY = {
    "x.jsonl": b"",
    "blank.jsonl": b"\xef\xbb\xbf\n \r\n",
    "x.csv": b"",
    "header.csv": b"\xef\xbb\xbfa,b,c\r\n",
    "x.jsonl.gz": gzip.compress(b""),
    "header.csv.gz": gzip.compress(b"a,b,c"),
    "x.npy": npy(0),
    "x.parquet": parquet(0),
}


@pytest.mark.full
@pytest.mark.parametrize("is_dropped", [True, False])
def test_input_without_records_gives_an_empty_part(runs: Runs, is_dropped: bool) -> None:
    for name, content in EMPTY.items():
        job = runs.dropped(DROP + name, content) if is_dropped else runs.job(content, name=name)
        assert job, name
        ended = runs.work(job)
        assert (name, ended.status, ended.reason) == (name, JobStatus.SUCCEEDED, None)
        manifest = json.loads(runs.read(f"{job.output}manifest.json"))
        (part,) = manifest["parts"]
        assert (manifest["rows"], manifest["errors"], part["rows"]) == (0, 0, 0)
        assert runs.read(f"{job.output}_SUCCESS") == b""
        assert _rows(part["name"], runs.read(job.output + part["name"])) == 0


def _rows(name: str, part: bytes) -> int:
    if name.endswith(".npy"):
        assert np.load(io.BytesIO(part)).shape == (0, 2)
        return 0
    if name.endswith(".parquet"):
        table: Any = read_parquet(part).read_all()
        assert table.column_names == ["y"]
        return int(table.num_rows)
    assert part == (b"y_0,y_1,error\n" if name.endswith(".csv") else b"")
    return 0


@pytest.mark.full
def test_file_of_no_bytes_is_refused_where_its_format_has_a_header(runs: Runs) -> None:
    for name, came in (
        ("x.npy", "an empty file"),
        ("x.parquet", "0 bytes"),
        ("x.csv.gz", "a truncated gzip file"),
        ("x.jsonl.gz", "a truncated gzip file"),
    ):
        ended = runs.work(runs.job(b"", name=name))
        assert ended.status is JobStatus.FAILED
        assert (ended.reason or "").startswith(f"input: got {came}, expected")


@pytest.mark.full
def test_wrong_header_without_records_is_refused(runs: Runs) -> None:
    job = runs.job(b"a,b\n", name="x.csv")
    assert (job.status, "expected 3 for input 'x'" in (job.reason or "")) == (JobStatus.FAILED, True)


# ---------------------------------------------------------------- no good records

BAD = {
    "x.jsonl": (b'{"x": "a"}\n' * 5, "inputs[x].data"),
    "x.csv": (b"a,b,c\n" + b"1,2,1_0\n" * 5, "column 'c': got '1_0', expected FP32 values, numbers as JSON writes"),
    "x.csv.gz": (gzip.compress(b"a,b,c\n1,2\n"), "record: got 2 values, expected 3, as in the header"),
    "utf16.jsonl": ("[1, 2, 3]\n".encode("utf-16"), "record: not UTF-8"),
    "x.parquet": (parquet(3), "column 'x': got null, expected FP32 values"),
}


@pytest.mark.full
def test_job_without_a_good_record_fails(runs: Runs) -> None:
    for name, (content, said) in BAD.items():
        job = runs.job(content, name=name)
        ended = runs.work(job)
        shards = list(runs.jobs.shards.all(job.id))
        rows = sum(shard.rows for shard in shards)
        assert ended.status is JobStatus.FAILED
        assert (ended.reason or "").startswith(f"all {rows} records failed, the first one with: {said}")
        assert all(shard.status is ShardStatus.DONE and shard.parts for shard in shards)
        written = runs.worker.output.bucket.sizes(job.output, 9)
        assert not any(key.endswith(("_SUCCESS", "manifest.json")) for key in written)
        again = runs.started(runs.submission.retry(job.id))
        assert (again.status, again.reason) == (JobStatus.FAILED, ended.reason)


@pytest.mark.full
def test_one_good_record_is_enough(runs: Runs) -> None:
    job = runs.job(b'{"x": "a"}\n' * 8 + ROWS[:17])
    assert runs.work(job).status is JobStatus.SUCCEEDED


@pytest.mark.full
def test_max_errors_is_the_reason_where_both_hold(runs: Runs) -> None:
    job = runs.job(b'{"x": "a"}\n' * 2, max_errors=1)
    assert runs.work(job).reason == "2 records failed, allowed are 1 (max_errors)"
