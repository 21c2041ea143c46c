"""Batch jobs and deferred inference through the client and the command, against the whole system."""

import asyncio
import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import AsyncMaasClient, Conflict, JobFailed, MaasClient
from maas_client.cli import app
from support import onnx_models
from support.system import Bucket

Run = Callable[..., str]
MODEL = "batch-client"


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """y = x @ ones in versions 1 and 3, twice that in 2; `prod` is 1."""
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    for weight in (1.0, 2.0, 1.0):
        path.write_bytes(onnx_models.linear(weight))
        maas.push(path, MODEL)
    maas.aliases.set(MODEL, "prod", 1)


@pytest.fixture
def run(
    url: str, api_key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    """Runs a command line in an empty folder; gives its standard output, or with `fails` its standard error."""
    monkeypatch.setenv("MAAS_URL", url)
    monkeypatch.setenv("MAAS_API_KEY", api_key)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run_command(*arguments: object, fails: int = 0) -> str:
        with pytest.raises(SystemExit) as exit_:
            app([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert exit_.value.code == fails, err
        return err if fails else out

    return run_command


def rows(count: int) -> np.ndarray:
    return (np.arange(count * 3) % 1000).reshape(count, 3).astype(np.float32)


def write_jsonl(path: Path, x: np.ndarray) -> None:
    content = "".join(json.dumps({"x": row}) + "\n" for row in x.tolist()).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def read_jsonl(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_jsonl_round_trip(maas: MaasClient, tmp_path: Path, name: str) -> None:
    x = rows(1000)
    write_jsonl(tmp_path / name, x)
    job = maas.batch(MODEL, tmp_path / name, "prod", wait=True)
    assert (job.status, job.version, job.progress and job.progress.rows) == ("SUCCEEDED", 1, 1000)
    (path,) = maas.jobs.download(job, tmp_path / "out.jsonl")
    assert [one["y"] for one in read_jsonl(path)] == (x @ np.ones((3, 2), np.float32)).tolist()


@pytest.mark.full(keep=1)
@pytest.mark.parametrize(("shadow", "said"), [(2, "5 (100.0%) differ, by 4 at most"), (3, "0 differ")])
def test_shadow_of_a_batch(run: Run, maas: MaasClient, tmp_path: Path, shadow: int, said: str) -> None:
    x = np.ones((5, 3), np.float32)
    write_jsonl(tmp_path / "x.jsonl", x)
    out = run("batch", f"{MODEL}@prod", tmp_path / "x.jsonl", "-o", tmp_path / "y.jsonl", "--shadow", shadow)
    assert out.splitlines()[-1] == f"version {shadow} as a shadow: 5 compared, {said}; 0 failed"
    assert [one["y"] for one in read_jsonl(tmp_path / "y.jsonl")] == [[3.0, 3.0]] * 5
    refused = run("batch", f"{MODEL}@prod", tmp_path / "x.jsonl", "--shadow", 1, fails=1)
    assert "--shadow: got 1, expected a version other than the job's" in refused


@pytest.mark.full
def test_array_of_many_parts_is_joined(maas: MaasClient, tmp_path: Path) -> None:
    x = rows(6_000_000)  # 72 MB: several upload parts and several shards
    np.save(tmp_path / "x.npy", x)
    seen: list[Any] = []
    job = maas.batch(MODEL, tmp_path / "x.npy", "prod", wait=True, progress=seen.append)
    assert job.progress is not None
    assert job.progress.shards_total == 2
    assert (job.progress.rows, job.progress.errors) == (6_000_000, 0)
    (path,) = maas.jobs.download(job, tmp_path / "y.npy")
    assert np.array_equal(np.load(path, mmap_mode="r")[:, 1], x.sum(axis=1))


@pytest.mark.full
def test_csv_has_one_header(maas: MaasClient, tmp_path: Path) -> None:
    lines = [f"name {index},{index},1,2" for index in range(200_000)]
    (tmp_path / "x.csv").write_text("\n".join(["name,a,b,c", *lines, "last,1,two,3", ""]))
    job = maas.batch(MODEL, tmp_path / "x.csv", 1, exclude=["name"], join="input", wait=True)
    assert job.progress is not None
    assert (job.progress.rows, job.progress.errors) == (200_001, 1)
    (path,) = maas.jobs.download(job, tmp_path / "y.csv")
    with path.open(newline="") as file:
        records = list(csv.DictReader(file))
    assert [one["name"] for one in records] == [f"name {index}" for index in range(200_000)] + ["last"]
    assert float(records[7]["y_0"]) == 10.0
    assert "two" in records[-1]["error"]
    assert [one["error"] for one in records[:-1]] == [""] * 200_000


@pytest.mark.full
def test_bad_records_are_listed_beside_the_array(maas: MaasClient, tmp_path: Path) -> None:
    x = rows(4).astype(np.float64)
    x[2, 0] = 1e300  # overflows float32
    np.save(tmp_path / "x.npy", x)
    job = maas.batch(MODEL, tmp_path / "x.npy", 1, wait=True)
    predicted, errors = maas.jobs.download(job, tmp_path / "y.npy")
    assert np.isnan(np.load(predicted)).all(axis=1).tolist() == [False, False, True, False]
    assert [one["record"] for one in read_jsonl(errors)] == [2]


@pytest.mark.full
def test_files_without_records_give_files_without_records(maas: MaasClient, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.empty((0, 3)))
    (tmp_path / "x.csv").write_bytes(b"")
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b""))
    found = {}
    for name in ("x.npy", "x.csv", "x.jsonl.gz"):
        job = maas.batch(MODEL, tmp_path / name, 1, wait=True)
        (path,) = maas.jobs.download(job, tmp_path / f"y{Path(name.removesuffix('.gz')).suffix}")
        found[path.name] = np.load(path).shape if path.suffix == ".npy" else path.read_bytes()
    assert found == {"y.npy": (0, 2), "y.csv": b"y_0,y_1,error\n", "y.jsonl": b""}


def test_job_without_a_good_record_fails_and_its_errors_can_be_read(maas: MaasClient, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "x.jsonl", rows(2)[:, :2])
    with pytest.raises(JobFailed, match=r"all 2 records failed, the first one with: inputs\[x\]") as caught:
        maas.batch(MODEL, tmp_path / "x.jsonl", 1, wait=True)
    (path,) = maas.jobs.download(caught.value.job, tmp_path / "y.jsonl")
    assert ["error" in one for one in read_jsonl(path)] == [True, True]


def test_failed_job_raises_reason_and_can_be_retried(maas: MaasClient, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "x.jsonl", rows(2)[:, :2])
    with pytest.raises(JobFailed, match=r"2 records failed, allowed are 0 \(max_errors\)") as caught:
        maas.batch(MODEL, tmp_path / "x.jsonl", 1, max_errors=0, wait=True)
    job = caught.value.job
    with pytest.raises(Conflict, match="so there is nothing to cancel"):
        maas.jobs.cancel(job.id)
    assert maas.jobs.retry(job.id).id == job.id
    with pytest.raises(JobFailed):
        maas.jobs.wait(job.id)


@pytest.mark.full
def test_list_jobs(maas: MaasClient, bucket: Bucket, tmp_path: Path) -> None:
    bucket.put("batch/data/listed.jsonl", b'{"x": [1, 2, 3]}\n')
    made = [maas.batch(MODEL, f"s3://{bucket.name}/batch/data/listed.jsonl", "prod").id for _ in range(3)]
    assert [job.id for job in maas.jobs.list(3)] == made[::-1]
    assert {maas.jobs.wait(job).status for job in made} == {"SUCCEEDED"}


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("count", [2, 1_000_000], ids=["with the call", "12 MB uploaded"])
def test_deferred_inference_sync_and_async(maas: MaasClient, url: str, api_key: str, count: int) -> None:
    x = rows(count)
    expected = x @ np.full((3, 2), 2, np.float32)
    job = maas.infer_later(MODEL, {"x": x}, 2, request_id="7")
    response = maas.jobs.answer_response(job)
    assert (response.model_version, response.id) == ("2", "7")
    assert np.array_equal(response.outputs["y"], expected)

    async def ask() -> Any:
        async with AsyncMaasClient(url, api_key) as client:
            return await client.jobs.answer(await client.infer_later(MODEL, {"x": x}, 2))

    assert np.array_equal(asyncio.run(ask())["y"], expected)


def test_deferred_refusal_has_reason(maas: MaasClient) -> None:
    with pytest.raises(JobFailed, match="x"):
        maas.jobs.answer(maas.infer_later(MODEL, {"x": np.zeros((1, 4), np.float32)}))


def test_batch_command(run: Run, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "rows.jsonl", rows(10))
    told = run("batch", f"{MODEL}@prod", tmp_path / "rows.jsonl", "--wait")
    assert "SUCCEEDED" in told
    assert "rows.predictions.jsonl" in told
    assert len(read_jsonl(Path("rows.predictions.jsonl"))) == 10
    (listed,) = json.loads(run("jobs", "--limit", 1, "--json"))["jobs"]
    assert "1/1 shards, 10 rows" in run("jobs", listed["id"])
    assert run("job", "download", listed["id"], "--to", "again.jsonl") == "again.jsonl\n"
    assert Path("again.jsonl").read_bytes() == Path("rows.predictions.jsonl").read_bytes()
    assert "nothing to cancel" in run("job", "cancel", listed["id"], fails=1)


def test_predict_command_deferred(run: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", rows(2))
    job = json.loads(run("predict", f"{MODEL}@prod", "--input", tmp_path / "x.npy", "--later", "--json"))
    answer = json.loads(run("job", "answer", job["id"], "--json"))
    assert answer["outputs"][0]["data"] == [3, 3, 12, 12]
