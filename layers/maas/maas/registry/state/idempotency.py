"""Idempotency-Keys: what an earlier call with the same one created."""

import time
from dataclasses import dataclass
from typing import Any

from maas.aws.dynamodb import Table
from maas.aws.writes import Put, Write
from maas.errors import Conflict
from maas.registry.state import table_rows

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's Idempotency-Key and the digest of its request. Kept for a day, or for ever unless `expires`."""

    actor: str
    key: str
    digest: str
    expires: bool = True


def made_before(table: Table, idempotency: Idempotency | None) -> tuple[str, int | None] | None:
    """What an earlier call with this Idempotency-Key created: its name or id, and the number if it has one.

    Raises Conflict if the key was used for a different request.
    """
    if idempotency is None:
        return None
    row = table.get(table_rows.idempotency_key(idempotency.actor, idempotency.key))
    if row is None:
        return None
    if row["digest"] != idempotency.digest:
        raise Conflict("Idempotency-Key: already used for a different request", field="Idempotency-Key")
    return row["model"], row["number"]


def idempotency_row(idempotency: Idempotency | None, name: str, number: int | None = None) -> tuple[Write, ...]:
    """Remembers what this call creates, in its transaction; nothing without an Idempotency-Key."""
    if idempotency is None:
        return ()
    fields: dict[str, Any] = {"digest": idempotency.digest, "model": name, "number": number}
    if idempotency.expires:
        fields["expires_at"] = int(time.time()) + KEPT_SECONDS
    return (Put(table_rows.idempotency_key(idempotency.actor, idempotency.key), fields, None),)
