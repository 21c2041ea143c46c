"""Exports from upload or inbox to READY with a task, and hostile ones contained in the inspection child."""

import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas import bootstrap
from maas.deployment import inbox_export
from maas.deployment.child import Limits
from maas.deployment.preparation import Job, inspect
from maas.errors import ModelRejected
from maas.records import MetadataTensor, ModelVersion, Status
from support.aws.engine import Cloud
from support.exports import small
from support.exports.small import Files, changed, text_export

EMBEDDINGS = text_export("embeddings")


def pushed(cloud: Cloud, files: Files, options: dict[str, Any] | None = None) -> ModelVersion:
    """Uploaded, committed and deployed."""
    cloud.create_model("m")
    return cloud.deploy("m", files, **options or {})


def infer(cloud: Cloud, parameters: dict[str, Any], *tensors: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"inputs": tensors, "parameters": parameters}).encode()
    return json.loads(bootstrap.dataplane(cloud.settings).infer("m", "1", body).body)  # type: ignore[no-any-return]


def texts(*values: str) -> dict[str, Any]:
    return {"name": "text", "datatype": "BYTES", "shape": [len(values)], "data": values}


def test_export_is_ready_with_its_task(cloud: Cloud) -> None:
    version = pushed(cloud, EMBEDDINGS.files)
    assert (version.status, version.status_reason) == (Status.READY, None)
    assert version.inputs == (MetadataTensor("text", "BYTES", (-1,)),)
    assert version.outputs == (MetadataTensor("embedding", "FP32", (-1, 32)),)
    assert version.task and version.task.name == "embeddings"
    assert [one.name for one in version.task.raw_outputs] == ["last_hidden_state"]
    assert version.profile and version.profile["shapes_from"] == "task"
    stored = bootstrap.registry(cloud.settings).versions.get("m", 1)[0]
    assert stored.task == version.task
    assert {file.name for file in stored.served_files} == {"model.onnx", "tokenizer.json"}


def test_served_through_its_task_or_raw(cloud: Cloud) -> None:
    pushed(cloud, EMBEDDINGS.files)
    (output,) = infer(cloud, {}, texts("a cat", "the dog of Berlin"))["outputs"]
    assert (output["name"], output["shape"]) == ("embedding", [2, 32])
    assert np.linalg.norm(output["data"][:32]) == pytest.approx(1, abs=1e-5)
    ids = {"name": "input_ids", "datatype": "INT64", "shape": [1, 3], "data": [2, 7, 3]}
    others = [ids | {"name": name, "data": [1, 1, 1]} for name in ("attention_mask", "token_type_ids")]
    (raw,) = infer(cloud, {"task": "raw"}, ids, *others)["outputs"]
    assert (raw["name"], raw["shape"]) == ("last_hidden_state", [1, 3, 32])


@pytest.mark.full
def test_task_none_of_the_push(cloud: Cloud) -> None:
    version = pushed(cloud, EMBEDDINGS.files, {"task": "none"})
    assert (version.status, version.task) == (Status.READY, None)
    assert version.inputs and {one.datatype for one in version.inputs} == {"INT64"}


@pytest.mark.full
def test_quantized_form_has_the_task(cloud: Cloud) -> None:
    wish = {"quantize": {"scheme": "dynamic-int8", "tolerance": 1.0}}
    version = pushed(cloud, EMBEDDINGS.files, wish)
    assert version.quantized and version.quantized.difference is not None, version.quantized
    assert 0 < version.quantized.difference < 0.3  # of vectors, not of states behind padding
    if version.quantized.files:
        (output,) = infer(cloud, {"variant": "dynamic-int8"}, texts("a cat"))["outputs"]
        assert output["shape"] == [1, 32]


@pytest.mark.full
def test_parts_that_do_not_fit_fail_with_the_reason(cloud: Cloud) -> None:
    version = pushed(cloud, changed(EMBEDDINGS, config=small.config_of(EMBEDDINGS, vocab_size=30522)))
    assert version.status is Status.FAILED and "they are of two models" in (version.status_reason or "")


def golden(**document: Any) -> Files:
    return EMBEDDINGS.files | {"golden/one.json": json.dumps(document).encode()}


@pytest.mark.full
def test_golden_vector_of_a_task(cloud: Cloud) -> None:
    tokenizer = EMBEDDINGS.tokenizer
    tokenizer.no_padding()
    mean = EMBEDDINGS.reference(tokenizer.encode("a cat").ids).mean(axis=0)
    wanted = (mean / np.linalg.norm(mean)).tolist()
    version = pushed(cloud, golden(input="a cat", embedding=wanted))
    assert version.profile and version.profile["golden_vectors"] == 1, version.status_reason


@pytest.mark.full
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"input": "a cat", "embedding": [0.5] * 32}, "one.json: output 'embedding' differs most at"),
        ({"input": "a cat", "embedding": [1, 2]}, "has the shape [1, 32], expected [1, 2]"),
        ({"input": "a cat"}, "one.json: it has none of the outputs ['embedding']"),
        ({"input": 7, "embedding": []}, "values that are not strings"),
        ({"input": "a cat", "embedding": "x"}, "'embedding' is no array of FP32"),
        ({"input": "cat " * 99, "embedding": []}, "expected at most 40 for this model"),
    ],
)
def test_golden_vector_that_differs(cloud: Cloud, document: dict[str, Any], reason: str) -> None:
    version = pushed(cloud, golden(**document))
    assert version.status is Status.FAILED and reason in (version.status_reason or "")


def drop(cloud: Cloud, key: str, content: bytes) -> ModelVersion | None:
    cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=f"inbox/{key}", Body=content)
    return bootstrap.inbox(cloud.settings).drop(f"inbox/{key}")


@pytest.mark.full
@pytest.mark.parametrize("model_name", ["model.onnx", "onnx/model.onnx"])
def test_folder_in_the_inbox_is_one_version(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, model_name: str) -> None:
    monkeypatch.setattr(inbox_export, "QUIET_SECONDS", 0.05)
    files = dict(EMBEDDINGS.files)
    files[model_name] = files.pop("model.onnx")
    for name, content in files.items():  # all are there before the events come, in any order and twice
        cloud.s3.put_object(Bucket=cloud.settings.bucket, Key=f"inbox/m/minilm/{name}", Body=content)
    events = [f"inbox/m/minilm/{name}" for name in (*sorted(files), *files)]
    found = [version for key in events if (version := bootstrap.inbox(cloud.settings).drop(key))]
    assert found and {version.number for version in found} == {1}
    assert {file.name for file in found[0].files} == set(EMBEDDINGS.files)
    version = bootstrap.deployment(cloud.settings).deploy("m", 1)
    assert version.task and version.task.name == "embeddings"


@pytest.mark.full
def test_inbox_waits_for_the_rest_of_a_folder(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_export, "QUIET_SECONDS", 0.05)
    names = ["config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json"]
    assert [drop(cloud, f"m/f/{name}", EMBEDDINGS.files[name]) for name in names] == [None] * 4
    version = drop(cloud, "m/f/model.onnx", EMBEDDINGS.files["model.onnx"])
    assert version and len(version.files) == 5


def _tokenizer(**changes: Any) -> bytes:
    return json.dumps(json.loads(small.tokenizer_json()) | changes).encode()


def _words(count: int) -> bytes:
    """A tokenizer with so many words: 17 bytes each."""
    model = json.loads(small.tokenizer_json())["model"]
    more = {f"w{index:07}": index for index in range(len(model["vocab"]), count)}
    return _tokenizer(model=model | {"vocab": model["vocab"] | more})


_DEEP = '{"type": "Sequence", "processors": ['
HOSTILE = {
    "no JSON": b"\x00\xff" * 1000,
    "processors of processors": _tokenizer(post_processor=0).replace(
        b'"post_processor": 0', f'"post_processor": {_DEEP * 100_000}'.encode()
    ),
    "endless nesting": b'{"post_processor": ' + b"[" * 200_000,
    "wrong ids": _tokenizer(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [4_000_000_000], "tokens": ["[CLS]"]}},
        }
    ),
    "negative type": _tokenizer(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 7}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {},
        }
    ),
    "text 100,000 times": _tokenizer(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}] * 100_000,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {},
        }
    ),
    "text twice": _tokenizer(
        post_processor={
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}] * 2,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {},
        }
    ),
    "letters of a megabyte": _tokenizer(
        normalizer={"type": "Replace", "pattern": {"Regex": "."}, "content": "a" * 1_000_000}
    ),
    "hungry pattern": _tokenizer(
        pre_tokenizer={
            "type": "Split",
            "pattern": {"Regex": "(([a-z ]+)+)+[^\\s\\S]"},
            "behavior": "Isolated",
            "invert": False,
        }
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.full(keep=1)
def test_hostile_tokenizer_fails_its_version_alone(cloud: Cloud, kind: str) -> None:
    version = pushed(cloud, changed(EMBEDDINGS, tokenizer=HOSTILE[kind]))
    assert version.status is Status.FAILED, kind
    assert version.status_reason and "internal error" not in version.status_reason


@pytest.mark.full
def test_huge_tokenizer_is_contained(cloud: Cloud, tmp_path: Path) -> None:
    """A million words, 17 MB: FAILED for what it is, or for the memory of its child; the parent never loads it."""
    files = changed(EMBEDDINGS, tokenizer=_words(1_000_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    version = pushed(cloud, files)
    assert version.status is Status.FAILED and "has 1,000,000 tokens" in (version.status_reason or "")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # KB: its bytes, not its words
    path = small.written(files, tmp_path)
    (tmp_path / "prepared").mkdir()
    job = Job(str(path), 1, 1 << 30, str(tmp_path / "prepared"))
    with pytest.raises(ModelRejected, match="memory"):
        inspect(job, Limits(150 << 20, 60))
