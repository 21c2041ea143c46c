"""The caller in each kind of request context, and the coverage of scopes."""

from typing import Any

import pytest

from maas.access.caller import SCOPES, Caller, Need, caller_of, check_scope
from maas.errors import InvalidRequest, NotAllowed, NotAuthenticated, QuotaExceeded, ServiceUnavailable


def event(**authorizer: Any) -> dict[str, Any]:
    return {"requestContext": {"authorizer": authorizer}}


def caller(*scopes: str) -> Caller:
    return Caller("key:1", frozenset(scopes))


@pytest.mark.parametrize(
    ("given", "actor", "scopes"),
    [
        (event(**{"lambda": {"actor": "key:1", "scopes": "models:read infer:a"}}), "key:1", {"models:read", "infer:a"}),
        (event(jwt={"claims": {"sub": "ann", "scope": "openid maas/infer"}}), "ann", {"openid", "infer"}),
        (event(jwt={"claims": {"client_id": "job", "scp": "[jobs infer:a]"}}), "job", {"jobs", "infer:a"}),
        (event(jwt={"claims": {"sub": "ann"}}), "ann", set()),
        (event(iam={"userArn": "arn:aws:iam::1:user/ann"}), "arn:aws:iam::1:user/ann", {"admin"}),
        ({"requestContext": {"identity": {"userArn": "arn:x"}}}, "arn:x", {"admin"}),
    ],
)
def test_caller_of_each_authorizer(given: dict[str, Any], actor: str, scopes: set[str]) -> None:
    assert caller_of(given.get("requestContext") or {}) == Caller(actor, frozenset(scopes))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"requestContext": None},
        event(jwt={"claims": {"sub": "ann\n{}", "scope": "infer"}}),
        event(iam={"userArn": "\ud800"}),
        event(**{"lambda": {"actor": "key:\x1b[2J", "scopes": "admin"}}),
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"identity": {"userArn": None, "sourceIp": "192.0.2.1"}}},
        event(**{"lambda": None}),
        event(**{"lambda": {}}),
        event(**{"lambda": {"scopes": "admin"}}),
        event(**{"lambda": {"refusal": "this API key is not known", "actor": "key:1", "scopes": "admin"}}),
        event(jwt={}),
        event(jwt={"claims": {"scope": "admin"}}),
        event(iam={"userArn": ""}),
        {"headers": {"x-api-key": "k"}, "authorizer": {"lambda": {"actor": "key:1", "scopes": "admin"}}},
    ],
)
def test_event_without_a_caller_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        caller_of(given.get("requestContext") or {})


def test_authorizer_refusals_become_errors() -> None:
    with pytest.raises(NotAuthenticated, match="has expired: send a key as"):
        caller_of(event(**{"lambda": {"refusal": "this API key has expired"}})["requestContext"])
    with pytest.raises(QuotaExceeded, match="expected at most 5; try again in 1 s"):
        caller_of(event(**{"lambda": {"refusal": "quota", "allowed": 5}})["requestContext"])
    with pytest.raises(ServiceUnavailable):
        caller_of(event(**{"lambda": {"refusal": "unavailable"}})["requestContext"])


@pytest.mark.parametrize(
    ("held", "covered"),
    [
        ("admin", {*SCOPES, "infer:a"}),
        ("infer", {"infer", "infer:a"}),
        ("infer:a", {"infer:a"}),
        ("models:write", {"models:write", "models:read"}),
        ("models:read", {"models:read"}),
        ("jobs", {"jobs"}),
        ("keys", {"keys"}),
        ("infer:", set()),
        ("Admin", set()),
    ],
)
def test_scope_coverage(held: str, covered: set[str]) -> None:
    known = [*SCOPES, "infer:a", "infer:ab", "infer:b"]
    also = {"infer:ab", "infer:b"} if held in ("admin", "infer") else set()
    assert {scope for scope in known if caller(held).has(scope)} == covered | also


def test_infer_scope_of_one_model() -> None:
    one = caller("infer:a")
    need = Need(("infer",))
    one.check(need, "a")
    one.check_infer("a")
    for model in ("b", "ab", "", "a/b", "A"):
        with pytest.raises(NotAllowed):
            one.check(need, model)
        with pytest.raises(NotAllowed, match=r"it needs infer or infer:"):
            one.check_infer(model)
    with pytest.raises(NotAllowed):
        one.check(need, None)
    one.check(Need(("infer",), any_model=True), None)
    assert one.sees("a") and not one.sees("b")
    assert caller("models:read").sees("b") and not caller("models:read").may_infer("b")


@pytest.mark.parametrize("scope", ["", "models", "infer:", "infer:A b", "infer:a,admin", "admin ", "infer:a admin"])
def test_unknown_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidRequest, match="scopes: got"):
        check_scope(scope, "scopes")
