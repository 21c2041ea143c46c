"""The commands of batch and jobs: what a person sees, what a script reads."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import MaasClient
from support.server.server import ContractServer, contract_server

Run = Callable[..., tuple[int, str, str]]
MAAS = [sys.executable, "-c", "from maas_client.cli import app; app()"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ContractServer]:
    """Model `times`, whose version 2 is `prod`; the tests run in an empty folder."""
    model = tmp_path / "model.onnx"
    model.write_bytes(b"good")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with contract_server() as server:
        with MaasClient(server.url) as client:
            client.push(model, "times")
            client.push(model, "times", alias="prod")
        yield server


@pytest.fixture
def maas(command: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line, with room for whole tables."""
    monkeypatch.setenv("COLUMNS", "200")
    return command


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"x": [1, 2]}\n{"x": [3, 4]}\n{"y": [5, 6]}\n{"x": [7, 8]}\n{"x": [9, 10]}\n')
    return path


def as_json(result: tuple[int, str, str]) -> Any:
    code, out, err = result
    assert (code, err) == (0, "")
    return json.loads(out)


def test_batch_wait(maas: Run, lines: Path) -> None:
    code, out, err = maas("batch", "times@prod", lines, "--wait")
    assert (code, err) == (0, "")
    header, _, row = out.strip().splitlines()
    assert header.split() == ["job", "status", "rows", "errors", "seconds", "where"]
    assert row.split()[1:] == ["SUCCEEDED", "5", "1", "10.5", "rows.predictions.jsonl"]
    found = [json.loads(line) for line in Path("rows.predictions.jsonl").read_text().splitlines()]
    assert [one.get("y") for one in found] == [[2, 4], [6, 8], None, [14, 16], [18, 20]]
    assert "error" in found[2]


def test_batch_with_a_shadow(maas: Run, lines: Path, server: ContractServer) -> None:
    code, out, err = maas("batch", "times@prod", lines, "--wait", "--shadow", 1, "--compare", "0,0.5")
    said = "version 1 as a shadow: 4 compared, 4 (100.0%) differ, by 4 at most; 0 failed"
    assert (code, out.splitlines()[-1], err) == (0, said, "")
    (job,) = server.jobs.values()
    assert job["shadow"] == {"version": 1, "compare": {"rtol": 0.0, "atol": 0.5}}
    assert said in maas("jobs", job["id"])[1]
    job["progress"]["shadow"] |= {"failed": 2, "largest_difference": None, "reason": "version 1 has no output ['y']"}
    told = "4 (100.0%) differ, an output without counterpart; 2 failed, as in: version 1 has no output ['y']"
    assert told in maas("job", "wait", job["id"])[1]
    assert "shadow" not in maas("batch", "times", lines, "--wait")[1]


def test_batch_json(maas: Run, lines: Path, tmp_path: Path) -> None:
    told = as_json(maas("batch", "times", lines, "--output", tmp_path / "out.jsonl", "--json"))
    assert (told["status"], told["paths"]) == ("SUCCEEDED", [str(tmp_path / "out.jsonl")])
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 5


def test_batch_without_terminal_does_not_wait(maas: Run, lines: Path, server: ContractServer) -> None:
    code, out, err = maas("batch", "times@1", lines, "--column", "a", "--column", "b", "--batch-size", 8)
    (job,) = server.jobs.values()
    assert (code, out, err) == (0, f"job {job['id']} is PLANNING: `maas job wait {job['id']}` follows it\n", "")
    assert (job["version"], job["options"]) == (1, {"columns": ["a", "b"], "batch_size": 8})
    assert as_json(maas("batch", "times", lines, "--no-wait", "--json"))["status"] == "PLANNING"
    assert list(Path().iterdir()) == []


def test_batch_of_a_bucket_object_leaves_no_files(maas: Run, lines: Path, server: ContractServer) -> None:
    server.parts["/bucket/batch/data/x.jsonl"] = {0: lines.read_bytes()}
    code, out, _ = maas("batch", "times", "s3://maas/batch/data/x.jsonl", "--wait")
    assert (code, "batch/output/" in out) == (0, True)
    code, out, _ = maas("batch", "times", lines, "--wait", "-o", "s3://maas/batch/output/mine/")
    assert (code, "batch/output/mine/ in the bucket" in out) == (0, True)
    assert list(Path().iterdir()) == []


def test_failed_job_exit_code(maas: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"bad")
    code, out, err = maas("batch", "times", tmp_path / "x.csv", "--wait")
    assert (code, "FAILED" in out, err.count("\n")) == (1, True, 1)
    assert err.startswith("maas: job ")
    assert "failed: input: got no file of its format; `maas job retry" in err
    code, out, err = maas("batch", "times", tmp_path / "x.csv", "--wait", "--json")
    assert (code, json.loads(out)["reason"], err.count("\n")) == (1, "input: got no file of its format", 1)


def test_jobs_listed_and_shown(maas: Run, lines: Path) -> None:
    assert maas("jobs")[1] == "No jobs yet. maas batch MODEL FILE creates one.\n"
    maas("batch", "times", lines, "--wait", "--max-errors", 3, "--notify", "https://example.com/")
    (listed,) = as_json(maas("jobs", "--json"))["jobs"]
    assert (listed["status"], listed["progress"]) == ("SUCCEEDED", None)
    _, out, _ = maas("jobs", "-l", 5)
    assert listed["id"] in out
    assert "times@2" in out
    _, out, _ = maas("jobs", listed["id"])
    assert "3/3 shards, 5 rows, 1 error, 1,000 rows/s" in out
    assert "max_errors=3" in out
    assert "https://example.com/" in out
    assert as_json(maas("jobs", listed["id"], "--json"))["progress"]["rows"] == 5
    assert maas("jobs", "0" * 20)[2].startswith("maas: there is no job")


def test_job_wait_retry_cancel(maas: Run, tmp_path: Path, server: ContractServer) -> None:
    (tmp_path / "x.csv").write_bytes(b"bad")
    failed = as_json(maas("batch", "times", tmp_path / "x.csv", "--json"))["id"]
    assert maas("job", "wait", failed)[0] == 1
    server.parts[f"/bucket/{server.jobs[failed]['input']}"] = {0: b"a,b\n1,2\n"}
    assert maas("job", "retry", failed)[1] == f"job {failed} is PLANNING: `maas job wait {failed}` follows it\n"
    assert as_json(maas("job", "wait", failed, "--json"))["status"] == "SUCCEEDED"
    assert "there is nothing to cancel" in maas("job", "cancel", failed)[2]
    server.holds = True
    held = as_json(maas("batch", "times", tmp_path / "x.csv", "--json"))["id"]
    assert maas("job", "cancel", held) == (0, f"job {held} is CANCELLED\n", "")
    assert "was cancelled" in maas("job", "wait", held)[2]


def test_job_download(maas: Run, lines: Path) -> None:
    made = as_json(maas("batch", "times", lines, "--output", "s3://maas/batch/output/a/", "--wait", "--json"))
    job = made["id"]
    assert "paths" not in made
    assert maas("job", "download", job) == (0, f"{job}.jsonl\n", "")
    assert as_json(maas("job", "download", job, "--to", "y.jsonl", "--json")) == {"paths": ["y.jsonl"]}
    assert maas("job", "download", job, "--parts")[1].split() == [
        str(Path(job, f"part-0000{index}.jsonl").resolve()) for index in range(3)
    ]


@pytest.mark.full
def test_download_of_a_part_says_so(maas: Run, lines: Path) -> None:
    job = as_json(maas("batch", "times", lines, "--json"))["id"]
    maas("jobs", job)
    code, out, err = maas("job", "download", job)
    assert (code, out) == (0, f"{job}.jsonl\n")
    assert err == f"maas: job {job} is RUNNING: only 2 of its 3 shards are here\n"


def test_predict_later(maas: Run, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1, 2]], np.float32))
    job = as_json(maas("predict", "times@prod", "-i", tmp_path / "x.npy", "--later", "--json"))
    assert (job["kind"], job["version"]) == ("infer", 2)
    answer = as_json(maas("job", "answer", job["id"], "--json"))
    assert (answer["model_version"], answer["outputs"][0]["data"]) == ("2", [2, 4])
    assert "times@2" in maas("job", "answer", job["id"])[1]
    _, out, _ = maas("predict", "times", "-i", tmp_path / "x.npy", "--later")
    assert "`maas job answer" in out
    assert "`maas job answer`, gives its answer" in maas("job", "download", job["id"])[2]
    (tmp_path / "x.json").write_text('{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}')
    assert "--later takes inputs by name" in maas("predict", "times", "-i", tmp_path / "x.json", "--later")[2]


@pytest.mark.parametrize("output", ["results", "results/", "new/", "results/../results"])
def test_results_go_into_a_folder(maas: Run, lines: Path, output: str) -> None:
    Path("results").mkdir()
    told = as_json(maas("batch", "times", lines, "--output", output, "--json"))
    assert told["paths"] == [str(Path(output, "rows.predictions.jsonl"))]
    assert Path(told["paths"][0]).read_text().count("\n") == 5


def test_folder_with_the_name_of_a_file_is_refused_before_the_job(
    maas: Run, lines: Path, server: ContractServer
) -> None:
    Path("rows.predictions.jsonl").mkdir()
    Path("y.JSONL").mkdir()
    server.seen.clear()
    for more in ((), ("--output", "y.JSONL"), ("--output", "y.CSV")):
        code, _, err = maas("batch", "times", lines, "--wait", *more)
        assert (code, "is a folder: name a file" in err or "predictions come as .jsonl" in err) == (1, True)
    assert server.seen == []


def test_wrong_usage_sends_nothing(maas: Run, lines: Path, server: ContractServer) -> None:
    server.seen.clear()
    for code, command in (
        (2, ("batch", "times")),
        (2, ("batch", "times", lines, "--join", "output")),
        (2, ("batch", "times", lines, "--no-wait", "--output", "y.jsonl")),
        (2, ("batch", "times@", lines)),
        (2, ("batch", "times", lines, "--shadow", "prod")),
        (2, ("batch", "times", lines, "--compare", "top1")),
        (2, ("batch", "times", lines, "--shadow", "1", "--compare", "most")),
        (2, ("job",)),
        (1, ("batch", "times", lines, "--output", "y.csv")),
        (1, ("batch", "times", "rows.txt")),
        (1, ("batch", "times", "missing.npy")),
    ):
        assert maas(*command)[0] == code, command
    assert server.seen == []


def test_ctrl_c_leaves_job_running(server: ContractServer, lines: Path) -> None:
    server.holds = True
    environment = os.environ | {"MAAS_URL": server.url}
    process = subprocess.Popen(
        [*MAAS, "batch", "times", str(lines), "--wait"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while not any(job["status"] == "RUNNING" for job in server.jobs.values()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    (job,) = server.jobs.values()
    hint = f"`maas job wait {job['id']}` follows it, `maas job cancel {job['id']}` cancels it"
    assert (process.returncode, out) == (130, b"")
    assert err.decode().strip() == f"maas: job {job['id']} continues: {hint}"
    assert job["status"] == "RUNNING"


def test_lost_server_leaves_job_running(maas: Run, lines: Path, server: ContractServer) -> None:
    server.trouble = [("GET /api/v1/jobs/", None)] * 4
    code, _, err = maas("batch", "times", lines, "--wait")
    assert (code, "continues: `maas job wait" in err, "cannot reach" in err) == (1, True, True)


@pytest.mark.full
def test_shell_completes_jobs(server: ContractServer, lines: Path) -> None:
    with MaasClient(server.url) as client:
        job = client.batch("times", lines).id
    program = "import sys; from maas_client.cli import commands; sys.argv = ['maas']; commands(prog_name='maas')"

    def completed(words: str) -> list[str]:
        environment = os.environ | {
            "MAAS_URL": server.url,
            "_MAAS_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()

    assert completed(f"maas job wait {job[:4]}") == [job]
    assert completed(f"maas jobs {job[:4]}") == [job]
    assert completed("maas batch tim") == ["times"]
