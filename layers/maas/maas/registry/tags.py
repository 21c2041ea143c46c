"""Tags of models and versions: their limits, and changes by merge patch."""

from collections.abc import Mapping

from maas.errors import InvalidRequest

MAX_TAGS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH = 50, 128, 256


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """A copy of the tags. Raises InvalidRequest beyond a limit, and for keys with `=`, which filters cannot name."""
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(f"tags: got {len(tags)}, expected at most {MAX_TAGS}", field="tags")
    for key, value in tags.items():
        check_key(key)
        if not 1 <= len(value) <= MAX_VALUE_LENGTH:
            expected = f"1 to {MAX_VALUE_LENGTH} characters"
            raise InvalidRequest(
                f"tags: got {len(value)} characters for {key!r:.80}, expected {expected}", field="tags"
            )
    return dict(tags)


def check_key(key: str) -> str:
    """Return `key`; raises InvalidRequest."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH or "=" in key:
        expected = f"1 to {MAX_KEY_LENGTH} characters without '=', which separates key and value in filters"
        raise InvalidRequest(f"tags: got the key {key!r:.80}, expected {expected}", field="tags")
    return key


def merged(tags: Mapping[str, str], changes: Mapping[str, str | None] | None) -> dict[str, str]:
    """Tags after a JSON merge patch (RFC 7396): None removes one. Raises InvalidRequest as `checked` does."""
    if not changes:
        return dict(tags)
    both = dict(tags) | {check_key(key): value for key, value in changes.items()}
    return checked({key: value for key, value in both.items() if value is not None})
