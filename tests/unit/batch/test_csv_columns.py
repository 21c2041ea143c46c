"""The header of a CSV file: which columns are features, which are none, and when it is refused."""

import pytest

from maas.batch import formats
from maas.batch.formats import Options
from maas.errors import InvalidRequest
from support.batch.files import Cut, MemorySource, chunks, csv_rows, echoed, records, tensor

FEATURES = [tensor("x", "FP32", -1, 2)]
NAMED = [tensor("a", "FP32", -1, 1), tensor("n", "INT8", -1), tensor("word", "BYTES", -1, 1)]


def test_columns_and_exclude_choose_features() -> None:
    data = b"b,id,a\n1,x,2\n3,y,4\n"
    for options, expected in (
        (Options(exclude=("id",)), [["1.0", "2.0"], ["3.0", "4.0"]]),
        (Options(columns=("a", "b")), [["2.0", "1.0"], ["4.0", "3.0"]]),
    ):
        rows = csv_rows(echoed("csv", MemorySource(data), FEATURES, Cut(batch_rows=5), options))
        assert [[row["x_0"], row["x_1"]] for row in rows] == expected
    rows = csv_rows(echoed("csv", MemorySource(b"b,a\n1,2\n"), FEATURES, Cut(), Options(join=True)))
    assert rows == [{"b": "1", "a": "2", "x_0": "1.0", "x_1": "2.0", "error": ""}]


@pytest.mark.parametrize("index", ["", '""', "Unnamed: 0", ",Unnamed: 0", "Unnamed: 0.1,Unnamed: 0"])
def test_unnamed_leading_columns_are_no_features(index: str) -> None:
    """pandas writes them: to_csv() adds its index, and a file that was read and written again has two."""
    row = ",".join("7" * (index.count(",") + 1)) + ",1,2"
    source = MemorySource(f"{index},a,b\n{row}\n".encode())
    assert [one["x_1"] for one in csv_rows(echoed("csv", source, FEATURES, Cut()))] == ["2.0"]
    (joined,) = csv_rows(echoed("csv", source, FEATURES, Cut(), Options(join=True)))
    assert list(joined.values())[-5:] == ["1", "2", "1.0", "2.0", ""]
    if "Unnamed" in index:
        (named,) = csv_rows(echoed("csv", source, FEATURES, Cut(), Options(columns=("Unnamed: 0", "b"))))
        assert (named["x_0"], named["x_1"]) == ("7.0", "2.0")


@pytest.mark.parametrize("header", ["1,2", "1.5,-2e3", "0,2", "2020,2021", " 5,6"])
def test_header_of_numbers_is_refused(header: str) -> None:
    """It is a record of a file without a header, which would be lost."""
    source = MemorySource(f"{header}\n1,2\n".encode())
    with pytest.raises(
        InvalidRequest, match=r"header: got .*, numbers only, expected the names of columns: add a header"
    ):
        records(chunks("csv", source, FEATURES, Cut()))
    names = tuple(header.split(","))
    assert len(records(chunks("csv", source, FEATURES, Cut(), Options(columns=names)))) == 1


@pytest.mark.parametrize("header", ["0,1", ",0,1", "a,1", "NaN,2"])
def test_header_with_numbers_that_pandas_writes(header: str) -> None:
    row = ",".join("7" * header.count(",")) + ",1"
    assert len(csv_rows(echoed("csv", MemorySource(f"{header}\n{row}\n".encode()), FEATURES, Cut()))) == 1


def test_unnamed_column_between_others_is_a_feature() -> None:
    assert [one["x_1"] for one in csv_rows(echoed("csv", MemorySource(b"a,\n1,2\n"), FEATURES, Cut()))] == ["2.0"]


def test_missing_feature_beside_an_index_is_refused() -> None:
    said = r"columns: got 1 \(\['a'\]\) without the index \[''\], expected 2 for input 'x'"
    with pytest.raises(InvalidRequest, match=said):
        records(chunks("csv", MemorySource(b",a\n0,1\n"), FEATURES, Cut()))


@pytest.mark.parametrize(
    ("header", "options", "said"),
    [
        ("a,b,c", Options(), r"columns: got 3 \(\['a', 'b', 'c'\]\), expected 2 for input 'x'"),
        ("a,b,a", Options(), r"columns: got \['a'\] more than once"),
        ("a,b", Options(columns=("a", "z")), r"columns: got \['z'\], expected some of \['a', 'b'\]"),
        ("a,b", Options(exclude=("z",)), r"exclude: got \['z'\], expected some of"),
        ("a;b", Options(), r"columns: got 1 \(\['a;b'\]\), which is separated by ';' and not by commas, expected 2"),
        ("sep=;", Options(), r"columns: got 1 \(\['sep=;'\]\), which is separated by ';' and not by commas"),
        ("a\tb", Options(), r"which is separated by '\\t' and not by commas, expected 2 for input 'x'"),
        ("a,b\r1,2\r", Options(), "header: got lines that end in a carriage return alone, expected ones that end in a"),
    ],
)
def test_misfit_columns_fail_the_job(header: str, options: Options, said: str) -> None:
    source = MemorySource(f"{header}\n1,2,3\n".encode())
    with pytest.raises(InvalidRequest, match=said):
        records(chunks("csv", source, FEATURES, Cut(), options))


def test_utf16_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="header: got UTF-16, expected UTF-8: save the file as `CSV UTF-8`"):
        formats.plan("csv", MemorySource("a\tb\r\n1\t2\r\n".encode("utf-16")), 100)


def test_column_names_are_case_sensitive() -> None:
    for header in ("A,n,word", "a,n,words"):
        layout = formats.plan("csv", MemorySource(f"{header}\n".encode()), 100).layout
        with pytest.raises(InvalidRequest, match=r"columns: got .*, expected a column for each input"):
            formats.reader("csv", layout, Options(), NAMED)
    layout = formats.plan("csv", MemorySource(b"a,n,word,x\n"), 100).layout
    with pytest.raises(
        InvalidRequest, match=r"join: got input columns \['x'\], expected none with the name of an output"
    ):
        formats.writer("csv", layout, Options(join=True), [tensor("x", "FP32", -1)])


def test_header_size_limit() -> None:
    with pytest.raises(InvalidRequest, match="header: got more than 40,960 bytes"):
        formats.plan("csv", MemorySource(b"a" * 100_000), 1000)
