"""`POST /v2/rerank` and `/v1/rerank`, as the clients of Cohere and Jina send it: https://docs.cohere.com/reference/rerank."""

import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from maas.errors import InvalidRequest
from maas.serving.oip import kind_of
from maas.tasks.api.calls import Call, named, options, text
from maas.tasks.names import RERANK
from maas.tasks.options import Options
from maas.tasks.rerank import SCORE
from maas.tasks.steps import QUERY, TEXT, TOKENS

MOST = 1 << 31


def rerank(call: Call, version: str) -> bytes:
    """`version` is that of Cohere's API. Raises as `Call.version_for` and `Call.run` do."""
    document = call.document()
    model, query, documents = named(document), text(document, "query"), _documents(document)
    read = Options(document, "")
    top, returns = read.whole("top_n", len(documents), MOST), read.flag("return_documents")
    given = options(document, "max_tokens_per_doc", "raw_scores", "truncate", "variant")
    resolved = call.version_for(model, [RERANK])
    found = call.run(resolved, {QUERY: [query], TEXT: documents}, given, [SCORE]).outputs
    scores, tokens = found[SCORE], int(found[TOKENS].sum())
    results = [
        {"index": index, "relevance_score": scores[index]}
        | ({"document": {"text": documents[index]}} if returns else {})
        for index in best_first(scores)[:top]
    ]
    answer = {
        "id": uuid.uuid4().hex,
        "object": "list",
        "model": model,
        "results": results,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        "meta": {"api_version": {"version": version}, "billed_units": {"search_units": 1}},
    }
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def best_first(scores: Any) -> list[int]:
    """Places of the scores, the highest first; equal ones keep their order."""
    return np.argsort(-scores, kind="stable").tolist()  # type: ignore[no-any-return]


def _documents(document: Mapping[str, Any]) -> list[str]:
    """Texts, or objects that have one as `text`."""
    value = document.get("documents")
    if type(value) is not list or not value:
        came = "an empty array" if value == [] else kind_of(value)
        raise InvalidRequest(f"documents: got {came}, expected an array of texts", field="documents")
    found: list[Any] = [one.get("text") if isinstance(one, dict) else one for one in value]
    for index, one in enumerate(found):
        if type(one) is not str:
            came = "an object without text" if isinstance(value[index], dict) else kind_of(one)
            raise InvalidRequest(
                f"documents[{index}]: got {came}, expected text, or an object with a text", field="documents"
            )
    return found
