"""Format by file name, and options of a job."""

import pytest

from maas.batch import formats
from maas.batch.formats import Options
from maas.errors import InvalidRequest


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.jsonl", "jsonl"),
        ("A.CSV.gz", "csv.gz"),
        ("x.tar.npy", "npy"),
        ("é.parquet", "parquet"),
        ("a.jsonl.gz", "jsonl.gz"),
    ],
)
def test_format_by_suffix(name: str, format_: str) -> None:
    assert formats.format_of(name) == format_


@pytest.mark.parametrize("name", ["", "jsonl", "a.json", "a.npy.gz", "a.parquet.gz", "a.gz"])
def test_unknown_suffix_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.jsonl, \.csv, \.parquet, \.npy, \.jsonl\.gz, \.csv\.gz"):
        formats.format_of(name)


def test_options() -> None:
    assert Options.of({"max_errors": 3}) == Options()
    said = {"columns": ["b", "a"], "join": "input", "select": ["y"]}
    assert Options.of(said) == Options(("b", "a"), None, True, ("y",))


@pytest.mark.parametrize(
    "options",
    [
        {"join": True},
        {"join": "output"},
        {"columns": "a"},
        {"columns": []},
        {"select": [1]},
        {"exclude": ["a", "a"]},
        {"columns": ["a"], "exclude": ["b"]},
    ],
)
def test_invalid_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match=f"{list(options)[-1]}: got .* expected"):
        Options.of(options)
