"""Routes of text-embeddings-inference under `/models/{model}`: https://huggingface.github.io/text-embeddings-inference."""

from collections.abc import Mapping
from typing import Any

import orjson

from maas.errors import InvalidRequest
from maas.tasks.api.calls import Call, options, text, texts
from maas.tasks.api.reranking import best_first
from maas.tasks.class_scores import SCORES
from maas.tasks.embeddings import EMBEDDING
from maas.tasks.names import RERANK, TEXT_CLASSIFICATION, TEXT_EMBEDDINGS
from maas.tasks.options import Options
from maas.tasks.rerank import SCORE
from maas.tasks.steps import QUERY, TEXT


def embed(call: Call) -> bytes:
    """An array of vectors."""
    document = call.document()
    given = options(document, "truncate", "normalize", "prompt_name", "dimensions", "variant")
    passages, resolved = texts(document, "inputs"), call.version_for(_model(call), [TEXT_EMBEDDINGS])
    return _dumped(call.run(resolved, {TEXT: passages}, given, [EMBEDDING]).outputs[EMBEDDING])


def rerank(call: Call) -> bytes:
    """`[{index, score, text?}]`, the best first."""
    document = call.document()
    query, passages = text(document, "query"), texts(document, "texts")
    returns = Options(document, "").flag("return_text")
    given = options(document, "truncate", "raw_scores", "variant")
    resolved = call.version_for(_model(call), [RERANK])
    scores = call.run(resolved, {QUERY: [query], TEXT: passages}, given, [SCORE]).outputs[SCORE]
    ranks = best_first(scores)
    return _dumped(
        [{"index": one, "score": scores[one]} | ({"text": passages[one]} if returns else {}) for one in ranks]
    )


def predict(call: Call) -> bytes:
    """`[{score, label}]` for one text, the best first; an array of those for `[["a"], ["b"]]`."""
    document = call.document()
    passages, is_batch = _passages(document)
    given = options(document, "truncate", "raw_scores", "variant")
    resolved = call.version_for(_model(call), [TEXT_CLASSIFICATION])
    found = call.run(resolved, {TEXT: passages}, given, [SCORES])
    labels = found.runner.labels or ()
    rows = [
        [{"score": scores[index], "label": labels[index]} for index in best_first(scores)]
        for scores in found.outputs[SCORES]
    ]
    return _dumped(rows if is_batch else rows[0])


def tokenize(call: Call) -> bytes:
    """The tokens of each text: `{id, text, special, start, stop}`."""
    document = call.document()
    special = Options(document, "").flag("add_special_tokens", True)
    runner = call.runner(_model(call))
    assert runner.steps.texts
    passages = texts(document, "inputs")
    runner.limits.check_texts(passages)
    return _dumped(runner.steps.texts.tokens(passages, special))


def _passages(document: Mapping[str, Any]) -> tuple[list[str], bool]:
    value = document.get("inputs")
    if isinstance(value, list) and value and all(isinstance(one, list) and len(one) == 1 for one in value):
        return texts({"inputs": [one[0] for one in value]}, "inputs"), True
    passages = texts(document, "inputs")
    if len(passages) > 1:  # text-embeddings-inference takes two texts for a pair
        expected = 'one text, or several as [["a"], ["b"]]'
        raise InvalidRequest(f"inputs: got {len(passages)} texts in one array, expected {expected}", field="inputs")
    return passages, False


def _model(call: Call) -> str:
    assert call.model is not None
    return call.model


def _dumped(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
