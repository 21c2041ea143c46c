"""The caller and its scopes, from API Gateway's request context, which callers cannot write.

A scope covers itself; `admin` covers all scopes, `infer` each `infer:MODEL`, `models:write` also `models:read`.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from maas.errors import InvalidRequest, NotAllowed, NotAuthenticated, QuotaExceeded, ServiceUnavailable
from maas.event_kinds import as_mapping
from maas.names import is_name
from maas.numbers import whole_number

READ, WRITE, INFER, JOBS, KEYS, ADMIN = "models:read", "models:write", "infer", "jobs", "keys", "admin"
BREACH = "rollouts:breach"  # for alarms, which need no more
CAPTURES = "captures:read"  # others' requests: no part of any scope but admin
SCOPES = (READ, WRITE, INFER, JOBS, KEYS, BREACH, CAPTURES, ADMIN)
KEY_ACTOR = "key:"
_OF_MODEL = f"{INFER}:"
_JWT_PREFIX = "maas/"  # a scope of a Cognito resource server always has the server's name before it


class Need(NamedTuple):
    """What a route requires: any one of `scopes`; any caller if there are none; no caller if it is open.

    On a path with a model, `infer:MODEL` of that model is enough for `infer`. A route with `any_model` lists or chooses
    models itself and shows only those that the caller `sees`.
    """

    scopes: tuple[str, ...] = ()
    is_open: bool = False
    any_model: bool = False


OPEN = Need(is_open=True)
ANYBODY = Need()


class Caller(NamedTuple):
    """`actor` is the caller's name in histories: `key:ID`, a token's subject, or an ARN.

    `expires_at` is when the presented text of a key becomes invalid, `requests_per_second` the key's limit; None is
    unlimited.
    """

    actor: str
    scopes: frozenset[str]
    expires_at: str | None = None
    requests_per_second: int | None = None

    @property
    def key_id(self) -> str | None:
        """The id of the API key; None for a token or a signature."""
        return self.actor.removeprefix(KEY_ACTOR) if self.actor.startswith(KEY_ACTOR) else None

    def has(self, scope: str) -> bool:
        held = self.scopes
        return (
            scope in held
            or ADMIN in held
            or (INFER in held and scope.startswith(_OF_MODEL))
            or (scope == READ and WRITE in held)
        )

    def sees(self, model: str) -> bool:
        """Whether lists show the model to this caller."""
        return self.has(READ) or self.may_infer(model)

    def may_infer(self, model: str) -> bool:
        return self.has(_OF_MODEL + model)

    def check_infer(self, model: str) -> None:
        """Raises NotAllowed."""
        if not self.may_infer(model):
            raise NotAllowed(self.actor, [INFER, f"{_OF_MODEL}{model:.63}"])

    def check(self, need: Need, model: str | None) -> None:
        """Raises NotAllowed unless this caller may use a route; `model` is the model in its path, if any."""
        if not need.scopes or any(map(self.has, need.scopes)):
            return
        if need.any_model and any(scope.startswith(_OF_MODEL) for scope in self.scopes):
            return
        if INFER in need.scopes and model is not None and not need.any_model and self.may_infer(model):
            return
        raise NotAllowed(self.actor, need.scopes)


def caller_of(context: Mapping[str, Any]) -> Caller:
    """The caller in a request context.

    Raises NotAuthenticated (also without an authorizer), QuotaExceeded, ServiceUnavailable.
    """
    authorizer = as_mapping(context.get("authorizer"))
    if "lambda" in authorizer:
        return _of_key(as_mapping(authorizer["lambda"]))
    if "jwt" in authorizer:
        return _of_token(as_mapping(as_mapping(authorizer["jwt"]).get("claims")))
    arn = as_mapping(authorizer.get("iam") or context.get("identity")).get("userArn")
    if not arn:
        raise NotAuthenticated
    return _caller(str(arn), ADMIN)  # IAM policies decide what the caller may call


def check_scope(scope: str, field: str) -> str:
    """Return `scope`; raises InvalidRequest if it does not exist."""
    if scope in SCOPES or (scope.startswith(_OF_MODEL) and is_name(scope.removeprefix(_OF_MODEL))):
        return scope
    expected = f"one of {', '.join(SCOPES)}, {_OF_MODEL}MODEL"
    raise InvalidRequest(f"{field}: got {scope!r:.80}, expected {expected}", field=field)


def _of_key(context: Mapping[str, Any]) -> Caller:
    """The caller that `maas.access.authorizer` found; raises the refusal that it put into the context."""
    refusal = context.get("refusal")
    if refusal == "quota":
        raise QuotaExceeded("requests per second of this key", "more", context.get("allowed"), 1)
    if refusal == "unavailable":
        raise ServiceUnavailable("DynamoDB")
    if refusal or "actor" not in context:
        raise NotAuthenticated(str(refusal or "the authorizer named no caller"))
    expires_at, rate = context.get("expires_at"), context.get("requests_per_second")
    per_second = whole_number(str(rate)) if rate else None
    if rate and not per_second:
        raise NotAuthenticated("the authorizer's requests_per_second is no whole number")
    return _caller(
        str(context["actor"]),
        str(context.get("scopes", "")),
        str(expires_at) if expires_at else None,
        per_second,
    )


def _of_token(claims: Mapping[str, Any]) -> Caller:
    """Scopes come in `scope` (RFC 8693) or in `scp`; API Gateway passes a list as `[a b]`."""
    subject = claims.get("sub") or claims.get("client_id")
    if not subject:
        raise NotAuthenticated("the token has no subject")
    return _caller(str(subject), str(claims.get("scope") or claims.get("scp") or "").strip("[]"))


@lru_cache(1024)
def _caller(actor: str, scopes: str, expires_at: str | None = None, requests_per_second: int | None = None) -> Caller:
    """Cached: a few callers make most requests, and this is on the inference route. Raises NotAuthenticated."""
    if not actor.isprintable():  # it stands in histories and logs
        raise NotAuthenticated("the caller's name has a character that is not printable")
    listed = scopes.replace(",", " ").split()
    held = frozenset(scope.removeprefix(_JWT_PREFIX) for scope in listed)
    return Caller(actor, held, expires_at, requests_per_second)
