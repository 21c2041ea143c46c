"""Parts of a job's results become one file: every format, many parts, empty ones, and errors beside them."""

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maas.batch.state.job_records import Shard, shard_name
from maas_client import DownloadFailed, InvalidInput
from maas_client.joining import join
from support.server.jobs import npy
from support.server.server import ContractServer as Server

Parts = list[tuple[int, dict[str, bytes]]]


@pytest.fixture
def server(times: Server) -> Server:
    times.parts["/bucket/batch/data/x.npy"] = {0: b"rows"}
    return times


@pytest.fixture
def to(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def downloaded(server: Server, maas: Any, parts: Parts, to: Path, *, join: bool = True) -> list[str]:
    """The paths below the folder of `to`, of a job that has these parts."""
    server.predicted = parts
    job = maas.batch("times", "s3://maas/batch/data/x.npy", wait=True)
    return [str(path.relative_to(to.parent)) for path in maas.jobs.download(job, to, join=join)]


def rows_of(start: int, stop: int, width: int = 3) -> np.ndarray:
    return np.arange(start * width, stop * width, dtype=np.float32).reshape(stop - start, width)


def test_jsonl_joined(server: Server, maas: Any, to: Path) -> None:
    parts: Parts = [(1, {"jsonl": f'{{"y": {index}}}\n'.encode()}) for index in range(250)]
    parts[7:7] = [(0, {"jsonl": b""})]
    assert downloaded(server, maas, parts, to / "y.jsonl") == ["y.jsonl"]
    assert [json.loads(line)["y"] for line in (to / "y.jsonl").read_text().splitlines()] == list(range(250))
    assert [one.name for one in to.iterdir()] == ["y.jsonl"]


def test_csv_header_written_once(server: Server, maas: Any, to: Path) -> None:
    header = b'id,"a ""name""\nof two lines",error\n'
    bodies = [b"1,2.5,\n", b"", b'2,"3\n4",\n3,,x is missing\n', b""]
    parts: Parts = [(1, {"csv": header + body}) for body in bodies]
    parts.append((0, {"csv": b""}))
    assert downloaded(server, maas, parts, to / "y.csv") == ["y.csv"]
    assert (to / "y.csv").read_bytes() == header + b"".join(bodies)
    records = list(csv.reader(io.StringIO((to / "y.csv").read_text())))
    assert [record[0] for record in records] == ["id", "1", "2", "3"]


def test_csv_of_other_columns_refused(server: Server, maas: Any, to: Path) -> None:
    with pytest.raises(DownloadFailed, match=r"part-00001\.csv has other columns"):
        downloaded(server, maas, [(1, {"csv": b"a,b\n1,2\n"}), (1, {"csv": b"a,c\n1,2\n"})], to / "y.csv")
    assert not (to / "y.csv").exists()


@pytest.mark.parametrize("dtype", ["<f4", "<i8", "|b1", "<U3"])
def test_npy_joined_as_numpy_saves(server: Server, maas: Any, to: Path, dtype: str) -> None:
    whole = (rows_of(0, 9) % 7).astype(dtype)
    pieces = [whole[:4], whole[4:4], whole[4:5], whole[5:]]
    downloaded(server, maas, [(len(one), {"y.npy": npy(one)}) for one in pieces], to / "y.npy")
    assert (to / "y.npy").read_bytes() == npy(whole)


def test_pieces_of_split_shards_in_order(server: Server, maas: Any, to: Path) -> None:
    """Named by the server's own code; in the order of names, which is how its table lists shards."""
    first, last = Shard(shard_name(0), 0, 9), Shard(shard_name(99_999), 0, 9)
    pieces_of_first = [first.piece(index, 0, 9) for index in range(8)]
    nested = [pieces_of_first[0].piece(index, 0, 9) for index in (0, 3)]
    shards = [first, pieces_of_first[0], *nested, *pieces_of_first[1:], Shard(shard_name(1), 0, 9), last]
    shards += [last.piece(0, 0, 9), Shard(shard_name(100_000), 0, 9)]
    names = [f"part-{shard.name}" for shard in shards]
    assert names[:4] == ["part-00000", "part-00000_00", "part-00000_00_00", "part-00000_00_03"]
    assert names == sorted(names)
    pieces = [rows_of(2 * index, 2 * index + 2) for index in range(len(names))]
    parts: Parts = [(2, {f"{name}.y.npy": npy(one)}) for name, one in zip(names, pieces, strict=True)]
    assert downloaded(server, maas, parts, to / "y.npy") == ["y.npy"]
    np.testing.assert_array_equal(np.load(to / "y.npy"), rows_of(0, 2 * len(names)))
    parts = [(1, {f"{name}.jsonl": b"%d\n" % index}) for index, name in enumerate(names)]
    assert downloaded(server, maas, parts, to / "y.jsonl") == ["y.jsonl"]
    assert (to / "y.jsonl").read_text().split() == [str(index) for index in range(len(names))]


def test_npy_strings_take_the_widest_part(server: Server, maas: Any, to: Path) -> None:
    pieces = [np.array(["a"]), np.array([], "<U1"), np.array(["größer", "b"])]
    downloaded(server, maas, [(len(one), {"label.npy": npy(one)}) for one in pieces], to / "y.npy")
    assert np.load(to / "y.npy").tolist() == ["a", "größer", "b"]


def test_npy_rows_of_failed_parts(server: Server, maas: Any, to: Path) -> None:
    """A part in which nothing was predicted does not know how wide a row is."""
    nothing = np.empty((2, 0), np.float32)
    parts: Parts = [
        (2, {"y.npy": npy(nothing), "errors.jsonl": b'{"record":0,"error":"no"}\n{"record":1,"error":"no"}\n'}),
        (1, {"y.npy": npy(rows_of(2, 3))}),
        (1, {"y.npy": npy(nothing[:1]), "errors.jsonl": b'{"record":3,"error":"no"}\n'}),
    ]
    assert downloaded(server, maas, parts, to / "y.npy") == ["y.npy", "y.errors.jsonl"]
    joined = np.load(to / "y.npy")
    assert np.isnan(joined).all(axis=1).tolist() == [True, True, False, True]
    np.testing.assert_array_equal(joined[2], [6, 7, 8])
    errors = [json.loads(line)["record"] for line in (to / "y.errors.jsonl").read_text().splitlines()]
    assert errors == [0, 1, 3]


def test_npy_rows_of_two_shapes_refused(server: Server, maas: Any, to: Path) -> None:
    parts: Parts = [(1, {"y.npy": npy(rows_of(0, 1, 2))}), (1, {"y.npy": npy(rows_of(0, 1, 3))})]
    with pytest.raises(DownloadFailed, match=r"rows of 2 shapes \(\(2,\), \(3,\)\).*join=False"):
        downloaded(server, maas, parts, to / "y.npy")
    assert downloaded(server, maas, parts, to / "parts", join=False) == [
        "parts/part-00000.y.npy",
        "parts/part-00001.y.npy",
    ]
    assert np.load(to / "parts" / "part-00001.y.npy").shape == (1, 3)


def test_one_file_per_output(server: Server, maas: Any, to: Path) -> None:
    parts: Parts = [
        (2, {"label.npy": npy(np.arange(2) + start), "scores.0.npy": npy(rows_of(start, start + 2))})
        for start in (0, 2, 4)
    ]
    assert downloaded(server, maas, parts, to / "y.npy") == ["y.label.npy", "y.scores.0.npy"]
    assert np.load(to / "y.label.npy").tolist() == list(range(6))
    np.testing.assert_array_equal(np.load(to / "y.scores.0.npy"), rows_of(0, 6))


def test_parquet_parts_in_a_folder(server: Server, maas: Any, to: Path) -> None:
    parts: Parts = [(1, {"parquet": b"PAR1%d" % index}) for index in range(3)]
    parts[1][1]["errors.jsonl"] = b'{"record":1,"error":"no"}\n'
    expected = [f"part-0000{index}.parquet" for index in range(3)]
    assert downloaded(server, maas, parts, to / "y.parquet") == ["y.parquet", "y.errors.jsonl"]
    assert sorted(one.name for one in (to / "y.parquet").iterdir()) == expected
    assert downloaded(server, maas, parts[:2], to / "y.parquet") == ["y.parquet", "y.errors.jsonl"]
    assert sorted(one.name for one in (to / "y.parquet").iterdir()) == expected[:2]
    assert downloaded(server, maas, parts[:1], to / "one.parquet") == ["one.parquet"]
    assert (to / "one.parquet").read_bytes() == b"PAR10"
    (to / "ordinary").touch()
    assert (to / "one.parquet").stat().st_mode == (to / "ordinary").stat().st_mode


def test_folder_target_takes_job_id(server: Server, maas: Any, to: Path) -> None:
    (path,) = downloaded(server, maas, [(1, {"csv": b"a\n1\n"}), (1, {"csv": b"a\n2\n"})], to)
    assert path == f"out/{maas.jobs.list(1)[0].id}.csv"


def test_no_records(server: Server, maas: Any, to: Path) -> None:
    assert downloaded(server, maas, [], to / "y.jsonl") == ["y.jsonl"]
    assert (to / "y.jsonl").read_bytes() == b""
    assert downloaded(server, maas, [], to / "y.npy") == []


@pytest.mark.parametrize(
    "name", ["../part-00000.y.npy", "part-00000.txt", "part-00000.a/../../b.npy", "part-00000_0.jsonl"]
)
def test_names_of_no_part_refused(server: Server, maas: Any, to: Path, name: str) -> None:
    server.predicted = [(1, {"y.npy": npy(rows_of(0, 1))})]
    job, answer = maas.batch("times", "s3://maas/batch/data/x.npy", wait=True), server.job_results

    def renamed(job_id: str, query: dict[str, str]) -> dict[str, object]:
        found = answer(job_id, query)
        found["results"][0]["name"] = name
        return found

    server.job_results = renamed  # type: ignore[method-assign]
    with pytest.raises(DownloadFailed, match="is not a part of a job's results"):
        maas.jobs.download(job, to / "y.npy")


def test_other_formats_refused(server: Server, maas: Any, to: Path) -> None:
    with pytest.raises(InvalidInput, match=r"these predictions come as \.csv"):
        downloaded(server, maas, [(1, {"csv": b"a\n1\n"})], to / "y.jsonl")
    with pytest.raises(DownloadFailed, match="is not an array of rows"):
        downloaded(server, maas, [(1, {"y.npy": npy(np.array(1))})] * 2, to / "y.npy")
    with pytest.raises(DownloadFailed, match="is not an array of rows"):
        downloaded(server, maas, [(1, {"y.npy": b"\x93NUMPY"})] * 2, to / "y.npy")


@pytest.mark.full
def test_joining_memory(tmp_path: Path) -> None:
    paths = []
    for index in range(4):
        np.save(tmp_path / f"{index}.npy", np.full((1_000_000, 16), index, np.float32))  # 64 MB
        paths.append(tmp_path / f"{index}.npy")
    tracemalloc.start()
    with (tmp_path / "whole.npy").open("wb") as file:
        join("y.npy", paths, file)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 40 << 20
    whole = np.load(tmp_path / "whole.npy", mmap_mode="r")
    assert whole.shape == (4_000_000, 16)
    assert whole[::1_000_000, 0].tolist() == [0, 1, 2, 3]
    assert not any(path.exists() for path in paths)


def npy_file(header: str, body: bytes) -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + body


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ("(99999999999999999999999,)", "'<f4'"),
        ("(3,)", "'<f4'"),
        ("(1,)", "'<f4'"),
        ("(-1, -2)", "'<f4'"),
        ("(True,)", "'|O'"),
        ("(1000000000000, 0)", "'<f4'"),
        ("(9223372036854775807,)", "'|S0'"),
        ("(2,)", "[('a', '<i2'), ('b', '<i2')]"),
        ("(" + "-" * 5000 + "1,)", "'<f4'"),
        ("(" + "(" * 3000 + ")" * 3000 + ",)", "'<f4'"),
        ("(" + "9" * 5000 + ",)", "'<f4'"),
        ("__import__('os')", "'<f4'"),
    ],
    ids=lambda one: one[:16],
)
def test_parts_whose_header_lies(tmp_path: Path, shape: str, dtype: str) -> None:
    """Their digests are right: a server may say anything."""
    lying = npy_file(f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}\n", bytes(8))
    good = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n", bytes(8))
    for contents in ([lying, good], [good, lying], [lying, lying]):
        parts = [tmp_path / name for name in "ab"]
        for part, content in zip(parts, contents, strict=True):
            part.write_bytes(content)
        with (tmp_path / "out").open("wb") as file, pytest.raises(DownloadFailed):
            join("y.npy", parts, file)
        assert (tmp_path / "out").stat().st_size == 0
