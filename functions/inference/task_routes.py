"""The routes of tasks, for the OpenAPI document: on Lambda app.py serves them, with errors in their clients' shapes."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from maas.web.application import Who
from plane import VERSIONED, Plane, sender_of
from task_calls import Call, find


class OpenAiErrorDetail(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAiError(BaseModel):
    """An error as OpenAI's clients read it."""

    error: OpenAiErrorDetail


class TeiError(BaseModel):
    """An error as text-embeddings-inference has it."""

    error: str
    error_type: str
    field: str | None = None


def _errors(shape: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    return VERSIONED | {"4XX": {"model": shape}, "5XX": {"model": shape}}


async def embeddings(plane: Plane, who: Who, request: Request) -> Response:
    """OpenAI's embeddings: `model` (also `name@alias`, `name@3`), `input`, `encoding_format`, `dimensions`, `user`.

    Beside them `truncate`, `prompt_name`, `normalize`, `token_ids`."""
    return await _answer(plane, who, request)


async def rerank_v1(plane: Plane, who: Who, request: Request) -> Response:
    """Cohere's and Jina's rerank: `model`, `query`, `documents`, `top_n`, `return_documents`, `max_tokens_per_doc`."""
    return await _answer(plane, who, request)


async def rerank_v2(plane: Plane, who: Who, request: Request) -> Response:
    """Cohere's rerank: `model`, `query`, `documents`, `top_n`, `max_tokens_per_doc`."""
    return await _answer(plane, who, request)


async def tei_embed(plane: Plane, who: Who, request: Request, model: str) -> Response:
    """`inputs`, `truncate`, `normalize`, `prompt_name`, `dimensions`: an array of vectors."""
    return await _answer(plane, who, request)


async def tei_rerank(plane: Plane, who: Who, request: Request, model: str) -> Response:
    """`query`, `texts`, `raw_scores`, `return_text`, `truncate`: places with scores, the best first."""
    return await _answer(plane, who, request)


async def tei_predict(plane: Plane, who: Who, request: Request, model: str) -> Response:
    """`inputs`, `raw_scores`, `truncate`: labels with scores, the best first."""
    return await _answer(plane, who, request)


async def tei_tokenize(plane: Plane, who: Who, request: Request, model: str) -> Response:
    """`inputs`, `add_special_tokens`: the tokens of each text."""
    return await _answer(plane, who, request)


routes = APIRouter()
for path, endpoint in (("/v1/embeddings", embeddings), ("/v1/rerank", rerank_v1), ("/v2/rerank", rerank_v2)):
    routes.add_api_route(path, endpoint, methods=["POST"], responses=_errors(OpenAiError))
for of_model in (tei_embed, tei_rerank, tei_predict, tei_tokenize):
    path = f"/models/{{model}}/{of_model.__name__.removeprefix('tei_')}"
    routes.add_api_route(path, of_model, methods=["POST"], responses=_errors(TeiError))


async def _answer(plane: Plane, who: Who, request: Request) -> Response:
    route = find(request.scope["path"])
    body = route.respond(Call(plane, await request.body(), sender_of(who, request), who.check_infer, route.model))
    return Response(body, media_type="application/json")
