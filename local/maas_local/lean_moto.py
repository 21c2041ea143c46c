"""moto with a cost of a request that does not grow with the table, or with the requests before.

moto keeps a backup in case a transaction fails: a deep copy of the whole table for every row of the transaction, which
takes most of the time of a request once there are a thousand rows. It also keeps every row that it ever made, these
copies too. Here a backup shares its rows with the table, an update changes a copy of its row, and old rows are dropped.
"""

import copy
from collections import defaultdict
from functools import cache
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table


@cache
def install() -> None:
    """Replaces these parts of moto, in this process."""
    update_item = DynamoDBBackend.update_item

    def update_copy(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *rest: Any, **named: Any) -> Any:
        table = self.get_table(table_name)
        partition, sort = self.get_keys_value(table, key)
        rows = table.items.get(partition, {})
        if sort is not None and sort in rows:
            rows[sort] = copy.deepcopy(rows[sort])
        return update_item(self, table_name, key, *rest, **named)

    DynamoDBBackend.update_item = update_copy  # type: ignore[method-assign]
    Table.__deepcopy__ = _backup  # type: ignore[attr-defined]
    for kind in (Item, Table):
        kind.__new__ = lambda cls, *_, **__: object.__new__(cls)  # type: ignore[method-assign]


def _backup(table: Table, memo: dict[int, Any]) -> Table:
    """A table whose rows may be replaced without an effect on the original's."""
    backup = copy.copy(table)
    if table.has_range_key:
        backup.items = defaultdict(dict, {partition: dict(rows) for partition, rows in table.items.items()})
    else:
        backup.items = copy.deepcopy(table.items, memo)
    return backup
