"""Runs a graph on tokenised texts: in groups of similar length, since padding costs as much as text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from maas.records import MetadataTensor
from maas.serving.datatypes import DTYPES, Array

Call = Callable[[Mapping[str, Array], Sequence[str]], list[Array]]  # of the graph: the named outputs of these inputs

IDS, MASK, TYPES, POSITIONS = "input_ids", "attention_mask", "token_type_ids", "position_ids"
KNOWN_INPUTS = (IDS, MASK, TYPES, POSITIONS)
MAX_ROWS, MAX_GROUP_TOKENS = 64, 4096
RUN_TOKENS = 32  # one more run costs about as much as so many tokens of padding


class Tokens(Protocol):
    """An encoding of `tokenizers`."""

    @property
    def ids(self) -> list[int]: ...
    @property
    def type_ids(self) -> list[int]: ...
    def __len__(self) -> int: ...


class Group(NamedTuple):
    """`places` of its texts in the request; `mask` (texts, tokens) is 1 for tokens, 0 for padding."""

    places: list[int]
    mask: Array
    output: Array


class TextGraph:
    """The inputs that a graph takes of a text, and the one output that the task reads."""

    def __init__(self, inputs: Sequence[MetadataTensor], output: str, pad_id: int) -> None:
        shapes = {tensor.name: tensor.shape for tensor in inputs}
        self._dtypes = {tensor.name: DTYPES[tensor.datatype] for tensor in inputs if tensor.name in KNOWN_INPUTS}
        self._output, self._pad_id = output, pad_id
        rows, length = shapes[IDS]
        self._rows = MAX_ROWS if rows == -1 else rows
        self.fixed_length = None if length == -1 else length

    def groups(self, texts: Sequence[Tokens], call: Call) -> Iterator[Group]:
        """The graph's output for all texts, (texts, …) a group."""
        for places in self._places([len(text) for text in texts]):
            feeds = self.feeds([texts[place] for place in places])
            (output,) = call({name: feeds[name] for name in self._dtypes}, [self._output])
            yield Group(places, feeds[MASK], output)

    def feeds(self, texts: Sequence[Tokens]) -> dict[str, Array]:
        """The inputs for these texts in one run, (texts, longest); the mask always."""
        lengths = [len(text) for text in texts]
        size = (len(texts), self.fixed_length or max(lengths))
        dtypes = {MASK: np.dtype(np.int64)} | self._dtypes
        found = {name: np.zeros(size, dtype) for name, dtype in dtypes.items()}
        if self._pad_id:
            found[IDS].fill(self._pad_id)
        for row, (text, length) in enumerate(zip(texts, lengths, strict=True)):
            found[IDS][row, :length] = text.ids
            found[MASK][row, :length] = 1
            if TYPES in found:
                found[TYPES][row, :length] = text.type_ids
        if POSITIONS in found:
            found[POSITIONS][:] = np.arange(size[1])
        return found

    def _places(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places of the texts by group, the shortest first."""
        group: list[int] = []
        for place in sorted(range(len(lengths)), key=lengths.__getitem__):
            longest = lengths[place]
            padding = len(group) * (longest - lengths[group[-1]]) if group else 0
            if group and (
                len(group) >= self._rows or (len(group) + 1) * longest > MAX_GROUP_TOKENS or padding > RUN_TOKENS
            ):
                yield group
                group = []
            group.append(place)
        if group:
            yield group
