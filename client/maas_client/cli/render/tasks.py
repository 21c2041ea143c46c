"""Answers of versions with a task as tables: classes, rankings, vectors, entities, filled gaps."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich.bar import Bar
from rich.table import Table

from maas_client.cli.looks import Part, line, say, show, table_of
from maas_client.records.inference import InferenceResponse, Ranked

SHOWN_RECORDS, SHOWN_CLASSES, SHOWN_VALUES, SHOWN_CHARACTERS = 20, 5, 4, 60
MOST_COMPARED = 1000  # vectors, each with each
BAR_WIDTH = 20
Row = tuple[list[Part], float]  # the cells before the score, and the score


def show_task_answer(response: InferenceResponse, items: Sequence[str], labels: Callable[[], list[str]]) -> bool:
    """Whether the outputs are those of a task, and shown. `labels` gives the model's classes, if they are known."""
    outputs = response.outputs
    found = next((make for names, make in _TABLES if names <= outputs.keys()), None)
    if found is None or any(len(array) != len(items) for array in outputs.values()):
        return False
    say((f"{response.model_name}@{response.model_version}", "dim"))
    columns, rows = found(outputs, labels() if found is _classes else [])
    table = _scores(columns)
    for index in range(min(len(items), SHOWN_RECORDS)):
        for place, (cells, score) in enumerate(rows(index)):
            head: list[Part] = [(str(index), "dim"), brief(items[index])] if place == 0 else ["", ""]
            _add(table, [*head, *cells], score)
    show(table)
    _tell_rest(len(items))
    return True


def show_ranking(ranked: Sequence[Ranked]) -> None:
    table = _scores(["text"])
    for found in ranked[:SHOWN_RECORDS]:
        _add(table, [(str(found.index), "dim"), brief(found.text)], found.score)
    show(table)
    _tell_rest(len(ranked))


def show_vectors(vectors: np.ndarray, items: Sequence[str]) -> None:
    """Each vector's first values, and which other is nearest to it."""
    similar = _similarities(vectors) if 1 < len(vectors) <= MOST_COMPARED else None
    columns = ["input", "vector"]
    table = table_of("#", *columns) if similar is None else _scores([*columns, "nearest"], "cosine")
    for index, vector in enumerate(vectors[:SHOWN_RECORDS]):
        cells: list[Part] = [(str(index), "dim"), brief(items[index]), _values(vector)]
        if similar is None:
            table.add_row(*map(line, cells))
            continue
        nearest = int(similar[index].argmax())
        _add(table, [*cells, str(nearest)], float(similar[index][nearest]))
    show(table)
    _tell_rest(len(vectors))


def brief(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def _similarities(vectors: np.ndarray) -> np.ndarray:
    """Cosines of each vector with each other one; -2 with itself."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    similar = np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(similar, -2)
    return similar


def _values(vector: np.ndarray) -> str:
    first = " ".join(f"{value:.3f}" for value in vector[:SHOWN_VALUES].tolist())
    return f"{first} … ({len(vector):,})" if len(vector) > SHOWN_VALUES else first


def _scores(columns: Sequence[str], score: str = "score") -> Table:
    table = table_of("#", *columns, score)
    table.add_column("", width=BAR_WIDTH)
    return table


def _add(table: Table, cells: Sequence[Part], score: float) -> None:
    """A score between 0 and 1 gets a bar."""
    bar = Bar(1, 0, score, width=BAR_WIDTH) if 0 <= score <= 1 else ""
    table.add_row(*map(line, cells), f"{score:.4f}", bar)


def _tell_rest(count: int) -> None:
    if count > SHOWN_RECORDS:
        say((f"… and {count - SHOWN_RECORDS:,} more; --json gives all", "dim"))


Rows = Callable[[int], Iterator[Row]]


def _classes(outputs: Mapping[str, np.ndarray], labels: Sequence[str]) -> tuple[list[str], Rows]:
    scores = outputs["scores"]

    def rows(index: int) -> Iterator[Row]:
        if len(labels) != scores.shape[1]:
            yield [str(outputs["label"][index])], float(outputs["score"][index])
            return
        for at in np.argsort(-scores[index], kind="stable")[:SHOWN_CLASSES].tolist():
            yield [labels[at]], float(scores[index, at])

    return ["input", "class"], rows


def _choices(outputs: Mapping[str, np.ndarray], labels: Sequence[str]) -> tuple[list[str], Rows]:
    names, scores = outputs["label"], outputs["score"].reshape(len(outputs["score"]), -1)

    def rows(index: int) -> Iterator[Row]:
        for name, score in zip(names[index].ravel().tolist(), scores[index].tolist(), strict=True):
            yield [str(name)], score

    return ["input", "class"], rows


def _fillings(outputs: Mapping[str, np.ndarray], labels: Sequence[str]) -> tuple[list[str], Rows]:
    def rows(index: int) -> Iterator[Row]:
        columns = (outputs[name][index].tolist() for name in ("token", "sequence", "score"))
        for token, sequence, score in zip(*columns, strict=True):
            yield [str(token), brief(str(sequence))], score

    return ["input", "token", "filled"], rows


def _entities(outputs: Mapping[str, np.ndarray], labels: Sequence[str]) -> tuple[list[str], Rows]:
    def rows(index: int) -> Iterator[Row]:
        for one in _spans(outputs["entities"][index]):
            place = f"{one.get('start')}–{one.get('end')}"
            yield [str(one.get("entity_group", one.get("entity"))), str(one.get("word")), place], one["score"]

    return ["input", "entity", "word", "at"], rows


def _spans(text: str) -> list[dict[str, Any]]:
    """The spans in the JSON of a text, with a score each."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict) and isinstance(one.get("score"), float)]


_TABLES: list[tuple[set[str], Callable[[Mapping[str, np.ndarray], Sequence[str]], tuple[list[str], Rows]]]] = [
    ({"label", "score", "scores"}, _classes),
    ({"token", "score", "sequence"}, _fillings),
    ({"label", "score"}, _choices),
    ({"entities"}, _entities),
]
