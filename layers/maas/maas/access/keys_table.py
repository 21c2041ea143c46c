"""API keys in the table: create, list, rotate, revoke. Each change is written with its history entry."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from maas.access import api_keys
from maas.access.api_keys import ApiKey, KeyChange
from maas.access.caller import Caller, check_scope
from maas.aws.dynamodb import Table, WriteConflict
from maas.aws.writes import Put
from maas.errors import Conflict, Contended, InvalidRequest, NotAllowed, NotAuthenticated, NotFound, RightsExceeded
from maas.registry.state import table_rows
from maas.registry.state.idempotency import Idempotency, idempotency_row, made_before
from maas.registry.state.ledger import Ledger, attempts
from maas.times import canonical

COUNTED_SECONDS = 3600  # the counter of a second expires this much later


class Keys:
    """`requests_per_second` is the limit of keys without one of their own; 0 is unlimited."""

    def __init__(self, table: Table, requests_per_second: int = 0) -> None:
        self._table, self._ledger, self._default_rate = table, Ledger(table), requests_per_second

    def find(self, key_id: str) -> ApiKey | None:
        row = self._table.get(table_rows.api_key(key_id))
        return ApiKey.of(row) if row else None

    def get(self, key_id: str) -> ApiKey:
        """Raises NotFound."""
        key = self.find(key_id)
        if key is None:
            raise NotFound("API key", key_id)
        return key

    def page(
        self, limit: int, after: str | None = None, *, keep: Callable[[ApiKey], bool] = lambda key: not key.revoked_at
    ) -> tuple[list[ApiKey], str | None]:
        """Keys ordered by id. See `Ledger.page`."""
        return self._ledger.page(
            table_rows.KEYS, "", limit, after, record=ApiKey.of, sort_key=lambda key: key.id, keep=keep
        )

    def history(self, key_id: str, limit: int, after: str | None = None) -> tuple[list[KeyChange], str | None]:
        """Entries, newest first. Raises NotFound."""
        self.get(key_id)
        return self._ledger.page(
            table_rows.key_partition(key_id),
            "H#",
            limit,
            after,
            record=KeyChange.of,
            sort_key=lambda entry: table_rows.key_history_key(key_id, entry.revision)[1],
            keep=lambda _: True,
            newest_first=True,
        )

    def create(
        self,
        name: str,
        scopes: Sequence[str],
        by: Caller,
        idempotency: Idempotency | None = None,
        *,
        good_until: datetime | None = None,
        requests_per_second: int | None = None,
    ) -> tuple[ApiKey, str]:
        """The key and its text, which is not stored. The key gets at most the rights of the calling key.

        Raises InvalidRequest, NotAuthenticated, NotAllowed, RightsExceeded, and Conflict for a repeated call, since the
        text is not available any more.
        """
        now = datetime.now(UTC)
        held = tuple(dict.fromkeys(check_scope(scope, "scopes") for scope in scopes))
        if not held:
            raise InvalidRequest("scopes: got none, expected at least one", field="scopes")
        self._check_caller(by, held)
        if good_until is not None and good_until <= now:
            raise InvalidRequest("expires_at: got a time in the past, expected one in the future", field="expires_at")
        made = made_before(self._table, idempotency)
        if made:
            raise Conflict(f"the same call created key {made[0]} and returned its text: rotate it if the text is lost")
        key_id = api_keys.new_id()
        text, secret = api_keys.new_secret(key_id)
        at, until = canonical(now), canonical(good_until) if good_until else by.expires_at
        rate = requests_per_second or self._inherited_rate(by)
        key = ApiKey(key_id, name, held, (secret,), at, by.actor, good_until=until, requests_per_second=rate)
        self._check_limits(by, key)
        after = {"name": name, "scopes": list(held), "expires_at": until}
        also = idempotency_row(idempotency, key_id)
        entry = KeyChange(key_id, 1, at, by.actor, "key.created", after)
        try:
            self._table.write([_put(key, None), _history(entry), *also])
        except WriteConflict:  # the same call runs twice at the same time
            raise Contended(name, "API key") from None
        return key, text

    def rotate(self, key_id: str, grace_seconds: int, by: Caller) -> tuple[ApiKey, str]:
        """Replace the secret; the old one stays valid for `grace_seconds`.

        Raises NotFound, Conflict, NotAuthenticated, NotAllowed, RightsExceeded.
        """
        text = ""

        def decide(key: ApiKey, now: datetime) -> tuple[ApiKey, str, dict[str, Any]] | None:
            nonlocal text
            if not key.is_good(canonical(now)):
                raise Conflict(f"API key '{key_id}' is {'revoked' if key.revoked_at else 'expired'}: create another")
            self._check_limits(by, key)
            text, secret = api_keys.new_secret(key_id)
            until = canonical(now + timedelta(seconds=grace_seconds))
            before = replace(key.secrets[0], good_until=until)
            return replace(key, secrets=(secret, before)), "key.rotated", {"before_good_until": until}

        return self._change(key_id, by, decide), text

    def revoke(self, key_id: str, by: Caller) -> ApiKey:
        """Permanent and idempotent. Raises NotFound, NotAuthenticated, NotAllowed."""

        def decide(key: ApiKey, now: datetime) -> tuple[ApiKey, str, dict[str, Any]] | None:
            if key.revoked_at:
                return None
            return replace(key, revoked_at=canonical(now), revoked_by=by.actor), "key.revoked", {}

        return self._change(key_id, by, decide)

    def used(self, key_id: str, at: str, before: str) -> None:
        """Record a use at `at`, unless one after `before` is recorded."""
        self._table.advance(table_rows.api_key(key_id), "used_at", at, before)

    def count(self, key_id: str, second: int, requests: int) -> int:
        """Add requests to the counter of one second; returns its new value."""
        return self._table.add(table_rows.requests_key(key_id, second), requests, second + COUNTED_SECONDS)

    def _change(
        self,
        key_id: str,
        by: Caller,
        decide: Callable[[ApiKey, datetime], tuple[ApiKey, str, dict[str, Any]] | None],
    ) -> ApiKey:
        for _ in attempts():
            key, now = self.get(key_id), datetime.now(UTC)
            self._check_caller(by, key.scopes)  # a rotation returns the secret, and with it the key's rights
            decided = decide(key, now)
            if decided is None:
                return key
            changed, kind, after = decided
            changed = replace(changed, revision=key.revision + 1)
            entry = KeyChange(key_id, changed.revision, canonical(now), by.actor, kind, after)
            try:
                self._table.write([_put(changed, key.revision), _history(entry)])
                return changed
            except WriteConflict:
                continue
        raise Contended(key_id, "API key")

    def _check_caller(self, by: Caller, scopes: Sequence[str]) -> None:
        beyond = [scope for scope in scopes if not by.has(scope)]
        if beyond:
            raise NotAllowed(by.actor, beyond)
        if by.key_id is not None:  # caches accept a revoked key for some time; it must not create one that lasts
            calling = self.find(by.key_id)
            if calling is None or not calling.is_good(canonical(datetime.now(UTC))):
                raise NotAuthenticated("this API key is revoked or has expired")

    def _check_limits(self, by: Caller, key: ApiKey) -> None:
        if by.expires_at and (key.good_until is None or key.good_until > by.expires_at):
            raise RightsExceeded("expires_at", key.good_until or "no end", by.expires_at)
        rate = key.requests_per_second or self._default_rate
        if by.requests_per_second and not 0 < rate <= by.requests_per_second:
            raise RightsExceeded("requests_per_second", rate or "no limit", by.requests_per_second)

    def _inherited_rate(self, by: Caller) -> int | None:
        """The caller's limit for a new key, unless the default is as low."""
        limit = by.requests_per_second
        return limit if limit and not 0 < self._default_rate <= limit else None


def _put(key: ApiKey, revision: int | None) -> Put:
    return Put(table_rows.api_key(key.id), key.fields, revision)


def _history(entry: KeyChange) -> Put:
    fields = {"id": entry.id, "revision": entry.revision, "at": entry.at, "actor": entry.actor, "kind": entry.kind}
    return Put(table_rows.key_history_key(entry.id, entry.revision), fields | {"after": entry.after}, None)
