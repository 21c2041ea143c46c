# Made from _async/tasks_api.py by client/generate_sync.py: change that file.
"""`maas.embed`, `maas.rerank` and `maas.classify`: what models with a task do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maas_client._sync.transport import Transport
from maas_client.calls import deadline_after
from maas_client.records.inference import ClassScore, Ranked

if TYPE_CHECKING:
    import numpy as np

    from maas_client.protocol.requests import Wanted
    from maas_client.task_inputs import Items


class Tasks:
    """Calls of models with a task. `timeout_seconds` bounds a call without a time limit of its own."""

    def __init__(self, transport: Transport, timeout_seconds: float | None) -> None:
        self._transport, self._timeout_seconds = transport, timeout_seconds

    def embed(
        self,
        model: str,
        items: "Items",
        version: str | int | None = None,
        *,
        dimensions: int | None = None,
        truncate: bool = False,
        prompt_name: str | None = None,
        variant: str | None = None,
        timeout_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "np.ndarray":
        """Vectors of texts or images, a row each: (items, dimensions), float32.

        `items` are texts (str), or image files as their path (Path) or content (bytes); long lists go in several calls.
        `dimensions` keeps the first ones of each vector, normalised anew if the model's are. Texts longer than the
        model takes are refused, unless `truncate`. `prompt_name` names one of the model's prompts: "query".
        `variant` and `headers` are as of `infer`. Raises InvalidRequest for a text that is too long, and for a model
        whose task is another.

        >>> maas.embed("sentences", ["The cat sat on the mat.", "It rains."]).shape
        (2, 3)
        """
        from maas_client._sync.tasks import embed

        parameters = {"dimensions": dimensions, "truncate": truncate or None, "prompt_name": prompt_name}
        return embed(
            self._transport, items, self._wanted(model, version, variant, parameters, timeout_seconds, headers)
        )

    def rerank(
        self,
        model: str,
        query: str,
        texts: Sequence[str],
        version: str | int | None = None,
        *,
        top_n: int | None = None,
        variant: str | None = None,
        timeout_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[Ranked]:
        """The texts, or the best `top_n` of them, by how well they answer `query`, the best first.

        Each score is between 0 and 1. A text too long for the model is cut. Raises InvalidRequest as `embed` does.

        >>> [found.text for found in maas.rerank("reranker", "cats", ["dogs bark", "cats purr"])]
        ['cats purr', 'dogs bark']
        """
        from maas_client._sync.tasks import rerank

        wanted = self._wanted(model, version, variant, {}, timeout_seconds, headers)
        return rerank(self._transport, query, texts, wanted, top_n)

    def classify(
        self,
        model: str,
        items: "Items",
        version: str | int | None = None,
        *,
        top: int | None = None,
        labels: Sequence[str] | None = None,
        multi_label: bool = False,
        truncate: bool = False,
        variant: str | None = None,
        timeout_seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> list[tuple[ClassScore, ...]]:
        """The classes of texts or images, `items` as of `embed`: for each all of them, or the `top` best, best first.

        A zero-shot classifier chooses among `labels`, for each by itself if `multi_label`. Raises InvalidRequest as
        `embed` does.

        >>> maas.classify("reviews", ["I liked it a lot"], top=1)[0]
        (ClassScore(label='positive', score=0.75),)
        """
        from maas_client._sync.tasks import classify

        parameters = {"truncate": truncate or None, "multi_label": multi_label or None}
        wanted = self._wanted(model, version, variant, parameters, timeout_seconds, headers)
        return classify(self._transport, items, wanted, top, labels)

    def _wanted(
        self,
        model: str,
        version: str | int | None,
        variant: str | None,
        parameters: Mapping[str, Any],
        timeout_seconds: float | None,
        headers: Mapping[str, str] | None,
    ) -> "Wanted":
        """With those parameters that are given."""
        from maas_client.protocol.requests import Wanted

        deadline = deadline_after(self._timeout_seconds if timeout_seconds is None else timeout_seconds)
        given = {name: value for name, value in parameters.items() if value is not None}
        return Wanted(model, version, deadline=deadline, variant=variant, parameters=given, headers=headers or {})
