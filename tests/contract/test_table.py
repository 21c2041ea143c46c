"""The table's guarantees, on both engines, with boto3 and with signed requests."""

import pytest

from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Put

VALUES = {
    "text": "ünïcode",
    "count": -3,
    "big": 2**53 + 1,
    "fraction": 0.1,
    "yes": True,
    "nothing": None,
    "list": [1, "two", [3.5], {}],
    "map": {"a": {"b": []}},
}


def put(sk: str, revision: int | None = None, **values: object) -> Put:
    return Put(("P", sk), {"revision": (revision or 0) + 1, **values}, revision)


def test_values_round_trip(table: Table, signed_table: Table) -> None:
    table.write([put("a", **VALUES)])
    assert table.get(("P", "a")) == {"revision": 1, **VALUES}
    assert signed_table.get(("P", "a")) == {"revision": 1, **VALUES}


def test_absent_item(table: Table, signed_table: Table) -> None:
    assert table.get(("P", "a")) is None
    assert signed_table.get(("P", "a")) is None


def test_put_of_a_new_item_is_conditional(table: Table) -> None:
    table.write([put("a", value=1)])
    with pytest.raises(WriteConflict):
        table.write([put("a", value=2)])
    assert table.get(("P", "a")) == {"revision": 1, "value": 1}


def test_put_is_conditional_on_the_revision(table: Table) -> None:
    table.write([put("a")])
    table.write([put("a", revision=1, value="second")])
    with pytest.raises(WriteConflict):
        table.write([put("a", revision=1, value="late")])
    assert table.get(("P", "a")) == {"revision": 2, "value": "second"}


def test_failed_transaction_writes_nothing(table: Table) -> None:
    table.write([put("a")])
    with pytest.raises(WriteConflict):
        table.write([put("b"), put("a", revision=7)])
    assert table.get(("P", "b")) is None


@pytest.mark.parametrize("way", ["table", "signed_table"])
def test_query_pagination_in_both_directions(table: Table, way: str, request: pytest.FixtureRequest) -> None:
    reader: Table = request.getfixturevalue(way)
    table.write([put(f"V#{number}", number=number) for number in range(1, 6)])
    table.write([put("H#1", number=-1)])
    pages, after = [], None
    while True:
        items, after = reader.query("P", "V#", limit=2, after=after, newest_first=True)
        pages.append([item["number"] for item in items])
        if after is None:
            break
    assert [number for page in pages for number in page] == [5, 4, 3, 2, 1]
    assert [item["number"] for item in reader.query("P", "", limit=10)[0]] == [-1, 1, 2, 3, 4, 5]
