"""Task `embeddings`: one vector for each text."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maas.errors import InvalidRequest
from maas.records import MetadataTensor
from maas.serving.datatypes import Array
from maas.tasks.numbers import normalized, pooled
from maas.tasks.options import Options
from maas.tasks.steps import TEXT, TEXT_INPUT, TOKENS, Arrays, column
from maas.tasks.text_graph import Call, TextGraph, Tokens
from maas.tasks.texts import Texts

EMBEDDING = "embedding"


class Embeddings:
    """`pooling` of the parameters is a list of modes; an empty one takes the graph's own vectors."""

    inputs = (TEXT_INPUT,)
    labels = None

    def __init__(self, texts: Texts, graph: TextGraph, parameters: Mapping[str, Any]) -> None:
        self.texts, self._graph = texts, graph
        self._pooling: list[str] = parameters["pooling"]
        self._normalize: bool = parameters["normalize"]
        self._prompts: Mapping[str, str] = parameters.get("prompts") or {}
        self._default_prompt: str = parameters.get("default_prompt") or ""
        self.width: int = parameters["dimensions"]
        self.outputs = (MetadataTensor(EMBEDDING, "FP32", (-1, self.width)),)

    def run(self, inputs: Arrays, options: Options, call: Call) -> dict[str, Array]:
        width = options.whole("dimensions", None, self.width)
        truncate, prompt = options.flag("truncate"), self._prompt(options)
        values = column(inputs, TEXT)
        encodings: Sequence[Tokens] = (
            self.texts.of_ids(values)
            if options.flag("token_ids")
            else self.texts.encode(values, truncate=truncate, prompt=prompt)
        )
        found = np.empty((len(encodings), self.width), np.float32)
        for group in self._graph.groups(encodings, call):
            found[group.places] = pooled(group.output, group.mask, self._pooling) if self._pooling else group.output
        if width is not None:
            found = found[:, :width]
        if options.flag("normalize", self._normalize):
            found = normalized(found)
        return {EMBEDDING: found, TOKENS: np.array([len(one) for one in encodings], np.int64)}

    def _prompt(self, options: Options) -> str:
        name = options.text("prompt_name", self._default_prompt)
        if name and name not in self._prompts:
            expected = f"one of {sorted(self._prompts)}" if self._prompts else "none: the model has no prompts"
            raise InvalidRequest(f"prompt_name: got {name!r:.80}, expected {expected}", field="prompt_name")
        return self._prompts.get(name, "")
