"""/api/v1/keys: create, list, rotate, revoke. No call returns a key with more rights than the caller has."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from maas.access.api_keys import ApiKey
from maas.web.application import Who
from objects import keys, page_tokens
from openapi import CREATED_KEY, refusals
from parameters import Limit, ListScope, OnceOnly, Token
from schemas.keys import CreatedKey, CreateKey, Key, KeyHistory, Keys, RotateKey

router = APIRouter(prefix="/keys", tags=["keys"])
KeyId = Annotated[str, Path(alias="id", pattern="^[0-9a-f]{16}$", examples=["0123456789abcdef"])]
Revoked = Annotated[bool, Query(description="Include revoked keys.")]


@router.post("", status_code=201, responses=CREATED_KEY | refusals(409))
def create_key(body: CreateKey, who: Who, once: OnceOnly) -> CreatedKey:
    """Create a key. Only this response has its text.

    Scopes, `expires_at` and `requests_per_second` are at most those of the calling key, which are also the default.
    """
    key, text = keys.create(
        body.name,
        body.scopes,
        who,
        once,
        good_until=body.expires_at,
        requests_per_second=body.requests_per_second,
    )
    return CreatedKey.of(key, key=text)


@router.get("", responses=refusals())
def list_keys(scope: ListScope, limit: Limit = 100, token: Token = None, include_revoked: Revoked = False) -> Keys:
    """Keys, ordered by id."""

    def keep(key: ApiKey) -> bool:
        return include_revoked or key.revoked_at is None

    found, last = keys.page(limit, page_tokens.position(scope, token), keep=keep)
    return Keys(keys=[Key.of(key) for key in found], next_page_token=page_tokens.issue(scope, last))


@router.get("/{id}", responses=refusals(404))
def get_key(key_id: KeyId) -> Key:
    """The key, also if it is revoked."""
    return Key.of(keys.get(key_id))


@router.get("/{id}/history", responses=refusals(404))
def key_history(key_id: KeyId, scope: ListScope, limit: Limit = 100, token: Token = None) -> KeyHistory:
    """Who created, rotated and revoked the key, newest first."""
    found, last = keys.history(key_id, limit, page_tokens.position(scope, token))
    return KeyHistory.of(found, page_tokens.issue(scope, last))


@router.post("/{id}/rotate", responses=refusals(404, 409))
def rotate_key(key_id: KeyId, who: Who, body: RotateKey | None = None) -> CreatedKey:
    """Replace the key's text. The previous text stays valid for the grace time, earlier ones do not.

    The calling key needs the key's scopes, and at least its `expires_at` and `requests_per_second`.
    """
    key, text = keys.rotate(key_id, (body or RotateKey()).grace_seconds, who)
    return CreatedKey.of(key, key=text)


@router.delete("/{id}", responses=refusals(404))
def revoke_key(key_id: KeyId, who: Who) -> Key:
    """Revoke the key permanently. Caches may accept it for some seconds more."""
    return Key.of(keys.revoke(key_id, who))
