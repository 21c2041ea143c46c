"""Arguments of other types: InvalidInput, which names the argument, what came and what is expected."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client import InvalidInput

TIME = "2026-01-31T12:00:00Z"
Call = Callable[[Any, Path], Any]
CASES: list[tuple[str, Call]] = [
    ("'time' is a str, expected a datetime", lambda maas, _: maas.aliases.at("m", "prod", TIME)),
    ("'time' is a date, expected a datetime", lambda maas, _: maas.aliases.at("m", "prod", date(2026, 1, 31))),
    ("'start' is a str, expected a datetime", lambda maas, _: maas.models.metrics("m", start=TIME)),
    (
        "'end' is a datetime64, expected a datetime",
        lambda maas, _: maas.models.metrics("m", end=np.datetime64(TIME[:-1])),
    ),
    ("'start' is a str, expected a datetime", lambda maas, _: maas.captures.list("m", 1, start=TIME)),
    ("'end' is a int, expected a datetime", lambda maas, _: maas.captures.lines("m", 1, end=7)),
    ("'expires_at' is a str, expected a datetime", lambda maas, _: maas.keys.create("k", ["infer"], expires_at=TIME)),
    ("'scopes' is a str, expected a list of texts", lambda maas, _: maas.keys.create("k", "infer")),
    ("'scopes' 1 is a int, expected text", lambda maas, _: maas.keys.create("k", ["infer", 7])),
    ("'tags' is a str, expected a mapping", lambda maas, _: maas.models.create("m", tags="a=b")),
    ("'tags' is a list, expected a mapping", lambda maas, _: maas.models.update("m", tags=["a=b"])),
    ("'tags' is a list, expected a mapping", lambda maas, file: maas.push(file, "m", tags=["a=b"])),
    ("'tolerance' is a float, expected a mapping", lambda maas, file: maas.push(file, "m", tolerance=0.1)),
    ("'tags' is a str, expected a list of texts", lambda maas, _: maas.models.list(tags="team=vision")),
    ("'tags' is a str, expected a list of texts", lambda maas, _: maas.versions.list("m", tags="team=vision")),
    ("'limit' is 'all', expected a whole number", lambda maas, _: maas.models.list(limit="all")),
    ("'limit' is 0, expected a whole number", lambda maas, _: maas.jobs.list(0)),
    ("'kind' is a int, expected text", lambda maas, _: maas.models.history("m", kind=7)),
    ("'actor' has a surrogate by itself", lambda maas, _: maas.models.history("m", actor="\ud800")),
    ("'shapes' is a list, expected a mapping", lambda maas, _: maas.versions.profile("m", 1, [1, 2])),
    (r"'files\[0\]' is a str, expected a ModelFile", lambda maas, _: maas.versions.create("m", ["model.onnx"])),
    ("'routes' is a list, expected a mapping", lambda maas, _: maas.aliases.set("m", "prod", routes=[1, 2])),
    ("'shadow' is a int, expected a mapping", lambda maas, _: maas.aliases.set("m", "prod", shadow=2)),
    ("'shadow' is a int, expected a mapping", lambda maas, _: maas.batch("m", "rows.jsonl", shadow=2)),
    ("'steps' is a int, expected a list", lambda maas, _: maas.rollouts.start("m", "prod", 2, steps=5)),
    ("'path' is a NoneType, expected a path", lambda maas, _: maas.push(None, "m")),
    ("'golden' is a int, expected a path", lambda maas, file: maas.push(file, "m", golden=7)),
    ("'example' is a int, expected a path", lambda maas, file: maas.push(file, "m", example=7)),
    ("'alias' is a int, expected text", lambda maas, file: maas.push(file, "m", alias=7)),
    ("'source' is a list, expected a path", lambda maas, _: maas.batch("m", [1, 2])),
    ("'columns' 0 is a int, expected text", lambda maas, _: maas.batch("m", "rows.csv", columns=[0, 1])),
    (r"\['m'\] is no name", lambda maas, _: maas.infer(["m"], [[1, 2]])),
    ("'m@prod' is no name: a version or alias is an argument", lambda maas, _: maas.infer("m@prod", [[1, 2]])),
    ("'request' is a list, expected a mapping", lambda maas, _: maas.infer_json("m", [])),
    ("'outputs' is a str, expected a list of texts", lambda maas, _: maas.infer("m", [[1, 2]], outputs="y")),
    ("'parameters' is a str, expected a mapping", lambda maas, _: maas.infer("m", [[1, 2]], parameters="raw")),
    ("'headers' is a list, expected a mapping", lambda maas, _: maas.infer("m", [[1, 2]], headers=["a: b"])),
    ("'timeout_seconds' is a str, expected a number", lambda maas, _: maas.infer("m", [[1, 2]], timeout_seconds="5")),
    ("'timeout_seconds' is a str, expected a number", lambda maas, _: maas.versions.wait("m", 1, timeout_seconds="5")),
    ("'items' is a int, expected text, a file, or a list", lambda maas, _: maas.embed("m", 7)),
]


@pytest.mark.parametrize(("message", "call"), CASES)
def test_argument_of_another_type_is_named(maas: Any, tmp_path: Path, message: str, call: Call) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"good")
    with pytest.raises(InvalidInput, match=message):
        call(maas, model)


def test_lists_of_any_kind_are_lists(maas: Any) -> None:
    texts = np.array(["a", "b"])
    assert maas.embed("sentences", (text for text in ["a", "b"])).shape == maas.embed("sentences", texts).shape
