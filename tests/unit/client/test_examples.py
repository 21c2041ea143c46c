"""Every public name has a docstring, and its example does what it says."""

import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maas_client
from maas_client import AsyncMaasClient, MaasClient
from support.server.examples import examples_of, wrong
from support.server.server import ContractServer

PARTS = ("models", "versions", "aliases", "rollouts", "captures", "jobs", "keys")
WITHOUT = {"BF16", "Upload", "UploadPart"}  # nobody makes them but `push`


def methods_of(client: type[Any]) -> Iterator[tuple[str, object]]:
    one = client("http://127.0.0.1:9")
    for name, part in (("", one), *((f"{part}.", getattr(one, part)) for part in PARTS)):
        yield f"{client.__name__}.{name}".rstrip("."), type(part)
        for member, found in (vars(type(part)) | vars(part)).items():
            if not member.startswith("_") and member not in PARTS:
                yield f"{client.__name__}.{name}{member}", found


METHODS = {kind.__name__: dict(methods_of(kind)) for kind in (MaasClient, AsyncMaasClient)}
EXPORTS = {name: getattr(maas_client, name) for name in maas_client.__all__}
RECORDS = {name: found for name, found in EXPORTS.items() if is_dataclass(found) or name == "MaasError"}


@pytest.fixture
def names(server: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Model `digits`: versions 1, which is `production`, and 2."""
    (tmp_path / "model.onnx").write_bytes(b"good")
    (tmp_path / "rows.jsonl").write_text('{"x": [1, 2]}\n{"x": [3, 4]}\n{"x": [5, 6]}\n')
    (tmp_path / "broken.csv").write_bytes(b"bad")
    monkeypatch.chdir(tmp_path)
    with MaasClient(server.url) as maas:
        maas.push("model.onnx", "digits")
        maas.push("model.onnx", "digits")
        maas.aliases.set("digits", "production", 1)
    return EXPORTS | {"np": np, "url": server.url}


@pytest.mark.parametrize("name", [*METHODS["MaasClient"], *RECORDS])
def test_example(names: dict[str, Any], name: str) -> None:
    subject = METHODS["MaasClient"].get(name) or RECORDS[name]
    examples = examples_of(subject)
    is_part = inspect.isclass(subject) and name.count(".") == 1
    assert examples or name in WITHOUT or is_part
    with MaasClient(names["url"]) as maas:
        assert wrong(examples, names | {"maas": maas}, lambda _: None) == ""


@pytest.mark.parametrize("name", METHODS["AsyncMaasClient"])
def test_example_of_async_client(names: dict[str, Any], name: str) -> None:
    with asyncio.Runner() as runner:
        maas = AsyncMaasClient(names["url"])
        assert wrong(examples_of(METHODS["AsyncMaasClient"][name]), names | {"maas": maas}, runner.run) == ""
        runner.run(maas.close())


def test_async_client_does_all_that_the_blocking_one_does() -> None:
    blocking, asynchronous = (
        {name.partition(".")[2]: inspect.signature(found) for name, found in METHODS[kind].items() if callable(found)}
        for kind in ("MaasClient", "AsyncMaasClient")
    )
    assert str(blocking) == str(asynchronous).replace("._async.", "._sync.").replace("Async", "")


@pytest.mark.parametrize("name", maas_client.__all__)
def test_public_names_have_a_docstring(name: str) -> None:
    subject = EXPORTS[name]
    assert (vars(subject).get("__doc__") or name).partition("(")[0] != name
