import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas_client.cli.inputs import Given, read_texts
from maas_client.cli.inputs import read as read_given
from maas_client.errors import InvalidInput
from maas_client.protocol.tensors import encode_json
from maas_client.records.inference import MetadataTensor

ONE = (MetadataTensor("x", "FP32", (-1, 2)),)
TWO = (MetadataTensor("age", "INT64", (-1,)), MetadataTensor("city", "BYTES", (-1, 1)))


def read(path: Path, signature: tuple[MetadataTensor, ...] = ONE) -> list[dict[str, Any]]:
    return as_json(read_given(str(path), lambda: signature))


def as_json(given: Given) -> list[dict[str, Any]]:
    assert given.request is None
    return [encode_json(name, tensor) for name, tensor in given.inputs.items()]


def tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def never() -> tuple[MetadataTensor, ...]:
    raise AssertionError("a whole request needs no signature")


def test_whole_request(tmp_path: Path) -> None:
    request = {"id": "7", "inputs": [tensor("x", "FP32", [1, 2], [[1, 2]])], "outputs": [{"name": "y"}]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    assert read_given(str(tmp_path / "request.json"), never) == (request, {})


@pytest.mark.parametrize(
    ("document", "shape"),
    [([[1, 2], [3, 4]], [2, 2]), ([1, 2], [1, 2]), ({"x": [[1, 2]]}, [1, 2]), ({"x": [1.5, 2]}, [1, 2])],
)
def test_json_arrays_take_signature(tmp_path: Path, document: object, shape: list[int]) -> None:
    (tmp_path / "x.json").write_text(json.dumps(document))
    (only,) = read(tmp_path / "x.json")
    assert (only["datatype"], only["shape"]) == ("FP32", shape)


def test_input_named_inputs(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"inputs": [[1, 2]]}')
    assert read(tmp_path / "x.json", (MetadataTensor("inputs", "INT8", (-1, 2)),)) == [
        tensor("inputs", "INT8", [1, 2], [1, 2])
    ]


def test_closed_stdin_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InvalidInput, match="standard input is closed"):
        read_given("-", never)
    with pytest.raises(InvalidInput, match="standard input is closed"):
        read_texts(["-"], never)


def test_csv_on_stdin_is_told_from_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,2\n")))
    with pytest.raises(InvalidInput, match=r"is not JSON.*; CSV and text are read from files, by their names"):
        read_given("-", never)


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[[1, 2]]")))
    assert as_json(read_given("-", lambda: ONE)) == [tensor("x", "FP32", [1, 2], [1.0, 2.0])]


def test_csv_columns_are_features(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufefflength,width\n1,2\n3.5, 4\n\n", encoding="utf-8")
    assert read(tmp_path / "x.csv") == [tensor("x", "FP32", [2, 2], [1.0, 2.0, 3.5, 4.0])]
    (tmp_path / "pandas.csv").write_text("0,1\n1,2\n")
    assert read(tmp_path / "pandas.csv") == [tensor("x", "FP32", [1, 2], [1.0, 2.0])]


def test_csv_columns_are_inputs(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('city,age\n"Ulm, Donau",30\nBonn,31\n')
    assert read(tmp_path / "x.csv", TWO) == [
        tensor("age", "INT64", [2], [30, 31]),
        tensor("city", "BYTES", [2, 1], ["Ulm, Donau", "Bonn"]),
    ]


def test_words_are_numbers_and_nulls_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('[[1, NaN], ["NaN", "-Infinity"]]')
    assert read(tmp_path / "x.json") == [tensor("x", "FP32", [2, 2], [1.0, "NaN", "NaN", "-Infinity"])]
    (tmp_path / "x.json").write_text("[[1, null]]")
    with pytest.raises(InvalidInput, match="got None: write NaN"):
        read(tmp_path / "x.json")


def test_csv_booleans(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("flag\ntrue\n0\n")
    signature = (MetadataTensor("flag", "BOOL", (-1, 1)),)
    assert read(tmp_path / "x.csv", signature) == [tensor("flag", "BOOL", [2, 1], [True, False])]


def test_npy_and_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([[1, 2]], np.float64))
    assert read(tmp_path / "x.npy") == [tensor("x", "FP32", [1, 2], [1.0, 2.0])]
    np.savez(tmp_path / "x.npz", age=np.array([30], np.uint8), city=np.array([["Ulm"]]))
    assert read(tmp_path / "x.npz", TWO) == [
        tensor("age", "INT64", [1], [30]),
        tensor("city", "BYTES", [1, 1], ["Ulm"]),
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "{", "is not JSON"),
        ("x.json", "3", "expected an inference request, an object"),
        ("x.json", '{"z": [[1, 2]]}', r"has z; the model takes x FP32 \[-1, 2\]"),
        ("x.json", "[[1, 2, 3]]", r"'x' has shape \[1, 3\], expected \[-1, 2\]"),
        ("x.json", "[[1, 2], [3]]", "in rows of one length"),
        ("x.json", '[["a", "b"]]', "'x' takes FP32 values"),
        ("x.json", "[[1, 1e39]]", "'x' takes FP32 values"),
        ("x.csv", "a,b\n", "expected a header line and at least one record"),
        ("x.csv", "1.5,2.5\n1,2\n", "its first line is numbers"),
        ("x.csv", "a,b\n1,2\n3\n", "record 2 has 1 columns, the header 2"),
        ("x.csv", "a,b,c\n1,2,3\n", r"'x' has shape \[1, 3\]"),
        ("x.csv", "a,b\n1,two\n", "record 1, column 'b': got 'two', expected FP32 values"),
        ("x.npy", "nothing", "is not a NumPy file"),
        ("x.csv", "a;b\n1,5;2\n", "its cells are separated by ';', expected commas"),
        ("x.parquet", "", "expected a .json, .csv, .npy, .npz or .txt file, .*; `maas batch` takes this one"),
        ("x.png", "", "expected a .json"),
    ],
)
def test_misfits_say_why(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path / name)


def test_several_inputs_need_names(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1, 2]")
    with pytest.raises(InvalidInput, match=r"name each, in a JSON object or an \.npz file"):
        read(tmp_path / "x.json", TWO)
    (tmp_path / "x.csv").write_text("age,town\n1,a\n")
    with pytest.raises(InvalidInput, match=r"has columns age, town; the model takes age INT64 \[-1\], city"):
        read(tmp_path / "x.csv", TWO)


@pytest.mark.parametrize("values", [[1.5], [300], [-1], [1e400], [256.0], [2**64], [None]])
def test_integers_never_rounded_or_wrapped(tmp_path: Path, values: list[float]) -> None:
    (tmp_path / "x.json").write_text(json.dumps(values))
    with pytest.raises(InvalidInput, match="takes UINT8 values"):
        read(tmp_path / "x.json", (MetadataTensor("x", "UINT8", (-1,)),))


def test_missing_files_and_pickles_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read .*: No such file"):
        read(tmp_path / "missing.csv")
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(InvalidInput, match="is not a NumPy file of numbers"):
        read(tmp_path / "x.npy")
