"""Text from outside is UTF-8 whatever the locale, and its numbers are written as in JSON."""

import codecs
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas.batch.formats import columns as batch_columns
from maas_client.cli import columns
from support.server.server import ContractServer

Run = Callable[..., tuple[int, str, str]]
PREDICT = [sys.executable, "-c", "from maas_client.cli import app; app()", "predict", "echo", "--json", "-i"]
LOCALES = [{"PYTHONIOENCODING": "cp1252"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]


@pytest.fixture
def text(server: ContractServer) -> ContractServer:
    """The server; `echo` takes a column of text."""
    server.echo_inputs = [{"name": "x", "datatype": "BYTES", "shape": [-1]}]
    return server


def answered(done: subprocess.CompletedProcess[bytes], encoding: str = "utf-8") -> list[Any]:
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout.decode(encoding))["outputs"][0]["data"]
    return found


@pytest.mark.full(keep=1)
@pytest.mark.parametrize("environment", LOCALES, ids=str)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["plain", "BOM"])
@pytest.mark.parametrize("name", ["-", "x.json", "x.csv"])
def test_text_is_utf_8_whatever_the_locale(
    text: ContractServer, tmp_path: Path, environment: dict[str, str], mark: bytes, name: str
) -> None:
    content = mark + ("x\ncafé\n" if name == "x.csv" else '["café"]').encode()
    (tmp_path / "x.csv").write_bytes(content)
    (tmp_path / "x.json").write_bytes(content)
    settings = os.environ | {"MAAS_URL": text.url} | environment
    done = subprocess.run([*PREDICT, name], env=settings, cwd=tmp_path, input=content, capture_output=True)
    assert answered(done, environment.get("PYTHONIOENCODING", "ascii")) == ["café"]


@pytest.mark.parametrize("name", ["x.json", "x.csv"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x\ncafé\n".encode("cp1252"), "got other bytes, from byte 5 on, expected text in UTF-8"),
        ("x\ncafé\n".encode("utf-16"), "got UTF-16, expected text in UTF-8"),
    ],
)
def test_other_encodings_are_refused(
    command: Run, text: ContractServer, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    code, _, err = command("predict", "echo", "-i", tmp_path / name)
    assert (code, message in err) == (1, True)


@pytest.mark.full
@pytest.mark.parametrize("source", ["npy", "npz"])
def test_numpy_from_standard_input(text: ContractServer, tmp_path: Path, source: str) -> None:
    array = np.array(["café"])
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", x=array)
    content = (tmp_path / f"x.{source}").read_bytes()
    done = subprocess.run([*PREDICT, "-"], env=os.environ | {"MAAS_URL": text.url}, input=content, capture_output=True)
    assert answered(done) == ["café"]


NOT_NUMBERS = ["1_0", "٣", "0x1", "+1", ".5", "5.", "01", "nan", "inf", "infinity", "1e", "", "1,5", "true"]


@pytest.mark.parametrize("datatype", ["FP32", "INT64", "BF16", "UINT8"])
@pytest.mark.parametrize("cell", NOT_NUMBERS)
def test_numbers_in_csv_are_written_as_in_json(
    command: Run, server: ContractServer, tmp_path: Path, datatype: str, cell: str
) -> None:
    server.echo_inputs = [{"name": "x", "datatype": datatype, "shape": [-1, 2]}]
    (tmp_path / "x.csv").write_text(f'a,b\n1,2\n3,"{cell}"\n', "utf-8")
    code, _, err = command("predict", "echo", "-i", tmp_path / "x.csv")
    assert code == 1
    assert f"record 2, column 'b': got {cell!r}, expected {datatype} values, numbers as JSON writes them" in err


def test_cells_that_are_numbers(command: Run, server: ContractServer, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n 1 ,-0.5e2\nNaN,\t-Infinity\n")
    code, out, err = command("predict", "echo", "-i", tmp_path / "x.csv", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["outputs"][0]["data"] == [1, -50, "NaN", "-Infinity"]
    server.echo_inputs = [{"name": "x", "datatype": "INT64", "shape": [-1]}]
    (tmp_path / "x.csv").write_text("x\n9007199254740993\n-9223372036854775808\n")
    answer = json.loads(command("predict", "echo", "-i", tmp_path / "x.csv", "--json")[1])
    assert answer["outputs"][0]["data"] == [9007199254740993, -9223372036854775808]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('a,b\n1,"2"3\n', "is not CSV"),
        ('a,b\n1,"2', "is not CSV"),
        ('""\n0\n', "has no column with a name"),
        (",Unnamed: 1\n0,1\n", "has no column with a name"),
        (",\n0,1\n", "has the column '' twice"),
        ("a,a\n0,1\n", "has the column 'a' twice"),
        ("a,b\n1e39,0\n", "'x' takes FP32 values"),
    ],
)
def test_csv_that_is_none(command: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.csv").write_text(content)
    code, _, err = command("predict", "echo", "-i", tmp_path / "x.csv")
    assert (code, message in err) == (1, True), err


@pytest.mark.parametrize("index", ["", "Unnamed: 0", '""'])
def test_an_index_of_pandas_is_no_feature(command: Run, tmp_path: Path, index: str) -> None:
    """The rule of batch jobs: maas.batch.formats.columns."""
    (tmp_path / "x.csv").write_text(f"{index},a,b\n7,1,2\n8,3,4\n")
    code, out, err = command("predict", "echo", "-i", tmp_path / "x.csv", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["outputs"][0] | {"shape": [2, 2], "data": [1, 2, 3, 4]} == json.loads(out)["outputs"][0]
    assert columns._UNNAMED.pattern == batch_columns._UNNAMED.pattern


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "is nested too deep"),
        ("[" + "9" * 5000 + "]", "is not JSON"),
        ("[1_0]", "is not JSON"),
        ("[0x1]", "is not JSON"),
        ("[٣]", "is not JSON"),
        ("[+1]", "is not JSON"),
        ("[nan]", "is not JSON"),
        ("", "is not JSON"),
    ],
    ids=lambda one: one[:12],
)
def test_json_that_is_none(command: Run, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content, "utf-8")
    code, _, err = command("predict", "echo", "-i", tmp_path / "x.json")
    assert (code, message in err) == (1, True), err
