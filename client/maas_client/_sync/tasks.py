# Made from _async/tasks.py by client/generate_sync.py: change that file.
"""Calls of versions with a task: vectors, rankings and classes."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from maas_client._sync.backend import in_thread
from maas_client._sync.inference import infer
from maas_client._sync.transport import Transport
from maas_client.arguments import count as count_of
from maas_client.arguments import text as text_of
from maas_client.arguments import texts as texts_of
from maas_client.errors import InvalidRequest, InvalidResponse
from maas_client.protocol.requests import Wanted
from maas_client.records.inference import ClassScore, Ranked
from maas_client.task_inputs import (
    QUERY,
    TEXT,
    Item,
    Items,
    are_images,
    array_of,
    calls_of,
    is_file_as_text,
    listed_items,
)

ALL_CLASSES = 1_000_000


def embed(transport: Transport, items: Items, wanted: Wanted) -> np.ndarray:
    given = listed_items(items)
    task = "image-embeddings" if are_images(given) else "embeddings"
    (vectors,) = _each(transport, given, replace(wanted, outputs=["embedding"]), task)
    return vectors


def rerank(transport: Transport, query: str, texts: Sequence[str], wanted: Wanted, top_n: int | None) -> list[Ranked]:
    given = texts_of("texts", texts)
    inputs = {QUERY: array_of([text_of("query", query)]), TEXT: array_of(given)}
    answer = infer(transport, inputs, replace(_of(wanted, "rerank"), outputs=["score"]), {})
    scores = answer.outputs.get("score")
    if scores is None or scores.shape != (len(given),):
        raise InvalidResponse(f"the answer has no score for each of {len(given)} texts")
    order = np.argsort(-scores, kind="stable")[: _checked("top_n", top_n)]
    return [Ranked(index, float(scores[index]), given[index]) for index in order.tolist()]


def classify(
    transport: Transport, items: Items, wanted: Wanted, top: int | None, labels: Sequence[str] | None
) -> list[tuple[ClassScore, ...]]:
    top, given = _checked("top", top), listed_items(items)
    if labels is None:
        wanted = replace(wanted, outputs=["scores"], classes=ALL_CLASSES if top is None else top)
        task = "image-classification" if are_images(given) else "text-classification"
        (classes,) = _each(transport, given, wanted, task)
        return [tuple(map(_class_score, row)) for row in classes.tolist()]
    parameters = {**wanted.parameters, "candidate_labels": texts_of("labels", labels)}
    wanted = replace(wanted, outputs=["label", "score"], parameters=parameters)
    names, scores = _each(transport, given, wanted, "zero-shot-classification")
    pairs = zip(names[:, :top].tolist(), scores[:, :top].tolist(), strict=True)
    return [tuple(map(ClassScore, *row)) for row in pairs]


def _each(transport: Transport, items: Sequence[Item], wanted: Wanted, task: str) -> list[np.ndarray]:
    """The wanted outputs, those of all calls joined: an alias that moves meanwhile has no effect."""
    parts = []
    calls, wanted = calls_of(items), _of(wanted, task)
    while (inputs := in_thread(next, calls, None)) is not None:
        try:
            answer = infer(transport, inputs, wanted, {})
        except InvalidRequest as error:
            if error.field != "parameters.task" or not is_file_as_text(items[0]):
                raise
            message = f"{error.message}; {items[0]!r:.80} was sent as a text, an image is a Path or bytes"
            raise InvalidRequest(error.status, message, error.field) from None
        parts.append(answer.outputs)
        wanted = replace(wanted, version=answer.model_version)
    names = wanted.outputs or ()
    missing = [name for name in names for part in parts if name not in part or part[name].ndim == 0]
    if missing:
        raise InvalidResponse(f"the answer has no rows of output '{missing[0]}'")
    return [np.concatenate([part[name] for part in parts]) for name in names]


def _of(wanted: Wanted, task: str) -> Wanted:
    """With the task's name, so that a server refuses another one by name."""
    return replace(wanted, parameters={"task": task, **wanted.parameters})


def _checked(name: str, count: int | None) -> int | None:
    return None if count is None else count_of(name, count)


def _class_score(said: Any) -> ClassScore:
    """From `score:index:label`; a class without a label has its index."""
    score, _, rest = str(said).partition(":")
    index, _, label = rest.partition(":")
    try:
        return ClassScore(label or index, float(score))
    except ValueError:
        raise InvalidResponse(f"the answer has the class {said!r:.80}, expected SCORE:INDEX:LABEL") from None
