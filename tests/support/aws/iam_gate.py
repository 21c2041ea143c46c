"""`python -m support.aws.iam_gate HOST RECORD` runs moto behind a gate that checks the roles of template.yaml.

A request that is signed with the credentials of a function's role, be it sent by the function or with a URL that it
presigned, is let through only as the role's policy allows, and is written down in RECORD: one JSON line each. moto then
checks the signature and the policy once more, in its own way, where it can (see MOTO_CANNOT). Others' requests pass.
"""

import json
import os
import sys
import threading
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.sts.models import sts_backends

from maas_local.engine import moto_server
from maas_local.intrinsics import ACCOUNT
from support.aws import calls, iam_policies

# Why moto's own check covers less than the gate's: moto
MOTO_CANNOT = {
    "Condition": "denies what a statement with any condition would allow",
    "Resource": "knows no resource of DynamoDB, EventBridge and SNS: there it looks at the actions alone",
    "operations": "takes each operation for an action; IAM asks for the actions of its parts",
    "DeleteObjects": "asks about the bucket, not about the objects",
    "presigned": "looks for the signature in a header alone",
}
_OPERATIONS = {
    "dynamodb:PutItem": "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem": "dynamodb:TransactWriteItems",
    "sqs:SendMessage": "sqs:SendMessageBatch",
}
_NO_RESOURCE = ("dynamodb:", "events:", "sns:", "xray:")
_asked = threading.local()


def for_moto(statements: list[iam_policies.Statement]) -> dict[str, Any]:
    """The part of the policy that moto can evaluate."""
    plain = []
    for statement in statements:
        actions = iam_policies._listed(statement["Action"])
        resource = "*" if actions[0].startswith(_NO_RESOURCE) else statement["Resource"]
        actions = [*actions, *(_OPERATIONS[action] for action in actions if action in _OPERATIONS)]
        plain.append({"Effect": statement["Effect"], "Action": actions, "Resource": resource})
    return {"Version": "2012-10-17", "Statement": plain}


class Gate:
    def __init__(self, application: Any, record: Path) -> None:
        self._application, self._record = application, record.open("a", buffering=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = b""
        if environ["REQUEST_METHOD"] == "POST":  # small; uploads are PUT
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
        request = calls.signed(environ, body)
        function = _function_of(request.access_key) if request else None
        if request is None or function is None:
            _asked.moto = False
            return self._application(environ, start_response)
        if not self._allowed(function, calls.calls(request)):
            return _denied(request, start_response)
        _asked.moto = not request.presigned and "delete" not in request.query
        started: list[Any] = []
        answer = self._application(environ, lambda *arguments: started.extend(arguments))
        if started[0].startswith("404") and (call := calls.missing(request)) and not self._check(function, call):
            return _denied(request, start_response)
        start_response(*started)
        return answer

    def _allowed(self, function: str, calls: list[iam_policies.Call]) -> bool:
        checked = [self._check(function, call) for call in calls]  # no short circuit: each call is recorded
        return all(checked)

    def _check(self, function: str, call: iam_policies.Call) -> bool:
        granted = iam_policies.granting(iam_policies.roles()[function], call)
        by = sorted([grant.action, grant.resource] for grant in granted)
        line = {"function": function, "action": call.action, "resource": call.resource, "by": by}
        line["keys"] = call.context.get(iam_policies.LEADING_KEYS, [])
        self._record.write(json.dumps(line) + "\n")
        return bool(granted)


def _function_of(access_key: str) -> str | None:
    for role in sts_backends[ACCOUNT]["aws"].assumed_roles:
        if role.access_key_id == access_key:
            return role.role_arn.rpartition("/")[2]
    return None


def _denied(request: calls.Signed, start_response: Any) -> Iterable[bytes]:
    if request.service == "s3":
        start_response("403 Forbidden", [("content-type", "application/xml")])
        return [b"<Error><Code>AccessDenied</Code></Error>"]
    start_response("400 Bad Request", [("content-type", "application/x-amz-json-1.0")])
    return [json.dumps({"__type": "AccessDeniedException", "message": "the role does not allow it"}).encode()]


def enforce() -> None:
    """Turns on moto's own checks for the requests that the gate marks."""
    original = ActionAuthenticatorMixin._authenticate_and_authorize_action

    def of_roles(self: Any, kind: type, resource: str = "*") -> None:
        if getattr(_asked, "moto", False):
            original(self, kind, resource)

    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    ActionAuthenticatorMixin._authenticate_and_authorize_action = of_roles  # type: ignore[method-assign]


def main() -> None:
    enforce()
    server = moto_server(sys.argv[1])
    server.app = Gate(server.app, Path(sys.argv[2]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
