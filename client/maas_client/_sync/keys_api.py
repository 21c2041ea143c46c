# Made from _async/keys_api.py by client/generate_sync.py: change that file.
"""`maas.keys`: API keys of the management API."""

import builtins
from collections.abc import Sequence
from datetime import datetime

from maas_client._sync.transport import Transport
from maas_client.arguments import moment, texts
from maas_client.calls import api_path, filters
from maas_client.reading import read
from maas_client.records.keys import ApiKey, Caller, NewKey


class Keys:
    """API keys. The caller's own key needs scope `keys`, and every scope that it gives to another or takes from it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def caller(self) -> Caller:
        """Who this client is to MaaS, and what it may do. Any caller may ask.

        >>> maas.keys.caller().actor
        'key:0123456789abcdef'
        """
        return read(Caller, self._transport.call("GET", api_path("caller")))

    def list(self, limit: int | None = None, *, include_revoked: bool = False) -> builtins.list[ApiKey]:
        """All keys, or `limit` of them. The key's text, which is the secret, is never shown again.

        >>> [(key.name, key.scopes) for key in maas.keys.list()]
        [('local', ('admin',))]
        """
        query = filters(include_revoked=include_revoked)
        return self._transport.pages(api_path("keys"), "keys", ApiKey, limit, query)

    def get(self, key_id: str) -> ApiKey:
        """One key. Raises NotFound.

        >>> maas.keys.get("0123456789abcdef").name
        'local'
        """
        return read(ApiKey, self._transport.call("GET", api_path("keys", key_id)))

    def create(
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

        >>> made = maas.keys.create("app", ["infer:digits"])
        >>> made.key.startswith("maas_")
        True
        """
        body = {
            "name": name,
            "scopes": texts("scopes", scopes),
            "expires_at": None if expires_at is None else moment("expires_at", expires_at).astimezone().isoformat(),
            "requests_per_second": requests_per_second,
        }
        return read(NewKey, self._transport.call("POST", api_path("keys"), body))

    def rotate(self, key_id: str, grace_seconds: int = 3600) -> NewKey:
        """Give a key a new text; the old one works for `grace_seconds` more. Raises Conflict for a revoked key.

        >>> maas.keys.rotate("0123456789abcdef", grace_seconds=60).name
        'local'
        """
        path = api_path("keys", key_id, "rotate")
        return read(NewKey, self._transport.call("POST", path, {"grace_seconds": grace_seconds}))

    def revoke(self, key_id: str) -> ApiKey:
        """End a key for good, within seconds.

        >>> maas.keys.revoke("0123456789abcdef").revoked_at is None
        False
        """
        return read(ApiKey, self._transport.call("DELETE", api_path("keys", key_id)))
