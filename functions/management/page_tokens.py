"""Page tokens: a position in a list, signed so that it cannot be forged or used for another list."""

import base64
import binascii
import hmac
from collections.abc import Callable
from functools import cached_property

from maas.errors import InvalidRequest

_MAC_BYTES = 12


class PageTokens:
    """`secret` is called once, when the first token is issued or read."""

    def __init__(self, secret: Callable[[], bytes]) -> None:
        self._make_secret = secret

    @cached_property
    def _secret(self) -> bytes:
        return self._make_secret()

    def issue(self, scope: str, position: str | None) -> str | None:
        """A token for the position; None for None. `scope` identifies the list: its path and filters."""
        if position is None:
            return None
        return base64.urlsafe_b64encode(self._mac(scope, position) + position.encode()).decode().rstrip("=")

    def position(self, scope: str, token: str | None) -> str | None:
        """The position of a token. Raises InvalidRequest if it was not issued for this scope."""
        if token is None:
            return None
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            position = raw[_MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            raw, position = b"", ""
        if not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(scope, position)):
            raise InvalidRequest(
                "page_token: not a token of this list; leave it out to start again", field="page_token"
            )
        return position

    def _mac(self, scope: str, position: str) -> bytes:
        return hmac.digest(self._secret, f"{scope}\0{position}".encode(), "sha256")[:_MAC_BYTES]
