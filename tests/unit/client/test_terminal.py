"""What commands print: text of others never acts, pipes get whole tables, any locale takes any text."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client.cli.output import plain
from support.server.server import ContractServer, Trouble

Run = Callable[..., tuple[int, str, str]]
COMMAND = [sys.executable, "-c", "from maas_client.cli import app; app()"]
# Escape sequences in 7 and 8 bits, a bell, new lines, markup, an emoji code, bidirectional controls, a lone surrogate.
HOSTILE = "é\x1b[31mred\x9b2J\x07\r\n[bold]b[/] :bomb: \u202eleft\u2066\u2028\ud800"
ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NOW, JOB_ID, KEY_ID = "2026-01-02T03:04:05Z", "0" * 20, "0" * 16

MODEL = {
    "name": HOSTILE,
    "description": HOSTILE,
    "tags": {HOSTILE: HOSTILE},
    "status": HOSTILE,
    "aliases": {HOSTILE: 1},
    "splits": {HOSTILE: [{"version": 2, "weight": 10}, {"version": 1, "weight": 90}]},
    "latest_ready_version": 1,
    "created_at": NOW,
    "updated_at": NOW,
    "deleted_at": NOW,
}
TENSOR = {"name": HOSTILE, "datatype": HOSTILE, "shape": [-1, 2]}
VERSION = MODEL | {
    "model": HOSTILE,
    "version": 1,
    "status_reason": HOSTILE,
    "aliases": [HOSTILE],
    "files": [{"name": HOSTILE, "size_bytes": 1, "sha256": HOSTILE}],
    "size_bytes": 1,
    "inputs": [TENSOR],
    "outputs": [TENSOR],
    "profile": {"shapes": {HOSTILE: [1, 2]}, "shapes_from": HOSTILE, "load_ms": 1.5},
    "warnings": [HOSTILE],
    "variants": [{"key": HOSTILE, "size_bytes": 1, "load_ms": 1, "run_ms": 1, "max_difference": 0}],
    "quantized": {"scheme": HOSTILE, "kept": False, "reason": HOSTILE},
    "removed_aliases": [HOSTILE],
    "changed_aliases": [HOSTILE],
}
ALIAS = {"alias": HOSTILE, "model": HOSTILE, "version": 1, "previous_version": 2, "updated_at": NOW}
ALIAS |= {"routes": MODEL["splits"][HOSTILE], "sticky": f"header:{HOSTILE}"}  # type: ignore[index]
CHANGE = {HOSTILE: HOSTILE}
ENTRY = {"model": HOSTILE, "revision": 1, "at": NOW, "actor": HOSTILE, "kind": HOSTILE, "version": None}
ENTRY |= {"alias": HOSTILE, "before": CHANGE, "after": {HOSTILE: "other"}}
KEY = {"id": HOSTILE, "name": HOSTILE, "scopes": [HOSTILE], "created_at": NOW, "created_by": HOSTILE}
KEY |= {"expires_at": HOSTILE, "requests_per_second": None, "used_at": None, "revoked_at": None, "revoked_by": None}
NUMBERS = {"shards_total": 1, "shards_done": 1, "shards_failed": 0, "rows": 1, "errors": 0}
JOB = {"id": HOSTILE, "kind": HOSTILE, "model": HOSTILE, "version": 1, "status": "SUCCEEDED", "reason": HOSTILE}
JOB |= {"input": HOSTILE, "output": HOSTILE, "options": {HOSTILE: HOSTILE}, "notify": HOSTILE, "actor": HOSTILE}
JOB |= {"created_at": NOW, "started_at": NOW, "updated_at": NOW, "progress": NUMBERS}


def says(document: object) -> Trouble:
    return 200, {}, json.dumps(document).encode()


ANSWERS: list[tuple[str, dict[str, Trouble]]] = [
    ("models", {"GET": says({"models": [MODEL], "next_page_token": None})}),
    ("versions m", {"GET": says({"versions": [VERSION], "next_page_token": None})}),
    ("show m", {"GET .*/versions": says({"versions": [VERSION], "next_page_token": None}), "GET": says(MODEL)}),
    ("show m@1", {"GET": says(VERSION)}),
    ("tag m a=b", {"PATCH": says(MODEL)}),
    ("alias get m a", {"GET": says(ALIAS)}),
    ("alias set m a 1", {"PUT": says(ALIAS)}),
    ("rollback m a", {"POST": says(ALIAS)}),
    ("delete m@1 --force", {"DELETE": says(VERSION)}),
    ("restore m", {"POST": says(MODEL)}),
    ("history m", {"GET": says({"entries": [ENTRY], "next_page_token": None})}),
    ("jobs", {"GET": says({"jobs": [JOB], "next_page_token": None})}),
    (f"jobs {JOB_ID}", {"GET": says(JOB)}),
    (f"job wait {JOB_ID}", {"GET": says(JOB)}),
    (f"job cancel {JOB_ID}", {"DELETE": says(JOB)}),
    (f"job retry {JOB_ID}", {"POST": says(JOB)}),
    ("keys list", {"GET": says({"keys": [KEY], "next_page_token": None})}),
    ("keys create -n ci -s infer", {"POST": says(KEY | {"key": HOSTILE})}),
    (f"keys rotate {KEY_ID}", {"POST": says(KEY | {"key": HOSTILE})}),
    (f"keys revoke {KEY_ID}", {"DELETE": says(KEY)}),
]


@pytest.mark.parametrize("more", ["", " --json"])
@pytest.mark.parametrize(("line", "answers"), ANSWERS, ids=[line for line, _ in ANSWERS])
def test_text_of_others_never_acts(
    command: Run, server: ContractServer, line: str, answers: dict[str, Trouble], more: str
) -> None:
    server.trouble = list(answers.items())
    code, out, err = command(*(line + more).split())
    assert (code, server.trouble) == (0, []), err
    assert not ACTIVE.search(out + err)
    assert "[bold]b[/] :bomb:" in out + err or line.startswith(("alias", "rollback", "restore"))
    if more:
        json.loads(out)
    else:
        assert not any(one.startswith("[bold]") for one in out.splitlines())


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 412, 422, 500, 503])
def test_error_texts_of_others_never_act(command: Run, server: ContractServer, status: int) -> None:
    server.trouble = [("PUT", (status, {}, json.dumps({"error": HOSTILE, "field": HOSTILE}).encode()))] * 9
    code, out, err = command("alias", "set", "m", HOSTILE.replace("\ud800", ""), 1)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "[bold]b[/] :bomb:" in err
    assert not ACTIVE.search(err)


def test_arguments_never_act(command: Run, tmp_path: Path) -> None:
    name = tmp_path / "a\x1b[31m\u202e.csv"
    for line in (
        ("predict", "echo", "-i", name),
        ("models", name),
        ("show", f"{name}@"),
        (name,),
        ("models", f"--{name}"),
    ):
        code, out, err = command(*line)
        assert (code in (1, 2), out, err.count("\n")) == (True, "", 1), line
        assert not ACTIVE.search(err)


def test_predicted_text_never_acts(command: Run, server: ContractServer, tmp_path: Path) -> None:
    server.echo_inputs = [{"name": "x", "datatype": "BYTES", "shape": [-1]}]
    text = HOSTILE.replace("\ud800", "")
    (tmp_path / "x.json").write_text(json.dumps([text]))
    for more in ([], ["--json"]):
        code, out, err = command("predict", "echo", "-i", tmp_path / "x.json", *more)
        assert (code, err) == (0, "")
        assert "[bold]b[/] :bomb:" in out
        assert not ACTIVE.search(out)
    assert json.loads(out)["outputs"][0]["data"] == [text]


def test_plain_keeps_what_people_write() -> None:
    assert plain("é ×漢字 👩‍👩‍👧 می‌خواهم a\u3000b") == "é ×漢字 👩‍👩‍👧 می‌خواهم a\u3000b"
    assert plain("\x1b[31m\n\u202e\ud800\U000e0041") == r"\x1b[31m\n\u202e\ud800\U000e0041"


def run(server: ContractServer, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [*COMMAND, *arguments], env=kept | {"MAAS_URL": server.url} | environment, capture_output=True
    )


@pytest.fixture
def wide(server: ContractServer) -> ContractServer:
    """The server with a model whose row is wide and not ASCII."""
    server.create_model({"name": "doubler", "description": "café 漢字 " + 30 * "wide ", "tags": {"a": "é\ud800"}})
    return server


@pytest.mark.full
def test_tables_in_a_pipe_are_not_folded(wide: ContractServer) -> None:
    (row,) = [one for one in run(wide, "models").stdout.decode().splitlines() if "doubler" in one]
    assert 30 * "wide " in row


@pytest.mark.full
@pytest.mark.parametrize(
    "environment",
    [{"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "ascii"}]
    + [{"PYTHONIOENCODING": one} for one in ("cp1252", "utf-16", "utf-8:strict")],
    ids=str,
)
def test_any_locale_takes_any_text(wide: ContractServer, environment: dict[str, str]) -> None:
    encoding = environment.get("PYTHONIOENCODING", "ascii").partition(":")[0]
    for line in (["models"], ["show", "doubler"], ["nothing é漢\x1b"]):
        done = run(wide, *line, **environment)
        assert done.returncode in (0, 2), done.stderr
        assert b"Error" not in done.stderr
        assert "doubler" in done.stdout.decode(encoding) or line[0].startswith("nothing")
    done = run(wide, "models", "--json", **environment)
    (model,) = json.loads(done.stdout.decode(encoding))["models"]
    assert (model["description"][:7], model["tags"]) == ("café 漢字", {"a": "é\ud800"})


@pytest.mark.full
def test_exit_codes(wide: ContractServer) -> None:
    assert run(wide, "models").returncode == 0
    assert run(wide, "show", "nobody").returncode == 1
    assert run(wide, "models", "--limit", "0").returncode == 2
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"MAAS_URL": wide.url}
    closed = subprocess.run([*COMMAND, "models"], env=environment, stdout=write, stderr=subprocess.PIPE)
    assert (closed.returncode, closed.stderr) == (1, b"")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "models"], env=environment, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"maas: No space left on device\n")


@pytest.mark.full
def test_ctrl_c_is_130(server: ContractServer, tmp_path: Path, lines: Path) -> None:
    server.holds = True
    server.create_model({"name": "times", "description": "", "tags": {}})
    job = server.jobs
    environment = os.environ | {"MAAS_URL": server.url}
    (tmp_path / "model.onnx").write_bytes(b"good")
    subprocess.run([*COMMAND, "push", tmp_path / "model.onnx", "-n", "times"], env=environment, check=True)
    line = [*COMMAND, "batch", "times", lines, "--wait"]
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not any(one["status"] == "RUNNING" for one in job.values()):
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"`maas job cancel {next(iter(job))}` cancels it" in err


@pytest.mark.parametrize("number", ["1_0", "٣", "0x1", " 1", "+1", "1.0", "nan", "1e400", "01", ""])
@pytest.mark.parametrize(
    "line",
    [
        ("models", "--limit"),
        ("alias", "set", "m", "production"),
        ("batch", "m", "x.csv", "--max-errors"),
        ("keys", "create", "-n", "ci", "-s", "infer", "--rate"),
    ],
)
def test_whole_numbers_are_written_as_in_json(command: Run, line: tuple[str, ...], number: str) -> None:
    code, out, err = command(*line, number)
    assert (code, out) == (2, "")
    assert "expected a whole number of at least" in err


@pytest.mark.parametrize("number", ["1_0", "٣", "0x1", " 1", "+1", ".5", "5.", "nan", "inf", "Infinity", "1e400", "-1"])
@pytest.mark.parametrize("line", [("predict", "m", "-i", "x.csv", "--timeout"), ("push", "m", "-n", "m", "--rtol")])
def test_numbers_are_written_as_in_json(command: Run, line: tuple[str, ...], number: str) -> None:
    code, out, err = command(*line, number)
    assert (code, out) == (2, "")
    assert "expected a number" in err


@pytest.mark.parametrize("version", ["٣", "1_0", "²", "+1"])
def test_versions_are_ascii_digits(command: Run, version: str) -> None:
    assert "expected MODEL or MODEL@NUMBER" in command("delete", f"m@{version}")[2]


def test_times_are_rfc_3339(command: Run) -> None:
    for text in ("yesterday", "٢٠٢٠-01-01", "2020-13-01"):
        code, _, err = command("alias", "get", "m", "production", "--at", text)
        assert (code, "expected a time as in 2026-01-31" in err) == (2, True)


def test_json_has_the_names_of_the_api(command: Run, times: ContractServer, tmp_path: Path) -> None:
    """Every command that shows one thing prints what the API answers."""
    times.create_key({"name": "ci", "scopes": ["infer"], "expires_at": None, "requests_per_second": None})
    key = next(iter(times.keys))
    shown: list[tuple[str, Any]] = [
        ("show times@2", times.version_json("times", 2)),
        ("alias get times prod", times.alias_json("times", "prod")),
        (f"keys revoke {key}", times.key_json(key)),
        ("delete times@1", times.version_json("times", 1) | {"removed_aliases": [], "changed_aliases": []}),
        ("restore times@1", times.version_json("times", 1)),
    ]
    for line, expected in shown:
        code, out, err = command(*line.split(), "--json")
        assert (code, err) == (0, "")
        printed = json.loads(out)
        assert expected.keys() - {"golden", "looks"} <= printed.keys() <= VERSION.keys() | expected.keys(), line
    np.save(tmp_path / "x.npy", np.ones((3, 2), np.float32))
    to = tmp_path / "y.npy"
    printed = json.loads(command("batch", "times", tmp_path / "x.npy", "-o", to, "--wait", "--json")[1])
    assert printed["status"] == "SUCCEEDED"
    assert printed["paths"] == [str(to)]
