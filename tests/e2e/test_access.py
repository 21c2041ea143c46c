"""Who may do what, over HTTP, through the gateway and its authorizer; and `maas keys`."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from maas_client import AsyncMaasClient, MaasClient, NotAllowed
from maas_client.cli import app
from maas_local.stack import LocalStack
from support import onnx_models

REQUEST = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
Anybody = httpx.Client


@pytest.fixture(scope="module")
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    path = tmp_path_factory.mktemp("access") / "model.onnx"
    path.write_bytes(onnx_models.linear())
    for name in ("access-a", "access-b"):
        maas.push(path, name)
    return "access-a", "access-b"


@pytest.fixture
def anybody(url: str) -> Iterator[Anybody]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


def keyed(key: str) -> dict[str, str]:
    return {"x-api-key": key}


@pytest.mark.not_on("cloud", reason="MiniStack answers a preflight itself, with 403 where CORS is off")
def test_preflight_needs_no_key(anybody: Anybody) -> None:
    asks = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
    for path in ("/api/v1", "/api/v1/models", "/v2", "/v2/models/m/infer", "/v1/models/m:predict", "/invocations"):
        answer = anybody.options(path, headers=asks)
        assert answer.is_success and not answer.content, path


def test_only_health_is_open(anybody: Anybody) -> None:
    for path in ("/v2/health/live", "/v2/health/live/", "/v2/health/ready", "/ping", "/"):
        assert anybody.get(path).status_code == 200, path
    paths = ("/v2", "/v2/models", "/v2/models/m/infer", "/v1/models", "/api/v1/models", "/api/v1/keys")
    for path in (*paths, "/api/v1", "/v2/health/live//", "/v2/health", "/v2//health/live"):
        answer = anybody.get(path)
        assert (answer.status_code, set(answer.json())) == (401, {"error"}), path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert anybody.post("/invocations", json=REQUEST).status_code == 401


def test_key_in_either_header(anybody: Anybody, api_key: str) -> None:
    for headers in (keyed(api_key), {"Authorization": f"Bearer {api_key}"}, {"X-API-KEY": api_key}):
        assert anybody.get("/v2", headers=headers).status_code == 200
    wrong = api_key[:-1] + ("0" if api_key[-1] != "0" else "1")
    for headers in (keyed(wrong), {"authorization": f"Bearer {wrong}"}, {"authorization": f"Basic {api_key}"}):
        answer = anybody.get("/v2", headers=headers)
        assert (answer.status_code, set(answer.json())) == (401, {"error"})


def test_infer_scope_of_one_model(maas: MaasClient, anybody: Anybody, models: tuple[str, str]) -> None:
    mine, other = models
    headers = keyed(maas.keys.create("one model", [f"infer:{mine}"]).key)
    rows = {"instances": [[1, 2, 3]]}
    calls: list[Callable[[str], httpx.Response]] = [
        lambda model: anybody.post(f"/v2/models/{model}/infer", json=REQUEST, headers=headers),
        lambda model: anybody.post(f"/v2/models/{model}/versions/1/infer", json=REQUEST, headers=headers),
        lambda model: anybody.get(f"/v2/models/{model}", headers=headers),
        lambda model: anybody.get(f"/v2/models/{model}/ready", headers=headers),
        lambda model: anybody.post(f"/v1/models/{model}:predict", json=rows, headers=headers),
        lambda model: anybody.post(f"/v2/repository/models/{model}/load", headers=headers),
        lambda model: anybody.post(f"/v2/repository/models/{model}/unload", headers=headers),
        lambda model: anybody.post("/invocations", params={"model": model}, json=rows, headers=headers),
    ]
    for index, call in enumerate(calls):
        assert call(mine).status_code == 200, (index, call(mine).text)
        refused = call(other)
        assert (refused.status_code, set(refused.json())) == (403, {"error"}), index
    assert (
        anybody.post("/invocations", json=rows, headers=headers).status_code == 200
    )  # the key's only model is the default
    assert anybody.get("/v2/models", headers=headers).json() == {"models": [mine]}
    assert anybody.get("/v1/models", headers=headers).json()["models"] == [mine]
    assert [one["id"] for one in anybody.get("/v1/models", headers=headers).json()["data"]] == [mine]
    index_ = anybody.post("/v2/repository/index", headers=headers).json()
    assert {one["name"] for one in index_} == {mine}
    stats = anybody.get("/v2/models/stats", headers=headers).json()["model_stats"]
    assert {one["name"] for one in stats} <= {mine}
    assert anybody.get("/api/v1/models", headers=headers).status_code == 403
    for tricky in (f"/v2/models/{mine}%2F..%2F{other}/infer", f"/v2/models/{mine}/../{other}/infer"):
        assert anybody.post(tricky, json=REQUEST, headers=headers).status_code in (403, 404)


def test_history_actor_is_the_key(maas: MaasClient, url: str, models: tuple[str, str]) -> None:
    made = maas.keys.create("tagger", ["models:write"])
    with MaasClient(url, made.key) as other:
        other.models.update(models[0], tags={"by": "tagger"})
        with pytest.raises(NotAllowed, match="it needs infer"):
            other.infer(models[0], [[1, 2, 3]])
    assert maas.models.history(models[0], 1)[0].actor == f"key:{made.id}"


@pytest.mark.full
def test_rotated_key_works_and_revoked_key_is_refused(maas: MaasClient, anybody: Anybody) -> None:
    old = maas.keys.create("rotating", ["models:read"])
    assert anybody.get("/v2/models", headers=keyed(old.key)).status_code == 200
    new = maas.keys.rotate(old.id, grace_seconds=60)
    for key in (old.key, new.key):
        assert anybody.get("/v2/models", headers=keyed(key)).status_code == 200
    maas.keys.revoke(old.id)
    deadline = time.monotonic() + 60
    while anybody.get("/v2/models", headers=keyed(new.key)).status_code == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "is revoked" in anybody.get("/v2/models", headers=keyed(new.key)).json()["error"]


@pytest.mark.full
def test_rate_limit_of_a_key(maas: MaasClient, anybody: Anybody, url: str, models: tuple[str, str]) -> None:
    made = maas.keys.create("slow", ["models:read"], requests_per_second=1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: anybody.get("/v2/models", headers=keyed(made.key)), range(16)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and all(answer.status_code in (200, 429) for answer in answers)
    assert refused[0].headers["retry-after"] == "1"
    assert "expected at most 1" in refused[0].json()["error"]
    assert {answer.status_code for answer in answers} == {200, 429}
    with MaasClient(url, made.key) as patient:  # the client waits as Retry-After says
        assert [len(patient.models.list(1)) for _ in range(2)] == [1, 1]


def test_key_cannot_grant_scopes_it_lacks(maas: MaasClient, url: str) -> None:
    with MaasClient(url, maas.keys.create("some", ["keys", "jobs"]).key) as some:
        some.keys.create("less", ["jobs"])
        with pytest.raises(NotAllowed, match="it needs admin"):
            some.keys.create("more", ["admin"])
        boss = next(key for key in maas.keys.list() if "admin" in key.scopes)
        with pytest.raises(NotAllowed):
            some.keys.rotate(boss.id)


async def _infer(url: str, key: str, model: str) -> Any:
    async with AsyncMaasClient(url, key) as maas:
        return (await maas.infer(model, [[1.0, 2.0, 3.0]]))["y"].tolist()


def test_async_client_sends_key(maas: MaasClient, url: str, models: tuple[str, str]) -> None:
    import asyncio

    assert asyncio.run(_infer(url, maas.keys.create("async", ["infer"]).key, models[0])) == [[6.0, 6.0]]


# ------------------------------------------------------------------ `maas keys`


@pytest.fixture
def run(url: str, api_key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("MAAS_URL", url)
    monkeypatch.setenv("MAAS_API_KEY", api_key)
    monkeypatch.setenv("COLUMNS", "200")

    def run_command(line: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as exit_:
            app(line.split())
        out, err = capsys.readouterr()
        assert exit_.value.code == code, err
        return out, err

    return run_command


def test_keys_command(run: Any, anybody: Anybody) -> None:
    out, err = run("keys create --name ci --scope models:read --scope infer:digits --expires 90d --rate 100")
    key = out.strip()
    assert anybody.get("/v2/models", headers=keyed(key)).status_code == 200
    key_id = key.split("_")[1]
    assert key_id in err and "models:read infer:digits" in err and key not in err
    said = run(f"keys whoami --api-key {key}")[0].splitlines()
    assert said[:2] == [f"key:{key_id}", "scopes: infer:digits, models:read"]
    assert said[2].startswith("expires: ") and said[3:] == ["requests per second: 100"]
    made = json.loads(run("keys create -n other -s jobs --json")[0])
    assert (made["scopes"], made["key"].split("_")[1]) == (["jobs"], made["id"])
    listed = run("keys list")[0]
    assert key_id in listed and key not in listed and "infer:digits" in listed
    assert key_id in {one["id"] for one in json.loads(run("keys list --json")[0])["keys"]}
    another = run(f"keys rotate {key_id} --grace 30m")[0].strip()
    assert another != key and anybody.get("/v2/models", headers=keyed(another)).status_code == 200
    assert run(f"keys revoke {key_id}")[0] == f"{key_id} (ci) is revoked\n"
    assert key_id not in run("keys list")[0]
    assert "revoked" in run("keys list --revoked")[0]
    assert "is revoked: create another" in run(f"keys rotate {key_id}", 1)[1]
    assert "expected a number and s, m, h or d" in run("keys create -n x -s jobs --expires soon", 2)[1]
    assert "--scope: " in run("keys create -n x -s everything", 1)[1]


@pytest.mark.full
def test_first_key_is_made_with_aws_credentials(
    system: LocalStack, anybody: Anybody, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """`maas keys bootstrap` in a process with AWS credentials and without a key."""
    table = system.environment["MAAS_TABLE"]
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"TableName": {"Value": table}}}
    cloudformation = system.cloud.client("cloudformation")
    stack = f"maas-{tmp_path.name.replace('_', '-')}"
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAAS_"))}
    environment = kept | system.environment | {"MAAS_TABLE": ""}
    program = [sys.executable, "-c", "from maas_client.cli import app; app()", "keys", "bootstrap"]

    def bootstrap(*options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([*program, *options], env=environment, capture_output=True, text=True)

    for options in (["--stack", stack], ["--table", table, "--name", "owner"]):
        done = bootstrap(*options)
        assert done.returncode == 0, done.stderr
        headers = keyed(done.stdout.strip())
        assert anybody.get("/api/v1/models", headers=headers).status_code == 200
        made = anybody.get(f"/api/v1/keys/{done.stdout.split('_')[1]}", headers=headers).json()
        assert made["scopes"] == ["admin"] and made["created_by"].startswith("arn:aws:")
    absent = bootstrap("--stack", "nothing")
    assert absent.returncode == 1 and absent.stderr.count("\n") == 1 and "nothing" in absent.stderr
    absent = bootstrap("--table", "nothing")
    assert absent.returncode == 1 and absent.stderr.startswith("maas: ") and "Traceback" not in absent.stderr


@pytest.mark.full
def test_local_stack_prints_key_and_requires_it() -> None:
    program = [sys.executable, "-u", "-c", "from maas_client.cli import app; app()", "local", "--port", "0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAAS_"))}
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, env=kept | {"COLUMNS": "200"}) as process:
        assert process.stdout
        try:
            said = "".join(process.stdout.readline() for _ in range(3))
            url, key = (re.search(pattern, said) for pattern in (r"http://127\.0\.0\.1:\d+", r"MAAS_API_KEY=(\S+)"))
            assert url and key, said
            assert httpx.get(f"{url[0]}/v2", timeout=60).status_code == 401
            assert httpx.get(f"{url[0]}/v2", headers=keyed(key[1]), timeout=60).status_code == 200
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
