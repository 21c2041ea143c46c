"""A job's shadow: another version runs on the records too. It is compared, counts once and never fails the job."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conftest import LoadFunction
from maas import bootstrap
from maas.batch.formats import Chunk
from maas.batch.shadowing import ATTEMPTS, JobShadow
from maas.batch.state.job_records import BatchJob, JobRequest, JobStatus, Shadowed, ShardStatus
from maas.records.samples import Shadow
from support import onnx_models, wire
from support.aws.engine import Cloud, create_cloud
from support.batch.made_jobs import job as made_job
from support.batch.runs import ROWS, Runs
from support.events import seed

TWIN, OTHER, NARROW = 3, 4, 5
ROOT = "/api/v1/jobs"


class Shadows(Runs):
    def shadowed(self, shadow: Shadow, content: bytes = ROWS) -> BatchJob:
        self.put("batch/data/rows.jsonl", content)
        wanted = JobRequest(input="batch/data/rows.jsonl", shadow=shadow)
        return self.started(self.submission.create(self.version, wanted, "tester", None)[0])

    def found(self, job: BatchJob) -> dict[str, Any]:
        """Of the manifest, which the progress has to equal."""
        shown = json.loads(self.read(f"{job.output}manifest.json"))["shadow"]
        assert {"version": job.shadow.version if job.shadow else 0} | self.jobs.shards.tally(
            job.id
        ).shadow.shown() == shown
        return {name: value for name, value in shown.items() if name != "version"}

    def output(self, job: BatchJob) -> bytes:
        names = [name for name in bootstrap.bucket(self.cloud.settings).sizes(job.output, 100) if "part-" in name]
        return b"".join(map(self.read, sorted(names)))


@pytest.fixture(scope="module")
def cloud(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """Model `example`: version 3 answers as version 1, version 4 twice as much, version 5 takes other inputs."""
    made = create_cloud(moto_url, tmp_path_factory.mktemp("maas"))
    seed(made)
    for content in (onnx_models.linear(), onnx_models.linear(2.0), onnx_models.linear(features=2)):
        made.deploy("example", content)
    return made


@pytest.fixture
def runs(cloud: Cloud) -> Shadows:
    return Shadows(cloud)


@pytest.mark.parametrize(
    ("shadow", "expected"),
    [
        (Shadow(OTHER, 100), (8, 8, 0, 16.0)),
        (Shadow(TWIN, 100), (8, 0, 0, 0.0)),
        (Shadow(OTHER, 100, "top1"), (8, 0, 0, 16.0)),
        (Shadow(OTHER, 100, "none"), (8, 0, 0, 0.0)),
        (Shadow(OTHER, 100, rtol=1.0), (8, 0, 0, 16.0)),
    ],
)
def test_what_differs_is_counted(runs: Shadows, shadow: Shadow, expected: tuple[int, int, int, float]) -> None:
    ended = runs.work(job := runs.shadowed(shadow))
    assert ended.status is JobStatus.SUCCEEDED
    assert tuple(runs.found(job).values()) == (*expected, None)
    assert runs.output(job) == b"".join(b'{"y":[%d.0,%d.0]}\n' % (one + 5, one + 5) for one in range(8))


def test_a_shard_delivered_twice_counts_once(runs: Shadows) -> None:
    job = runs.shadowed(Shadow(OTHER, 100))
    first, *others = list(runs.jobs.shards.pending(job.id))
    before = runs.jobs.shards.get(job.id, first)
    runs.work(job, first, first)
    done = runs.jobs.shards.get(job.id, first)
    assert done.shadow and done.shadow.compared == done.rows
    runs.jobs.shards.finish(job, before, replace(done, rows=99), [])  # a delivery that worked at the same time
    runs.work(job, *others)
    assert (runs.found(job)["compared"], runs.found(job)["mismatched"]) == (8, 8)


@pytest.mark.parametrize("version", [NARROW, 99])
def test_a_shadow_that_fails_does_not_fail_the_job(runs: Shadows, version: int) -> None:
    """One refuses the inputs, one is gone since."""
    ended = runs.work(job := runs.shadowed(Shadow(version, 100)))
    assert ended.status is JobStatus.SUCCEEDED
    found = runs.found(job)
    assert tuple(found.values())[:4] == (8, 8, 8, 0.0)
    assert ("onnxruntime" if version == NARROW else "no version '99'") in found["reason"]


@pytest.mark.full
def test_records_that_the_job_cannot_answer_are_not_compared(runs: Shadows) -> None:
    job = runs.shadowed(Shadow(TWIN, 100), ROWS + b'{"x": "bad"}\n{"x": [1, 2]}\n')
    assert runs.work(job).status is JobStatus.SUCCEEDED
    assert runs.found(job) | {"reason": None} == Shadowed(compared=8).shown()


def compared(runs: Shadows, seconds: float = 60, received: int = 1) -> Shadowed:
    """After two records, on a version that answers otherwise."""
    job = made_job(model="example", shadow=Shadow(OTHER, 100))
    shadow = JobShadow(job, runs.worker.dataplane, time.monotonic() + seconds, received)
    shadow.begin(["y"])
    x = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    shadow.compare(Chunk(0, 3, [0, 2], {"x": x}, {1: "bad"}), {"y": x[:, :2]}, {1: "bad"})
    return shadow.found


def test_a_shadow_is_not_run_beyond_its_time_nor_again_and_again(runs: Shadows) -> None:
    late = compared(runs, -1)
    assert (late.compared, late.failed) == (2, 2)
    assert "longer than a worker has time" in (late.reason or "")
    assert compared(runs, received=ATTEMPTS).failed == 0
    assert "it ran twice" in (compared(runs, received=ATTEMPTS + 1).reason or "")


@pytest.mark.full
def test_jobs_and_shards_from_before_have_no_shadow(runs: Shadows) -> None:
    job = runs.job()
    for sk in ("JOB", "S#00000"):
        row = runs.table.get((f"J#{job.id}", sk))
        assert row and row.pop("shadow") is None
        found = BatchJob.of(row) if sk == "JOB" else runs.jobs.shards.get(job.id, "00000").of(row)
        assert found.shadow is None
    assert runs.work(job).status is JobStatus.SUCCEEDED
    assert runs.jobs.shards.get(job.id, "00000").status is ShardStatus.DONE
    assert json.loads(runs.read(f"{job.output}manifest.json"))["shadow"] is None


def call(load_function: LoadFunction, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    content = b"" if body is None else json.dumps(body).encode()
    event = wire.event(path, content, method=method)
    event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
    answer = load_function("ManagementFunction").lambda_handler(event, wire.CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("shadow", "status", "field"),
    [
        ({"version": 99}, 404, "shadow.version"),
        ({"version": 2}, 409, "shadow.version"),
        ({"version": 1}, 400, "shadow.version"),
        ({"version": "3"}, 400, "shadow.version"),
        ({"version": 3, "percent": 10}, 400, "shadow.percent"),
        ({"compare": "none"}, 400, "shadow.version"),
        ({"version": 3, "compare": "most"}, 400, "shadow.compare"),
        ({"version": 3, "compare": {"rtol": -1}}, 400, "shadow.compare"),
    ],
)
@pytest.mark.full
def test_bad_shadows(
    runs: Shadows, load_function: LoadFunction, shadow: dict[str, Any], status: int, field: str
) -> None:
    body = {"model": "example", "version": "1", "input": "batch/data/rows.jsonl", "shadow": shadow}
    came, answer = call(load_function, "POST", ROOT, body)
    assert (came, answer["field"][: len(field)]) == (status, field), answer


@pytest.mark.full
def test_a_shadow_is_shown(runs: Shadows, load_function: LoadFunction) -> None:
    body = {"model": "example", "version": "1", "input": "batch/data/rows.jsonl", "shadow": {"version": OTHER}}
    status, made = call(load_function, "POST", ROOT, body)
    assert (status, made["shadow"]) == (201, {"version": OTHER, "compare": {"rtol": 1e-3, "atol": 1e-5}})
    runs.work(runs.started(runs.jobs.get(made["id"])))
    _, found = call(load_function, "GET", f"{ROOT}/{made['id']}")
    assert found["progress"]["shadow"] == runs.found(runs.jobs.get(made["id"]))
    upload = {"name": "request", "size_bytes": 2, "sha256": "0" * 64}
    status, refused = call(
        load_function, "POST", ROOT, {"model": "example", "kind": "infer", "upload": upload, "shadow": {"version": 3}}
    )
    assert (status, refused["field"]) == (400, "shadow")
