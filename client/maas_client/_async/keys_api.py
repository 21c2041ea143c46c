"""`maas.keys`: API keys of the management API."""

import builtins
from collections.abc import Sequence
from datetime import datetime

from maas_client._async.transport import AsyncTransport
from maas_client.arguments import moment, texts
from maas_client.calls import api_path, filters
from maas_client.reading import read
from maas_client.records.keys import ApiKey, Caller, NewKey


class AsyncKeys:
    """API keys. The caller's own key needs scope `keys`, and every scope that it gives to another or takes from it."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def caller(self) -> Caller:
        """Who this client is to MaaS, and what it may do. Any caller may ask.

        >>> (await maas.keys.caller()).actor
        'key:0123456789abcdef'
        """
        return read(Caller, await self._transport.call("GET", api_path("caller")))

    async def list(self, limit: int | None = None, *, include_revoked: bool = False) -> builtins.list[ApiKey]:
        """All keys, or `limit` of them. The key's text, which is the secret, is never shown again.

        >>> [(key.name, key.scopes) for key in await maas.keys.list()]
        [('local', ('admin',))]
        """
        query = filters(include_revoked=include_revoked)
        return await self._transport.pages(api_path("keys"), "keys", ApiKey, limit, query)

    async def get(self, key_id: str) -> ApiKey:
        """One key. Raises NotFound.

        >>> (await maas.keys.get("0123456789abcdef")).name
        'local'
        """
        return read(ApiKey, await self._transport.call("GET", api_path("keys", key_id)))

    async def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires_at: datetime | None = None,
        requests_per_second: int | None = None,
    ) -> NewKey:
        """A new key, with its text in `key`: keep it, it is shown this once. Raises NotAllowed.

        `scopes` are of models:read, models:write, infer, infer:MODEL, jobs, rollouts:breach,
        captures:read, keys, admin. Not sent
        again when no answer comes.

        >>> made = await maas.keys.create("app", ["infer:digits"])
        >>> made.key.startswith("maas_")
        True
        """
        body = {
            "name": name,
            "scopes": texts("scopes", scopes),
            "expires_at": None if expires_at is None else moment("expires_at", expires_at).astimezone().isoformat(),
            "requests_per_second": requests_per_second,
        }
        return read(NewKey, await self._transport.call("POST", api_path("keys"), body))

    async def rotate(self, key_id: str, grace_seconds: int = 3600) -> NewKey:
        """Give a key a new text; the old one works for `grace_seconds` more. Raises Conflict for a revoked key.

        >>> (await maas.keys.rotate("0123456789abcdef", grace_seconds=60)).name
        'local'
        """
        path = api_path("keys", key_id, "rotate")
        return read(NewKey, await self._transport.call("POST", path, {"grace_seconds": grace_seconds}))

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key for good, within seconds.

        >>> (await maas.keys.revoke("0123456789abcdef")).revoked_at is None
        False
        """
        return read(ApiKey, await self._transport.call("DELETE", api_path("keys", key_id)))
