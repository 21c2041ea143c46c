"""Texts on the routes of clients and through the protocols of all models: answers held against a reference."""

import base64
import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from support import wire
from support.exports import small
from support.exports.serving import ok, post
from support.exports.small import TextExport, text_export

EMBEDDINGS, RERANK, CLASSES = (text_export(task) for task in ("embeddings", "rerank", "text-classification"))
TEXTS = [
    "The cat sat on the mat.",
    "",
    "Paris",
    "Maria Schmidt of Deutsche Bank in Berlin asks the dog. " * 2,
    "東京 🙂 é",
]
EMBED, V2 = "/v1/embeddings", "/v2/rerank"


def ids(export: TextExport, *texts: str) -> tuple[list[int], list[int]]:
    """Token ids and types, by the tokenizer itself."""
    tokenizer = export.tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encoding = tokenizer.encode(*texts)
    return encoding.ids, encoding.type_ids


def vector(text: str) -> Any:
    """The normalised mean of the reference's states."""
    mean = EMBEDDINGS.reference(ids(EMBEDDINGS, text)[0]).mean(axis=0)
    return mean / np.linalg.norm(mean)


def logits(export: TextExport, *texts: str) -> Any:
    return export.reference(*ids(export, *texts))


def softmax(values: Any) -> Any:
    powers = np.exp(values - values.max())
    return powers / powers.sum()


def test_embeddings_equal_the_reference(app: ModuleType) -> None:
    answer = ok(app, EMBED, {"model": "embeddings", "input": TEXTS, "user": "me"})
    assert (answer["object"], answer["model"]) == ("list", "embeddings")
    assert [(one["object"], one["index"]) for one in answer["data"]] == [("embedding", i) for i in range(len(TEXTS))]
    expected = [vector(text) for text in TEXTS]
    np.testing.assert_allclose([one["embedding"] for one in answer["data"]], expected, atol=1e-5)
    tokens = sum(len(ids(EMBEDDINGS, text)[0]) for text in TEXTS)
    assert answer["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


@pytest.mark.parametrize("model", ["embeddings", "embeddings@prod", "embeddings@1"])
def test_embeddings_in_base64(app: ModuleType, model: str) -> None:
    answer = ok(app, EMBED, {"model": model, "input": TEXTS[0], "encoding_format": "base64"})
    came = np.frombuffer(base64.b64decode(answer["data"][0]["embedding"]), "<f4")
    np.testing.assert_allclose(came, vector(TEXTS[0]), atol=1e-5)
    assert answer["model"] == model


def test_dimensions_are_normalised_again(app: ModuleType) -> None:
    answer = ok(app, EMBED, {"model": "embeddings", "input": TEXTS[0], "dimensions": 4})
    expected = vector(TEXTS[0])[:4]
    np.testing.assert_allclose(answer["data"][0]["embedding"], expected / np.linalg.norm(expected), atol=1e-5)


def test_token_ids_only_by_opt_in(app: ModuleType) -> None:
    body = {"model": "embeddings", "input": [ids(EMBEDDINGS, text)[0] for text in TEXTS[:2]]}
    status, refused = post(app, EMBED, body)
    assert status == 400 and "check_embedding_ctx_length=False" in refused["error"]["message"]
    answer = ok(app, EMBED, body | {"token_ids": True})
    np.testing.assert_allclose(answer["data"][1]["embedding"], vector(TEXTS[1]), atol=1e-5)
    for wrong in ([10**6], [-1], [10**30], [1] * 99):
        assert post(app, EMBED, {"model": "embeddings", "input": wrong, "token_ids": True})[0] == 400


LONG = "the cat and the dog " * 30


def test_long_text_is_refused_or_cut(app: ModuleType) -> None:
    count = len(ids(EMBEDDINGS, LONG)[0])
    status, refused = post(app, EMBED, {"model": "embeddings", "input": ["a", LONG]})
    assert status == 400
    assert refused["error"]["message"].startswith(f"text 1: got {count} tokens, expected at most 40 for this model")
    answer = ok(app, EMBED, {"model": "embeddings", "input": LONG, "truncate": True})
    cut = [*ids(EMBEDDINGS, LONG)[0][:39], 3]
    mean = EMBEDDINGS.reference(cut).mean(axis=0)
    np.testing.assert_allclose(answer["data"][0]["embedding"], mean / np.linalg.norm(mean), atol=1e-5)
    assert answer["usage"]["total_tokens"] == 40


@pytest.mark.parametrize("path", ["/v1/rerank", V2])
def test_rerank_equals_the_reference(app: ModuleType, path: str) -> None:
    query = "Where is the cat?"
    body = {"model": "rerank", "query": query, "documents": TEXTS, "top_n": 3, "return_documents": True}
    answer = ok(app, path, body | {"max_tokens_per_doc": None})
    scores = [1 / (1 + np.exp(-float(logits(RERANK, query, text)[0]))) for text in TEXTS]
    order = sorted(range(len(TEXTS)), key=lambda index: -scores[index])[:3]
    assert [one["index"] for one in answer["results"]] == order
    assert [one["document"] for one in answer["results"]] == [{"text": TEXTS[index]} for index in order]
    np.testing.assert_allclose(
        [one["relevance_score"] for one in answer["results"]], [scores[i] for i in order], atol=1e-5
    )
    assert answer["meta"]["billed_units"] == {"search_units": 1}


def test_rerank_cuts_the_document_only(app: ModuleType) -> None:
    answer = ok(app, V2, {"model": "rerank", "query": "a cat", "documents": [{"text": LONG}]})
    first, second = (ids(RERANK, text)[0][1:-1] for text in ("a cat", LONG))
    kept = second[: 48 - 3 - len(first)]
    expected = RERANK.reference([2, *first, 3, *kept, 3], [0] * (len(first) + 2) + [1] * (len(kept) + 1))
    assert answer["results"][0]["relevance_score"] == pytest.approx(1 / (1 + np.exp(-float(expected[0]))), abs=1e-5)
    status, refused = post(app, V2, {"model": "rerank", "query": LONG, "documents": ["a"]})
    assert status == 400 and refused["error"]["message"].startswith(
        f"query 0: got {len(second)} tokens, expected at most 44"
    )


def test_routes_of_text_embeddings_inference(app: ModuleType) -> None:
    vectors = ok(app, "/models/embeddings/embed", {"inputs": TEXTS[:2]})
    np.testing.assert_allclose(vectors, [vector(text) for text in TEXTS[:2]], atol=1e-5)
    bare = ok(app, "/models/embeddings@prod/embed", {"inputs": TEXTS[0], "normalize": False})[0]
    assert np.linalg.norm(bare) > 1.1
    ranks = ok(
        app, "/models/rerank/rerank", {"query": "a cat", "texts": TEXTS[:2], "raw_scores": True, "return_text": True}
    )
    assert [one["text"] for one in ranks] == [TEXTS[one["index"]] for one in ranks]
    assert [one["score"] for one in ranks] == pytest.approx(
        sorted((float(logits(RERANK, "a cat", t)[0]) for t in TEXTS[:2]), reverse=True), abs=1e-4
    )
    tokens = ok(app, "/models/embeddings/tokenize", {"inputs": "the cat"})[0]
    assert [one["text"] for one in tokens] == ["[CLS]", "the", "cat", "[SEP]"]
    assert (tokens[0]["special"], tokens[2]) == (
        True,
        {"id": tokens[2]["id"], "text": "cat", "special": False, "start": 4, "stop": 7},
    )
    status, refused = post(app, "/models/embeddings/embed", {"inputs": 7})
    assert (status, refused["error_type"]) == (400, "Validation")


def test_text_classification(app: ModuleType) -> None:
    expected = softmax(logits(CLASSES, TEXTS[0]))
    labels = ["negative", "neutral", "positive"]
    best = ok(app, "/models/text-classification/predict", {"inputs": TEXTS[0]})
    assert [one["label"] for one in best] == [labels[index] for index in np.argsort(-expected)]
    assert [one["score"] for one in best] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)
    assert ok(app, "/models/text-classification/predict", {"inputs": [[TEXTS[0]], [TEXTS[2]]]})[0] == best
    rows = ok(app, "/v1/models/text-classification:predict", {"instances": TEXTS[:2]})["predictions"]
    assert rows[0]["label"] == best[0]["label"] and rows[0]["scores"] == pytest.approx(list(expected), abs=1e-5)


def infer(app: ModuleType, model: str, parameters: dict[str, Any], **texts: list[str]) -> dict[str, Any]:
    inputs = [{"name": name, "shape": [len(data)], "datatype": "BYTES", "data": data} for name, data in texts.items()]
    document = ok(app, f"/v2/models/{model}/infer", {"inputs": inputs, "parameters": parameters})
    return {one["name"]: np.array(one["data"], object).reshape(one["shape"]) for one in document["outputs"]}


def test_zero_shot_classification(app: ModuleType) -> None:
    export = text_export("zero-shot-classification")
    found = infer(app, "zero-shot-classification", {"candidate_labels": "cat, dog"}, text=TEXTS[:1])
    entail = {label: logits(export, TEXTS[0], f"This example is {label}.")[2] for label in ("cat", "dog")}
    expected = softmax(np.array(list(entail.values())))
    assert found["label"].tolist() == [sorted(entail, key=lambda one: -entail[one])]
    assert found["score"][0].tolist() == pytest.approx(sorted(expected, reverse=True), abs=1e-5)
    multi = infer(
        app, "zero-shot-classification", {"candidate_labels": ["cat", "dog"], "multi_label": True}, text=TEXTS[:1]
    )
    alone = [softmax(logits(export, TEXTS[0], f"This example is {label}.")[[0, 2]])[1] for label in ("cat", "dog")]
    assert multi["score"][0].tolist() == pytest.approx(sorted(alone, reverse=True), abs=1e-5)


def test_zero_shot_cuts_the_text_only(app: ModuleType) -> None:
    export = text_export("zero-shot-classification")
    parameters = {"candidate_labels": ["cat"], "truncate": True}
    found = infer(app, "zero-shot-classification", parameters, text=["a", LONG])
    text, hypothesis = (ids(export, one)[0][1:-1] for one in (LONG, "This example is cat."))
    kept = text[: 48 - 3 - len(hypothesis)]
    came = export.reference([2, *kept, 3, *hypothesis, 3], [0] * (len(kept) + 2) + [1] * (len(hypothesis) + 1))
    assert found["score"][1].tolist() == pytest.approx([softmax(came[[0, 2]])[1]], abs=1e-5)
    body = {"instances": ["a", LONG], "parameters": {"candidate_labels": ["cat"]}}
    status, refused = post(app, "/v1/models/zero-shot-classification:predict", body)
    assert status == 400 and refused["error"].startswith(f"text 1: got {len(text)} tokens")


@pytest.mark.parametrize("strategy", ["simple", "none", "first", "average", "max"])
def test_token_classification(app: ModuleType, strategy: str) -> None:
    export, text = text_export("token-classification"), TEXTS[3].strip()
    found = infer(app, "token-classification", {"aggregation_strategy": strategy}, text=[text, "Paris"])
    spans = json.loads(found["entities"][0])
    assert spans and all(text[one["start"] : one["end"]] == one["word"] for one in spans)
    if strategy == "none":
        scores = np.array([softmax(row) for row in logits(export, text)])
        best = [int(row.argmax()) for row in scores]
        marked = [i for i, label in enumerate(best) if label and 0 < i < len(best) - 1]
        assert [one["index"] for one in spans] == marked
        assert [one["entity"] for one in spans] == [small.ENTITIES[best[i]] for i in marked]
        assert [one["score"] for one in spans] == pytest.approx([scores[i].max() for i in marked], abs=1e-5)
    else:
        assert {one["entity_group"] for one in spans} <= {"PER", "LOC"}
        assert [one["start"] for one in spans] == sorted(one["start"] for one in spans)


def test_fill_mask(app: ModuleType) -> None:
    export, text = text_export("fill-mask"), "Paris is the [MASK] of France."
    found = infer(app, "fill-mask", {"top_k": 3}, text=[text])
    came = ids(export, text)[0]
    scores = softmax(logits(export, text)[came.index(4)])
    best = np.argsort(-scores)[:3]
    assert found["score"][0].tolist() == pytest.approx(scores[best].tolist(), abs=1e-5)
    assert found["token"].shape == found["sequence"].shape == (1, 3)
    status, refused = post(app, "/v1/models/fill-mask:predict", {"instances": ["no mask"]})
    assert status == 400 and "got 0 times [MASK], expected exactly one" in refused["error"]


def test_model_as_openai_shows_it(app: ModuleType) -> None:
    answer = app.lambda_handler(wire.event("/v1/models/embeddings@prod", b"", method="GET"), wire.CONTEXT)
    shown = json.loads(answer["body"])
    assert {name: shown[name] for name in ("id", "object", "owned_by", "created")} == {
        "id": "embeddings@prod",
        "object": "model",
        "owned_by": "maas",
        "created": 1767323045,
    }


def test_metadata_has_the_signature_of_the_task(app: ModuleType) -> None:
    answer = app.lambda_handler(wire.event("/v2/models/rerank", b"", method="GET"), wire.CONTEXT)
    assert json.loads(answer["body"])["inputs"] == [
        {"name": "query", "datatype": "BYTES", "shape": [-1]},
        {"name": "text", "datatype": "BYTES", "shape": [-1]},
    ]
