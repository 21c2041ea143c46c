"""Who is calling and what it may do, as API Gateway says in the request context, which no caller can write.

A scope covers itself; `admin` covers all, `infer` each `infer:MODEL`, `models:write` also `models:read`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from maas.errors import InvalidRequest, NotAllowed, NotAuthenticated, QuotaExceeded, ServiceUnavailable
from maas.names import is_name

READ, WRITE, INFER, JOBS, KEYS, ADMIN = "models:read", "models:write", "infer", "jobs", "keys", "admin"
SCOPES = (READ, WRITE, INFER, JOBS, KEYS, ADMIN)
_OF_MODEL = f"{INFER}:"
_JWT_PREFIX = "maas/"  # of Cognito's resource servers, whose scopes cannot stand alone


class Need(NamedTuple):
    """What a route asks for: any one of `scopes`; if it names none, any caller. An open one asks nobody.

    Where `infer` is needed and the path names a model, it is for that model. A route of `any_model` lists or chooses
    models itself, and shows only those that the caller `sees`.
    """

    scopes: tuple[str, ...] = ()
    is_open: bool = False
    any_model: bool = False


OPEN = Need(is_open=True)
ANYBODY = Need()


class Caller(NamedTuple):
    """`actor` is what history says: `key:ID`, a token's subject, or an ARN."""

    actor: str
    scopes: frozenset[str]

    def has(self, scope: str) -> bool:
        held = self.scopes
        return (
            scope in held
            or ADMIN in held
            or (INFER in held and scope.startswith(_OF_MODEL))
            or (scope == READ and WRITE in held)
        )

    def has_all(self, scopes: Iterable[str]) -> bool:
        return all(map(self.has, scopes))

    def sees(self, model: str) -> bool:
        """Whether a list may show it."""
        return self.has(READ) or self.may_infer(model)

    def may_infer(self, model: str) -> bool:
        return self.has(_OF_MODEL + model)

    def check_infer(self, model: str) -> None:
        """Raises NotAllowed."""
        if not self.may_infer(model):
            raise NotAllowed(self.actor, [INFER, f"{_OF_MODEL}{model:.63}"])

    def check(self, need: Need, model: str | None) -> None:
        """Raises NotAllowed unless this caller may use a route that names `model`, or none."""
        if not need.scopes or any(map(self.has, need.scopes)):
            return
        if need.any_model and any(scope.startswith(_OF_MODEL) for scope in self.scopes):
            return
        if INFER in need.scopes and model is not None and not need.any_model and self.may_infer(model):
            return
        raise NotAllowed(self.actor, need.scopes)


def caller_of(event: Mapping[str, Any]) -> Caller:
    """Raises NotAuthenticated, also where API Gateway asked nobody; QuotaExceeded and ServiceUnavailable."""
    context = event.get("requestContext") or {}
    authorizer = context.get("authorizer") or {}
    if "lambda" in authorizer:
        return _of_key(authorizer["lambda"] or {})
    if "jwt" in authorizer:
        return _of_token(authorizer["jwt"].get("claims") or {})
    arn = (authorizer.get("iam") or context.get("identity") or {}).get("userArn")
    if not arn:
        raise NotAuthenticated
    return _caller(arn, ADMIN)  # what it may call is what IAM let through


def check_scope(scope: str, field: str) -> str:
    """Return `scope`; raises InvalidRequest if there is none like it."""
    if scope in SCOPES or (scope.startswith(_OF_MODEL) and is_name(scope.removeprefix(_OF_MODEL))):
        return scope
    expected = f"one of {', '.join(SCOPES)}, {_OF_MODEL}MODEL"
    raise InvalidRequest(f"{field}: got {scope!r:.80}, expected {expected}", field=field)


def _of_key(context: Mapping[str, Any]) -> Caller:
    """What the authorizer found (`maas.authorizer`): a caller, or why it is none, for this function to say."""
    refusal = context.get("refusal")
    if refusal == "quota":
        raise QuotaExceeded("requests per second of this key", "more", context.get("allowed"), 1)
    if refusal == "unavailable":
        raise ServiceUnavailable("DynamoDB")
    if refusal or "actor" not in context:
        raise NotAuthenticated(str(refusal or "nobody was asked for a key"))
    return _caller(str(context["actor"]), str(context.get("scopes", "")))


def _of_token(claims: Mapping[str, Any]) -> Caller:
    """Scopes as RFC 8693 has them, or `scp`; API Gateway writes a list as `[a b]`."""
    subject = claims.get("sub") or claims.get("client_id")
    if not subject:
        raise NotAuthenticated("the token has no subject")
    return _caller(str(subject), str(claims.get("scope") or claims.get("scp") or "").strip("[]"))


@lru_cache(1024)
def _caller(actor: str, scopes: str) -> Caller:
    """The same few call again and again: on the hot route, where microseconds count."""
    listed = scopes.replace(",", " ").split()
    return Caller(actor, frozenset(scope.removeprefix(_JWT_PREFIX) for scope in listed))
