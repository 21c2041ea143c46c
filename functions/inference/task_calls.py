"""The routes of tasks without a web framework: OpenAI's embeddings, Cohere's rerank, text-embeddings-inference.

Errors have the shape that the clients of each API read.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from maas.tasks.api import openai, reranking, tei
from maas.tasks.api.calls import Call as Call
from maas.tasks.api.errors import openai_error, openai_route_error, tei_error

ErrorShape = Callable[[int, Mapping[str, Any]], dict[str, Any]]
_EMBEDDINGS = "/v1/embeddings"
_OPENAI: Mapping[str, Callable[[Call], bytes]] = {
    _EMBEDDINGS: openai.embeddings,
    "/v1/rerank": partial(reranking.rerank, version="1"),
    "/v2/rerank": partial(reranking.rerank, version="2"),
}
_OF_TEI: Mapping[str, Callable[[Call], bytes]] = {
    "embed": tei.embed,
    "rerank": tei.rerank,
    "predict": tei.predict,
    "tokenize": tei.tokenize,
}


def is_openai(path: str) -> bool:
    """Whether clients of OpenAI and Cohere ask for such a path: of those under /v1, models are KServe's too."""
    return path in _OPENAI or (path.startswith("/v1/") and not f"{path}/".startswith("/v1/models/"))


def route_error(path: str, message: str) -> dict[str, Any]:
    """The error of a path or method that is not here."""
    return openai_route_error(message) if is_openai(path) else {"error": message}


class Route(NamedTuple):
    """`model` is that of the path, if the path has one."""

    respond: Callable[[Call], bytes]
    error: ErrorShape
    model: str | None = None


def find(path: str) -> Route:
    """The route of a POST with a path of these."""
    if path in _OPENAI:
        return Route(_OPENAI[path], partial(openai_error, texts="input" if path == _EMBEDDINGS else "documents"))
    _, _, model, what = path.split("/")
    return Route(_OF_TEI[what], tei_error, model)
