"""Pooling, normalisation and activations. Rows are on the first axis, results are float32."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from maas.serving.datatypes import Array

SMALLEST = 1e-12


def pooled(hidden: Array, mask: Array, modes: Sequence[str]) -> Array:
    """(texts, tokens, width) → (texts, width × modes): one vector for each text."""
    parts = [_POOLINGS[mode](hidden, mask) for mode in modes]
    return (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)).astype(np.float32, copy=False)


def normalized(rows: Array) -> Array:
    """Each row divided by its length."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, np.newaxis]
    return rows / np.maximum(lengths, SMALLEST)  # type: ignore[no-any-return]


def softmax(rows: Array) -> Array:
    """Over the last axis."""
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]


def sigmoid(values: Array) -> Array:
    return 0.5 * (np.tanh(0.5 * values) + 1)


def _mean(hidden: Array, mask: Array) -> Array:
    return _sum(hidden, mask) / _counts(mask)


def _mean_sqrt(hidden: Array, mask: Array) -> Array:
    return _sum(hidden, mask) / np.sqrt(_counts(mask))


def _weighted_mean(hidden: Array, mask: Array) -> Array:
    weights = mask * np.arange(1, mask.shape[1] + 1)
    return _sum(hidden, weights) / _counts(weights)


def _sum(hidden: Array, weights: Array) -> Array:
    return np.matmul(weights[:, np.newaxis].astype(hidden.dtype), hidden)[:, 0]  # type: ignore[no-any-return]


def _counts(weights: Array) -> Array:
    return np.maximum(weights.sum(axis=1, keepdims=True), 1).astype(np.float32)  # type: ignore[no-any-return]


def _first(hidden: Array, mask: Array) -> Array:
    return hidden[:, 0]


def _last(hidden: Array, mask: Array) -> Array:
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    return hidden[np.arange(len(hidden)), last]  # type: ignore[no-any-return]


def _max(hidden: Array, mask: Array) -> Array:
    return np.where(mask[:, :, np.newaxis] > 0, hidden, -np.inf).max(axis=1)  # type: ignore[no-any-return]


# By the name of sentence-transformers' `pooling_mode_NAME`.
_POOLINGS: Mapping[str, Callable[[Array, Array], Array]] = {
    "cls_token": _first,
    "max_tokens": _max,
    "mean_tokens": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean_tokens": _weighted_mean,
    "lasttoken": _last,
}
POOLINGS = tuple(_POOLINGS)
