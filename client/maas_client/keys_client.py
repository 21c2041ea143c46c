"""API keys of the management API, /api/v1/keys."""

from collections.abc import Sequence
from datetime import datetime

from maas_client.calls import path_of
from maas_client.key_records import ApiKey, NewKey
from maas_client.models_client import ModelsClient, filters

KEYS = "/api/v1/keys"


class KeysClient(ModelsClient):
    """The key that calls needs scope `keys`, and every scope that it gives or takes away."""

    def api_keys(self, limit: int | None = None, *, include_revoked: bool = False) -> list[ApiKey]:
        query = filters(include_revoked=include_revoked)
        return [ApiKey.of(fields) for fields in self._pages(KEYS, "keys", limit, query)]

    def api_key(self, key_id: str) -> ApiKey:
        return ApiKey.of(self._transport.call("GET", path_of("api", "v1", "keys", key_id)))

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires_at: datetime | None = None,
        requests_per_second: int | None = None,
    ) -> NewKey:
        """Its text is in `key`, and nowhere else: it is not sent again when no answer comes. Raises NotAllowed."""
        body = {
            "name": name,
            "scopes": list(scopes),
            "expires_at": expires_at.astimezone().isoformat() if expires_at else None,
            "requests_per_second": requests_per_second,
        }
        return NewKey.of(self._transport.call("POST", KEYS, body))

    def rotate_key(self, key_id: str, grace_seconds: int = 3600) -> NewKey:
        """Another text; the one before it is good for `grace_seconds` more. Raises Conflict for a revoked key."""
        path = path_of("api", "v1", "keys", key_id, "rotate")
        return NewKey.of(self._transport.call("POST", path, {"grace_seconds": grace_seconds}))

    def revoke_key(self, key_id: str) -> ApiKey:
        """For good."""
        return ApiKey.of(self._transport.call("DELETE", path_of("api", "v1", "keys", key_id)))
