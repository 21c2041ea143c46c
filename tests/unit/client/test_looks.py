"""Tables on terminals of several widths."""

import io

import pytest
from rich.console import Console

from maas_client.cli.looks import UNFOLDED, row, table_of

JOB = "e918246ad6bda0595988"


def drawn(width: int) -> str:
    table = table_of("job", "model", "status", "by", "input")
    row(table, JOB, "digits@1", "SUCCEEDED", "key:6d17dd55f764ccc5", f"batch/jobs/{JOB}/rows.csv")
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return out.getvalue()


@pytest.mark.full
@pytest.mark.parametrize(
    ("width", "shown", "left_out"),
    [
        (UNFOLDED, ["by", "input"], []),
        (130, ["by", "input"], []),
        (100, ["input"], ["by"]),
        (60, [], ["by", "input"]),
        (40, [], ["by", "input"]),
    ],
)
def test_columns_are_left_out_before_ids_are_folded(width: int, shown: list[str], left_out: list[str]) -> None:
    text = drawn(width)
    head = next(one for one in text.splitlines() if "status" in one)
    assert [name for name in ("by", "input") if name in head.split()] == shown
    assert JOB in text and "SUCCEEDED" in text
    told = f"a wider terminal also shows: {', '.join(left_out)}"
    assert (told in " ".join(text.split())) == bool(left_out)
    assert all(len(one) <= width for one in text.splitlines())
