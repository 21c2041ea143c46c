"""The first API key of an installation, written directly to the table with AWS credentials, not through the API."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maas_client.errors import InvalidInput, MaasError
from maas_client.reading import read
from maas_client.records.keys import NewKey

if TYPE_CHECKING:
    from maas.aws.dynamodb import Table


def admin_key(table: "Table", name: str, actor: str) -> NewKey:
    """A new key of scope `admin`."""
    from maas.access.caller import ADMIN, Caller
    from maas.access.keys_table import Keys

    key, text = Keys(table).create(name, [ADMIN], Caller(actor, frozenset([ADMIN])))
    return read(NewKey, key.shown | {"key": text})


def is_valid(table: "Table", text: str) -> bool:
    """Whether the table knows this key, and it is neither revoked nor expired nor replaced."""
    from maas.access import api_keys
    from maas.access.keys_table import Keys
    from maas.times import canonical

    sent, now = api_keys.parse(text), canonical(datetime.now(UTC))
    key = Keys(table).find(sent.id) if sent else None
    return bool(sent and key and key.is_good(now) and api_keys.matches(sent.secret, key.secrets, now))


def bootstrap(name: str, table: str | None, stack: str) -> NewKey:
    """Create it with the caller's AWS credentials. If `table` is None, use the table of the CloudFormation stack.

    Raises InvalidInput if boto3 is missing, MaasError if AWS refuses.
    """
    try:
        from maas import errors
        from maas.aws.account import Account
        from maas.aws.dynamodb import CallFailed
    except ImportError as error:
        raise InvalidInput(f"`maas keys bootstrap` needs `{error.name}`: `pip install boto3`") from error
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    account = Account(region)
    try:
        actor = account.identity()
        return admin_key(account.table(table or account.table_of(stack)), name, actor)
    except (errors.MaasError, CallFailed) as error:
        raise MaasError(f"{error}; name the table with --table or the stack with --stack") from None
