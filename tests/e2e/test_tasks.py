"""An export from its upload to answers, through every way in: OpenAI's route, `/v2`, V1, batch, later, the inbox."""

import io
import json
from hashlib import sha256
from typing import Any

import httpx
import numpy as np
import pytest
from arro3.core import Array, DataType, Table
from arro3.io import read_parquet, write_parquet

from support.exports import small
from support.exports.small import Files, text_export
from support.system import Bucket, wait_for_job

TEXTS = ["The cat sat on the mat.", "Paris is the capital of France.", "dog"]


def pushed(http: httpx.Client, model: str, files: Files, **options: Any) -> dict[str, Any]:
    """The version, READY."""
    http.post("/api/v1/models", json={"name": model}).raise_for_status()
    listed = [{"name": name, "size_bytes": len(c), "sha256": sha256(c).hexdigest()} for name, c in files.items()]
    created = http.post(f"/api/v1/models/{model}/versions", json={"files": listed} | options)
    assert created.status_code == 201, created.text
    for upload in created.json()["uploads"]:
        (part,) = upload["parts"]
        httpx.put(part["url"], content=files[upload["name"]], headers=part["headers"], timeout=60).raise_for_status()
    path = f"/api/v1/models/{model}/versions/1"
    http.post(f"{path}/complete").raise_for_status()
    while (version := http.get(path).json())["status"] in ("PENDING_UPLOAD", "VALIDATING"):
        pass
    assert version["status"] == "READY", version["status_reason"]
    return version  # type: ignore[no-any-return]


@pytest.fixture(scope="module", autouse=True)
def version(http: httpx.Client) -> dict[str, Any]:
    return pushed(http, "sentences", text_export("embeddings").files)


def vectors(http: httpx.Client) -> Any:
    answer = http.post("/v1/embeddings", json={"model": "sentences", "input": TEXTS})
    assert answer.status_code == 200, answer.text
    return np.array([one["embedding"] for one in answer.json()["data"]])


def test_version_shows_its_task(version: dict[str, Any]) -> None:
    assert version["task"]["name"] == "embeddings"
    assert version["task"]["origins"]["pooling"] == "1_Pooling/config.json"
    assert version["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]


def test_models_by_task(http: httpx.Client) -> None:
    def named(task: str) -> list[str]:
        listed = http.get("/api/v1/models", params={"task": task, "prefix": "sent"}).json()["models"]
        return [f"{model['name']}: {model['task']}" for model in listed]

    assert (named("embeddings"), named("none")) == (["sentences: embeddings"], [])
    refused = http.get("/api/v1/models", params={"task": "embedding"})
    assert (refused.status_code, refused.json()["field"]) == (400, "task")


def test_every_protocol_gives_the_same_vectors(http: httpx.Client) -> None:
    expected = vectors(http)
    tensor = {"name": "text", "datatype": "BYTES", "shape": [3], "data": TEXTS}
    oip = http.post("/v2/models/sentences/infer", json={"inputs": [tensor]}).json()
    v1 = http.post("/v1/models/sentences:predict", json={"instances": TEXTS}).json()
    tei = http.post("/models/sentences/embed", json={"inputs": TEXTS}).json()
    for came in (np.reshape(oip["outputs"][0]["data"], (3, 32)), v1["predictions"], tei):
        np.testing.assert_allclose(came, expected, atol=1e-6)


@pytest.mark.full
def test_later(http: httpx.Client) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [3], "data": TEXTS}
    answer = http.post("/v2/models/sentences/infer", json={"inputs": [tensor]}, headers={"prefer": "respond-async"})
    job = answer.json()["id"]
    assert wait_for_job(http, job)["status"] == "SUCCEEDED"
    (one,) = http.get(f"/api/v1/jobs/{job}/results").json()["results"]
    output = httpx.get(one["url"], timeout=60).json()["outputs"][0]
    np.testing.assert_allclose(np.reshape(output["data"], (3, 32)), vectors(http), atol=1e-6)


def test_batch_of_texts(http: httpx.Client, bucket: Bucket) -> None:
    lines = [json.dumps({"text": text}) for text in [*TEXTS, "cat " * 99]]
    records = job_of(http, bucket, "sentences", "texts.jsonl", "\n".join(lines), errors=1)
    np.testing.assert_allclose([one["embedding"] for one in records[:3]], vectors(http), atol=1e-6)
    assert "expected at most 40 for this model" in json.dumps(records[3])


def job_of(
    http: httpx.Client,
    bucket: Bucket,
    model: str,
    name: str,
    content: str | bytes,
    errors: int = 0,
    **options: Any,
) -> list[Any]:
    """The records that a job over this file writes; the parts of one in Parquet."""
    bucket.put(f"batch/data/{name}", content if isinstance(content, bytes) else content.encode())
    body = {"model": model, "input": f"s3://{bucket.name}/batch/data/{name}", "options": options}
    created = http.post("/api/v1/jobs", json=body)
    assert created.status_code == 201, created.text
    job = wait_for_job(http, created.json()["id"])
    assert (job["status"], job["progress"]["errors"]) == ("SUCCEEDED", errors), job["reason"]
    if name.endswith(".parquet"):
        return [bucket.get(key) for key in bucket.keys(job["output"]) if key.endswith(".parquet")]
    found = [line for part in parts(bucket, job) for line in part.splitlines()]
    return [json.loads(line) for line in found] if name.endswith(".jsonl") else found


@pytest.mark.full
def test_batch_of_a_csv_column(http: httpx.Client, bucket: Bucket) -> None:
    header, *rows = job_of(http, bucket, "sentences", "texts.csv", "text\n" + "\n".join(TEXTS))
    assert header.startswith("embedding")
    np.testing.assert_allclose([[*map(float, row.split(",")[:32])] for row in rows], vectors(http), atol=1e-6)


@pytest.mark.full
def test_batch_of_a_parquet_column(http: httpx.Client, bucket: Bucket) -> None:
    """In row groups of two: an empty text, a null and one that is too long among others."""
    texts: list[str | None] = [*TEXTS, "", "🙂 naïve", "cat " * 99, None, TEXTS[0]]
    content = io.BytesIO()
    write_parquet(Table.from_pydict({"text": Array(texts, DataType.string())}), content, max_row_group_size=2)
    written = job_of(http, bucket, "sentences", "texts.parquet", content.getvalue(), errors=2)
    rows = [row for part in written for row in read_parquet(part).read_all()["embedding"].to_pylist()]
    assert [index for index, row in enumerate(rows) if row is None] == [5, 6]
    np.testing.assert_allclose(rows[:3], vectors(http), atol=1e-6)
    np.testing.assert_allclose(rows[7], rows[0], atol=1e-6)


@pytest.mark.full
def test_batch_with_a_variant(http: httpx.Client, bucket: Bucket) -> None:
    form = {"scheme": "dynamic-int8", "tolerance": 1}
    version = pushed(http, "smaller", text_export("embeddings").files, quantize=form)
    assert version["quantized"]["kept"], version["quantized"]
    lines = "\n".join(json.dumps({"text": text}) for text in TEXTS)
    asked = {"model": "smaller", "input": TEXTS, "variant": "dynamic-int8"}
    expected = [one["embedding"] for one in http.post("/v1/embeddings", json=asked).json()["data"]]
    records = job_of(http, bucket, "smaller", "smaller.jsonl", lines, parameters={"variant": "dynamic-int8"})
    found = [one["embedding"] for one in records]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(np.subtract(found, vectors(http))).max() > 1e-4


@pytest.mark.full
def test_batch_with_a_variant_that_is_not_there(http: httpx.Client, bucket: Bucket) -> None:
    bucket.put("batch/data/one.jsonl", b'{"text": "a"}')
    body = {"model": "sentences", "input": f"s3://{bucket.name}/batch/data/one.jsonl"}
    created = http.post("/api/v1/jobs", json=body | {"options": {"parameters": {"variant": "dynamic-int8"}}})
    job = wait_for_job(http, created.json()["id"])
    assert job["status"] == "FAILED"
    assert "was pushed without --quantize" in job["reason"]


@pytest.mark.full
def test_batch_with_parameters_of_the_task(http: httpx.Client, bucket: Bucket) -> None:
    pushed(http, "topics", text_export("zero-shot-classification").files)
    lines = "\n".join(json.dumps({"text": text}) for text in TEXTS)
    labels = {"candidate_labels": ["animals", "cities"]}
    records = job_of(http, bucket, "topics", "topics.jsonl", lines, parameters=labels)
    assert [sorted(one["label"]) for one in records] == [["animals", "cities"]] * 3


@pytest.mark.full
def test_batch_of_images_in_the_bucket(http: httpx.Client, bucket: Bucket) -> None:
    pushed(http, "pictures", small.image_export())
    for colour in small.COLOURS:
        bucket.put(f"batch/data/{colour}.png", small.picture("lime" if colour == "green" else colour))
    names = [f"s3://{bucket.name}/batch/data/{colour}.png" for colour in (*small.COLOURS, "none")]
    names.append(f"s3://{bucket.name}/models/pictures/1/source/config.json")
    names.append(f"s3://{bucket.name}/batch/data/../../models/pictures/1/source/config.json")
    bucket.put("batch/data/huge.png", small.picture("red", size=(10_000, 5_001)))
    names.append(f"s3://{bucket.name}/batch/data/huge.png")
    lines = "\n".join(json.dumps({"image": name}) for name in names)
    records = job_of(http, bucket, "pictures", "images.jsonl", lines, errors=4)
    assert [one["label"] for one in records[:3]] == small.COLOURS
    assert "there is no object" in json.dumps(records[3]) and "KEY below batch/" in json.dumps(records[4])
    assert "there is no object" in json.dumps(records[5])
    assert "got 10000 × 5001 pixels, expected at most 50,000,000" in json.dumps(records[6], ensure_ascii=False)


def parts(bucket: Bucket, job: dict[str, Any]) -> list[str]:
    return [(bucket.get(key) or b"").decode() for key in bucket.keys(job["output"]) if "/part-" in key]


@pytest.mark.full
def test_folder_in_the_inbox(http: httpx.Client, bucket: Bucket) -> None:
    for name, content in sorted(small.image_export().items()):
        bucket.put(f"inbox/colours/export/{name}", content)
    bucket.wait_for("inbox/colours/export/model.onnx.result.json", lambda body: b"READY" in body)
    version = http.get("/api/v1/models/colours/versions/1").json()
    assert version["task"]["name"] == "image-classification"
    assert http.get("/api/v1/models/colours/versions/2").status_code == 404
