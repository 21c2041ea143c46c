"""Triton's classification extension: the k best classes instead of the scores.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.serving.datatypes import Array
from maas.serving.strings import array_of


def classified(name: str, datatype: str, scores: Array, count: int, labels: Sequence[str] | None) -> Array:
    """BYTES of shape [*batch, min(count, classes)]: `value:index[:label]` along the last axis, highest score first.

    Equal scores keep their order. As Triton does, writes floats with six decimals and integers with none.
    Raises InvalidRequest for an output without numeric scores.
    """
    if datatype in ("BYTES", "BOOL", "BF16") or scores.ndim == 0:
        came = f"{datatype} of shape {list(scores.shape)}"
        raise InvalidRequest(f"outputs: got classification of {came} ('{name}'), expected numbers", field="outputs")
    count = min(count, scores.shape[-1])
    rows = scores.reshape(-1, scores.shape[-1]) if scores.size else scores.reshape(0, 0)
    # Sort negated scores ascending: a stable order for ties, and NaN last. `~` negates integers without overflow.
    negated = ~rows if rows.dtype.kind in "iu" else -rows.astype(np.float64)
    order = np.argsort(negated, axis=-1, kind="stable")[:, :count]
    leaves = [_class(row[index], int(index), labels) for row, best in zip(rows, order, strict=True) for index in best]
    return array_of(leaves).reshape(*scores.shape[:-1], count)


def _class(value: Any, index: int, labels: Sequence[str] | None) -> str:
    text = f"{value:f}:{index}" if isinstance(value, np.floating) else f"{value}:{index}"
    return f"{text}:{labels[index]}" if labels and index < len(labels) and labels[index] else text
