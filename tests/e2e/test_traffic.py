"""An alias that shares its requests among versions, with every protocol and client."""

import json
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton

from conftest import skip_or_fail
from maas_client import Conflict, MaasClient, Route
from support import onnx_models
from support.aws.engine import ROOT
from support.exports.small import text_export, written
from support.system import wait_for_job
from support.triton_calls import tensor

pytestmark = pytest.mark.full  # environments follow an alias within seconds, each time

PYTHON = Path(os.environ.get("MAAS_CLIENTS_PYTHON", ROOT / ".venv-clients/bin/python"))
LINEAR, SENTENCES = "tr-linear", "tr-sentences"
X = [[1.0, 2.0, 3.0]]
OIP = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": X}]}
FOLLOWED_SECONDS = 3.5  # environments cache an alias for 3
MANY = 40  # one version never answers with a probability of 2 in 2^40
Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module", autouse=True)
def models(maas: MaasClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("models")
    for weight in (1.0, 2.0):
        (folder / "model.onnx").write_bytes(onnx_models.linear(weight))
        maas.push(folder / "model.onnx", LINEAR)
        written(text_export("embeddings").files, folder / str(weight))
        maas.push(folder / str(weight), SENTENCES)


def share(maas: MaasClient, sticky: str = "none", **routes: int) -> None:
    """Both models' alias `live`, followed by every environment."""
    for model in (LINEAR, SENTENCES):
        maas.aliases.set(
            model,
            "live",
            routes={int(name.removeprefix("v")): weight for name, weight in routes.items()},
            sticky=sticky,
        )
    time.sleep(FOLLOWED_SECONDS)


def asks(http: httpx.Client) -> dict[str, Ask]:
    """A call of every protocol."""
    linear, texts = f"/v2/models/{LINEAR}/versions/live", {"model": f"{SENTENCES}@live", "input": "a"}
    csv = {"content-type": "text/csv"}
    raw = {"inference-header-content-length": "0"}
    return {
        "OIP": lambda **headers: http.post(f"{linear}/infer", json=OIP, headers=headers),
        "OIP raw": lambda **headers: http.post(
            f"{linear}/infer", content=np.array(X, np.float32).tobytes(), headers=headers | raw
        ),
        "V1": lambda **headers: http.post(
            f"/v1/models/{LINEAR}/labels/live:predict", json={"instances": X}, headers=headers
        ),
        "invocations": lambda **headers: http.post(
            f"/invocations?model={LINEAR}&version=live", content="1,2,3\n", headers=headers | csv
        ),
        "OpenAI": lambda **headers: http.post("/v1/embeddings", json=texts, headers=headers),
        "TEI": lambda **headers: http.post(f"/models/{SENTENCES}@live/embed", json={"inputs": "a"}, headers=headers),
        "TEI tokenize": lambda **headers: http.post(
            f"/models/{SENTENCES}@live/tokenize", json={"inputs": "a"}, headers=headers
        ),
        "later": lambda **headers: http.post(
            f"{linear}/infer", json=OIP, headers=headers | {"prefer": "respond-async"}
        ),
    }


def served(answer: httpx.Response) -> int:
    """The version that the header names; it agrees with what the body says of it."""
    assert answer.status_code in (200, 202), answer.text
    number = int(answer.headers["maas-version"])
    if answer.request.url.path.endswith("/infer") and answer.status_code == 200:
        if answer.headers["content-type"] == "application/json":
            document, y = answer.json(), answer.json()["outputs"][0]["data"][0]
        else:
            length = int(answer.headers["inference-header-content-length"])
            document, y = json.loads(answer.content[:length]), np.frombuffer(answer.content[length:], np.float32)[0]
        assert (document["model_version"], y) == (str(number), 6.0 * number)
    return number


def test_every_protocol_shares_and_says_the_version(maas: MaasClient, http: httpx.Client) -> None:
    share(maas, v1=50, v2=50)
    for name, ask in asks(http).items():
        few = MANY if name != "later" else MANY // 2
        assert {served(ask()) for _ in range(few)} == {1, 2}, name


def test_every_protocol_sticks_alike(maas: MaasClient, http: httpx.Client) -> None:
    share(maas, "header:X-User", v1=50, v2=50)
    by_user: dict[str, set[int]] = defaultdict(set)
    for name, ask in asks(http).items():
        if name.startswith(("OpenAI", "TEI")):  # another model: another salt
            users = {served(ask(**{"x-user": "ann"})) for _ in range(8)}
            assert len(users) == 1, name
            continue
        for user in range(12):
            by_user[f"u{user}"] |= {served(ask(**{"x-user": f"u{user}"})) for _ in range(2)}
    assert {len(versions) for versions in by_user.values()} == {1}
    assert len({*map(frozenset, by_user.values())}) == 2
    ask = asks(http)["OIP"]
    assert {served(ask()) for _ in range(MANY)} == {1, 2}  # without the header: at random


def test_growing_canary_keeps_its_users(maas: MaasClient, http: httpx.Client) -> None:
    ask, before = asks(http)["OIP"], set[str]()
    for weight in (10, 40, 80):
        share(maas, "header:x-user", v1=100 - weight, v2=weight)
        inside = {f"u{user}" for user in range(60) if served(ask(**{"x-user": f"u{user}"})) == 2}
        assert before <= inside
        before = inside
    assert len(before) > 30


def test_errors_say_the_version(maas: MaasClient, http: httpx.Client) -> None:
    share(maas, v1=50, v2=50)
    wrong = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [[1, 2]]}]}
    seen = set()
    for _ in range(MANY):
        refused = http.post(f"/v2/models/{LINEAR}/versions/live/infer", json=wrong)
        assert refused.status_code == 400
        seen.add(refused.headers["maas-version"])
    assert seen == {"1", "2"}
    for path in (f"/v2/models/{LINEAR}/versions/nothing/infer", "/v2/models/nothing/infer"):
        absent = http.post(path, json=OIP)
        assert absent.status_code == 404 and "maas-version" not in absent.headers


def test_descriptions_are_of_the_main_version(maas: MaasClient, http: httpx.Client) -> None:
    share(maas, v1=40, v2=60)
    base = f"/v2/models/{LINEAR}/versions/live"
    for _ in range(10):
        assert http.get(base).json()["versions"] == ["2"]
        assert http.get(f"{base}/ready").json()["ready"] is True
        assert http.get(f"{base}/config").json()["version_policy"] == {"specific": {"versions": [2]}}
        assert [one["version"] for one in http.get(f"{base}/stats").json()["model_stats"]] == ["2"]
        status = http.get(f"/v1/models/{LINEAR}/labels/live").json()
        assert [one["version"] for one in status["model_version_status"]] == ["2"]
    measured = http.post(f"{base}/profile", json={"shapes": {"x": [1, 3]}, "runs": 1})
    assert (measured.json()["model_version"], measured.headers["maas-version"]) == ("2", "2")


def test_jobs(maas: MaasClient, http: httpx.Client, tmp_path: Path) -> None:
    """A batch by an alias runs on its main version, an asynchronous request on the picked one."""
    share(maas, v1=60, v2=40)
    file = tmp_path / "rows.jsonl"
    file.write_text('{"x": [1, 2, 3]}\n')
    for _ in range(3):
        job = maas.batch(LINEAR, file, version="live", wait=True)
        assert job.version == 1
    ask, jobs = asks(http)["later"], {}
    while len(jobs) < 2:
        answer = ask()
        jobs[served(answer)] = answer.json()["id"]
    for number, job_id in jobs.items():
        assert wait_for_job(http, job_id)["version"] == number
        (one,) = http.get(f"/api/v1/jobs/{job_id}/results").json()["results"]
        assert httpx.get(one["url"], timeout=60).json()["model_version"] == str(number)


class Watching(triton.InferenceServerClient):
    """Triton's client, which shows no headers of answers; this keeps the version of each."""

    def _post(self, *args: Any, **more: Any) -> Any:
        answer = super()._post(*args, **more)
        self.versions = [*getattr(self, "versions", []), answer.get("maas-version")]
        return answer


def test_triton_client(maas: MaasClient, url: str, api_key: str) -> None:
    share(maas, "header:x-user", v1=50, v2=50)
    by_user: dict[str, set[str]] = defaultdict(set)
    with Watching(url.removeprefix("http://"), connection_timeout=60, network_timeout=60) as client:
        given = [tensor("x", np.array(X, np.float32))]
        for index in range(MANY):
            user = f"u{index % 20}"
            answer = client.infer(LINEAR, given, "live", headers={"x-user": user, "x-api-key": api_key})
            by_user[user].add(answer.get_response()["model_version"])
            assert answer.as_numpy("y")[0, 0] == 6.0 * int(client.versions[-1])
            assert client.versions[-1] == answer.get_response()["model_version"]
        described = client.get_model_metadata(LINEAR, "live", headers={"x-api-key": api_key})
        assert described["versions"] == ["1"]
    assert {len(versions) for versions in by_user.values()} == {1}
    assert set().union(*by_user.values()) == {"1", "2"}


OPENAI = """
import json, sys, openai
client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key=sys.argv[2], max_retries=0)
def version(user):
    headers = {"x-user": user}
    raw = client.embeddings.with_raw_response.create(model="tr-sentences@live", input=["a"], extra_headers=headers)
    assert raw.parse().data[0].embedding
    return raw.headers["maas-version"]
print(json.dumps([[version(f"u{index}") for index in range(20)] for _ in range(2)]))
"""


def test_openai_client(maas: MaasClient, url: str, api_key: str) -> None:
    if not PYTHON.exists():
        skip_or_fail(f"no {PYTHON}: make peers")
    share(maas, "header:X-User", v1=50, v2=50)
    done = subprocess.run([PYTHON, "-c", OPENAI, url, api_key], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = json.loads(done.stdout.splitlines()[-1])
    assert first == second
    assert set(first) == {"1", "2"}


def test_life_of_a_split_by_command(maas: MaasClient, run: Callable[..., str]) -> None:
    alias = f"{LINEAR} canary"
    assert run(f"alias set {alias} 1") == f"{LINEAR}@canary is version 1\n"
    split = f"{LINEAR}@canary is version 2 for 10 %, version 1 for 90 %, the same for each caller"
    assert run(f"alias set {alias} 1=90 2=10 --sticky caller") == f"{split} (before: 1)\n"
    assert "canary→2=10,1=90" in run(f"models --prefix {LINEAR}")
    assert "canary shares its requests: 2=10 1=90" in run(f"show {LINEAR}")
    assert "canary" in run(f"show {LINEAR}@2")
    assert "routes 2=10 1=90, sticky caller" in run(f"history {LINEAR} --limit 1")
    at = maas.aliases.get(LINEAR, "canary").updated_at
    assert run(f"rollback {alias}").startswith(f"{LINEAR}@canary is version 1 again (before: 2=10 1=90)")
    assert run(f"alias get {alias} --at {at}").startswith(f"{LINEAR}@canary was version 2 for 10 %, version 1 for 90 %")
    assert maas.aliases.rollback(LINEAR, "canary").routes == (Route(2, 10), Route(1, 90))
    assert "expected 100" in run(f"alias set {alias} 1=90 2=11", fails=1)
    with pytest.raises(Conflict, match=r"version 2 of model 'tr-linear' has aliases: canary, live"):
        maas.versions.delete(LINEAR, 2)
    said = run(f"delete {LINEAR}@2 --force")
    assert said.startswith(f"{LINEAR}@2 is deleted, its share of canary, live goes to the others")
    assert maas.aliases.get(LINEAR, "canary").routes == (Route(1, 100),)
    assert maas.models.get(LINEAR).splits == {}
    maas.versions.restore(LINEAR, 2)
