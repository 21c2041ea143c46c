"""What the routes of tasks refuse: by name, with a status below 500, whatever comes."""

import base64
import json
from types import ModuleType
from typing import Any

import pytest

from support import wire
from support.exports import small
from support.exports.serving import post

EMBED, V2 = "/v1/embeddings", "/v2/rerank"


def test_bad_images(app: ModuleType) -> None:
    whole = small.picture("red", "JPEG", (64, 64))
    for content, status in (
        (b"", 400),
        (b"GIF89a", 400),
        (whole[: len(whole) // 2], 400),
        (small.picture("red", "PNG", (200, 200)), 413),
    ):
        body = {"instances": [{"b64": base64.b64encode(content).decode()}]}
        came, refused = post(app, "/v1/models/colours:predict", body)
        assert came == status and "image 0: got" in refused["error"], (content[:9], refused)
        assert "object at" not in refused["error"]
    came, refused = post(app, EMBED, {"model": "vectors", "input": "https://example.com/cat.png"})
    assert came == 400 and "no other URL is fetched" in refused["error"]["message"]


@pytest.mark.parametrize(
    ("path", "fields", "status", "param"),
    [
        (EMBED, {"model": None}, 400, "model"),
        (EMBED, {"model": 7}, 400, "model"),
        (EMBED, {"model": "none"}, 404, None),
        (EMBED, {"model": "embeddings@"}, 400, "model"),
        (EMBED, {"model": "rerank"}, 400, "model"),
        (EMBED, {"input": None}, 400, "input"),
        (EMBED, {"input": []}, 400, "input"),
        (EMBED, {"input": ["a", 7]}, 400, "input"),
        (EMBED, {"input": {"a": 1}}, 400, "input"),
        (EMBED, {"input": ["a"] * 65}, 413, "input"),
        (EMBED, {"input": "a" * 20_001}, 413, "input"),
        (EMBED, {"input": ["the cat and the dog"] * 60, "truncate": True}, 200, None),
        (EMBED, {"input": ["the cat and the dog sat on the mat."] * 60}, 413, "input"),
        (EMBED, {"encoding_format": "int8"}, 400, "encoding_format"),
        (EMBED, {"dimensions": 0}, 400, "dimensions"),
        (EMBED, {"dimensions": 33}, 400, "dimensions"),
        (EMBED, {"user": 7}, 400, "user"),
        (EMBED, {"prompt_name": "query"}, 400, "prompt_name"),
        (V2, {"query": ""}, 400, "query"),
        (V2, {"documents": []}, 400, "documents"),
        (V2, {"documents": ["a", {"b": 1}]}, 400, "documents"),
        (V2, {"top_n": 0}, 400, "top_n"),
        (V2, {"return_documents": 1}, 400, "return_documents"),
    ],
)
def test_wrong_fields(app: ModuleType, path: str, fields: dict[str, Any], status: int, param: str | None) -> None:
    good = (
        {"model": "embeddings", "input": "a"}
        if path == EMBED
        else {"model": "rerank", "query": "a", "documents": ["b"]}
    )
    came, document = post(app, path, good | fields)
    assert came == status, document
    if status != 200:
        assert set(document["error"]) == {"message", "type", "param", "code"}
        assert document["error"]["param"] == param
        assert "parameters." not in document["error"]["message"]


def test_body_that_is_no_object(app: ModuleType) -> None:
    for body in (b"", b"[]", b"{", b'{"model": "embeddings", "input": "\\ud800"}'):
        assert post(app, EMBED, body)[0] == 400


def test_missing_value_is_no_text(app: ModuleType) -> None:
    """NaN, as Python writes that of pandas, is a word where tensors are expected, and would be embedded as a text."""
    for route, body in (
        (EMBED, b'{"model": "embeddings", "input": ["a", NaN]}'),
        (V2, b'{"model": "rerank", "query": "a", "documents": ["b", NaN]}'),
        ("/models/embeddings/embed", b'{"inputs": NaN}'),
    ):
        assert post(app, route, body)[0] == 400
    assert post(app, EMBED, b'\xef\xbb\xbf{"model": "embeddings", "input": "NaN"}')[0] == 200


@pytest.mark.parametrize(
    "url", ["data:image/png;base64", "data:image/png;base64,####", "data:image/png,a", "data:,", "a"]
)
def test_broken_data_url(app: ModuleType, url: str) -> None:
    status, refused = post(app, EMBED, {"model": "vectors", "input": ["data:image/png;base64,AA==", url]})
    assert (status, refused["error"]["param"]) == (400, "input")
    assert refused["error"]["message"].startswith("input[1]: got") and "data:" in refused["error"]["message"]


def test_infer_scope_of_another_model_is_refused(app: ModuleType) -> None:
    event = wire.event(EMBED, b'{"model": "embeddings", "input": "a"}')
    event["requestContext"]["authorizer"]["lambda"]["scopes"] = "infer:rerank"
    answer = app.lambda_handler(event, wire.CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["type"]) == (403, "permission_error")
    event["requestContext"]["authorizer"]["lambda"]["scopes"] = "infer:embeddings"
    assert app.lambda_handler(event, wire.CONTEXT)["statusCode"] == 200


ODD = [
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    2**70,
    "",
    "a",
    "\x00",
    "é" * 50,
    [],
    [[]],
    [1],
    [[1, 2]],
    {},
    {"a": 1},
    ["a", None],
    "data:,x",
    "s3://a/b",
]
BODIES: dict[str, dict[str, Any]] = {
    EMBED: {"model": "embeddings", "input": ["a", "b"], "encoding_format": "float", "dimensions": 3, "user": "u"},
    "/v1/embeddings?vectors": {"model": "vectors", "input": "data:image/png;base64,AAAA"},
    V2: {"model": "rerank", "query": "a", "documents": ["b", {"text": "c"}], "top_n": 1, "max_tokens_per_doc": 2},
    "/models/embeddings/embed": {"inputs": ["a"], "truncate": True, "normalize": False, "prompt_name": None},
    "/models/rerank/rerank": {"query": "a", "texts": ["b"], "raw_scores": True, "return_text": True},
    "/models/text-classification/predict": {"inputs": [["a"]], "raw_scores": False},
    "/models/embeddings/tokenize": {"inputs": "a", "add_special_tokens": False},
    "/v1/models/zero-shot-classification:predict": {"instances": ["a"], "parameters": {"candidate_labels": "a,b"}},
    "/v1/models/token-classification:predict": {"instances": ["a"], "parameters": {"aggregation_strategy": "max"}},
    "/v1/models/fill-mask:predict": {"instances": ["a [MASK]"], "parameters": {"top_k": 2}},
    "/v1/models/colours:predict": {"instances": [{"b64": "AAAA"}], "parameters": {"raw_scores": True}},
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.full(keep=1)
def test_odd_values_are_never_our_fault(app: ModuleType, path: str) -> None:
    body = BODIES[path]
    options = [
        "truncate",
        "normalize",
        "token_ids",
        "prompt_name",
        "task",
        "raw_scores",
        "parameters",
        "hypothesis_template",
    ]
    for field in (*body, *options):
        for value in ODD:
            for changed in (body | {field: value}, body | {"parameters": {field: value}}):
                status, document = post(app, path, changed)
                assert status < 500, (changed, document)
    inner = next(key for key, value in body.items() if isinstance(value, list | str) and key != "model")
    for value in ODD:
        for nested in ([value], [[value]], {"text": value}, {"b64": value}):
            status, document = post(app, path, body | {inner: nested})
            assert status < 500, (nested, document)


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("POST", "/v1/chat/completions", "there is no route /v1/chat/completions"),
        ("GET", "/v1/files", "there is no route /v1/files"),
        ("GET", EMBED, "GET is not possible here, only POST"),
        ("GET", V2, "GET is not possible here, only POST"),
    ],
)
def test_what_is_not_here_has_the_shape_of_openai(app: ModuleType, method: str, path: str, said: str) -> None:
    """Its client shows no other message; a model is not what is missing."""
    answer = app.lambda_handler(wire.event(path, b"{}", method=method), wire.CONTEXT)
    error = {"message": said, "type": "invalid_request_error", "param": None, "code": None}
    assert json.loads(answer["body"]) == {"error": error}


@pytest.mark.parametrize("path", ["/v1/models/m/metadata", "/v1/models/m:train", "/v2/models/m/nothing", "/models/m/x"])
def test_what_is_not_here_for_other_clients_is_text(app: ModuleType, path: str) -> None:
    answer = app.lambda_handler(wire.event(path, b"{}"), wire.CONTEXT)
    assert answer["statusCode"] in (404, 405) and isinstance(json.loads(answer["body"])["error"], str)
