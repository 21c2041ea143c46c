"""What all formats share: names of files, wishes of a job."""

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
def test_the_format_is_in_the_name(name: str, format_: str) -> None:
    assert formats.format_of(name) == format_


@pytest.mark.parametrize("name", ["", "jsonl", "a.json", "a.npy.gz", "a.parquet.gz", "a.gz"])
def test_other_names_are_refused_with_what_is_possible(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\.jsonl, \.csv, \.parquet, \.npy, \.jsonl\.gz, \.csv\.gz"):
        formats.format_of(name)


def test_the_options_of_a_job() -> None:
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
def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match=f"{list(options)[-1]}: got .* expected"):
        Options.of(options)
