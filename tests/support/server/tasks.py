"""Models with a task, of scores that a reader can check by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np

LABELS = ("negative", "positive")
Outputs = dict[str, tuple[str, np.ndarray]]
Compute = Callable[[dict[str, list[str]], dict[str, Any], int | None], Outputs]


def _embed(inputs: dict[str, list[str]], parameters: dict[str, Any], classes: int | None) -> Outputs:
    """The text's characters, its words, and 1."""
    vectors = [[len(text), len(text.split()), 1] for text in inputs.get("text") or inputs["image"]]
    return {"embedding": ("FP32", np.array(vectors, np.float32)[:, : parameters.get("dimensions")])}


def _rerank(inputs: dict[str, list[str]], parameters: dict[str, Any], classes: int | None) -> Outputs:
    """The share of the query's words that the text has."""
    words = {*inputs["query"][0].split()}
    scores = [len(words & {*text.split()}) / len(words) for text in inputs["text"]]
    return {"score": ("FP32", np.array(scores, np.float32))}


def _classify(inputs: dict[str, list[str]], parameters: dict[str, Any], classes: int | None) -> Outputs:
    """A text of even length is positive."""
    positive = [0.25 if len(text) % 2 else 0.75 for text in inputs.get("text") or inputs["image"]]
    scores = np.array([[1 - one, one] for one in positive], np.float32)
    best = scores.argmax(axis=1)
    found = {"label": ("BYTES", _bytes([LABELS[one] for one in best])), "score": ("FP32", scores.max(axis=1))}
    if classes is None:
        return found | {"scores": ("FP32", scores)}
    rows = [np.argsort(-row, kind="stable")[:classes] for row in scores]
    said = [f"{row[at]:f}:{at}:{LABELS[at]}" for row, order in zip(scores, rows, strict=True) for at in order]
    return found | {"scores": ("BYTES", _bytes(said).reshape(len(scores), -1))}


def _choose(inputs: dict[str, list[str]], parameters: dict[str, Any], classes: int | None) -> Outputs:
    """The longest label comes first."""
    labels = sorted(parameters["candidate_labels"], key=len, reverse=True)
    scores = np.array([[len(one) for one in labels]] * len(inputs["text"]), np.float32)
    names = _bytes(labels * len(inputs["text"])).reshape(scores.shape)
    return {"label": ("BYTES", names), "score": ("FP32", scores / scores.sum(axis=1, keepdims=True))}


def _bytes(texts: list[str]) -> np.ndarray:
    array = np.empty(len(texts), object)
    array[:] = [text.encode() for text in texts]
    return array


def _tensor(name: str, *shape: int, datatype: str = "BYTES") -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def _version(task: str, inputs: str, *outputs: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    raw = [_tensor("input_ids", -1, -1, datatype="INT64")]
    of = {"parameters": parameters, "origins": {"task": "config.json architectures"}}
    said = {"name": task, **of, "raw_inputs": raw, "raw_outputs": [_tensor("logits", -1, 2, datatype="FP32")]}
    return {"inputs": [_tensor(name, -1) for name in inputs.split()], "outputs": [*outputs], "task": said}


_SCORE, _LABEL = _tensor("score", -1, datatype="FP32"), _tensor("label", -1)
_CLASSES = (_LABEL, _SCORE, _tensor("scores", -1, 2, datatype="FP32"))
_CHOICE = (_tensor("label", -1, -1), _tensor("score", -1, -1, datatype="FP32"))
TASKS = {
    "sentences": _version("embeddings", "text", _tensor("embedding", -1, 3, datatype="FP32"), pooling=["mean_tokens"]),
    "reranker": _version("rerank", "query text", _SCORE, max_length=512),
    "reviews": _version("text-classification", "text", *_CLASSES, labels=[*LABELS]),
    "pictures": _version("image-classification", "image", *_CLASSES, labels=[*LABELS]),
    "topics": _version("zero-shot-classification", "text", *_CHOICE),
}
_COMPUTE: dict[str, Compute] = {
    "sentences": _embed,
    "reranker": _rerank,
    "reviews": _classify,
    "pictures": _classify,
    "topics": _choose,
}


def task_outputs(name: str, request: dict[str, Any], arrays: list[np.ndarray]) -> Outputs:
    texts = {
        tensor["name"]: [one.decode("utf-8", "replace") for one in array.tolist()]
        for tensor, array in zip(request["inputs"], arrays, strict=True)
    }
    asked = [one.get("parameters", {}).get("classification") for one in request.get("outputs", [])]
    return _COMPUTE[name](texts, request.get("parameters", {}), next(filter(None, asked), None))
