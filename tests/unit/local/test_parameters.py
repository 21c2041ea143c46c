"""Parameters of the template, as `maas local --parameter NAME=VALUE` takes them."""

import re

import pytest

from maas_client.errors import InvalidInput
from maas_local.parameters import parsed
from maas_local.stack import LocalStack, find_template
from maas_local.template import Template


def test_values_are_those_of_the_template() -> None:
    given = parsed(
        ["KeyHeader=x-api-key", "KeyCacheSeconds=60", "CorsOrigins=https://a.example,https://b.example/?a=b"]
    )
    assert given["CorsOrigins"] == "https://a.example,https://b.example/?a=b"
    template = Template.load(find_template(), given)
    template.check(given)
    remembered = {route.authorizer.remembered_seconds for route in template.routes() if route.authorizer}
    assert remembered == {60}


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        (["KeyHeader"], "got 'KeyHeader', expected NAME=VALUE"),
        (["=any"], "got '=any', expected NAME=VALUE"),
        (["SnapStart=on", "SnapStart=off"], "SnapStart is given twice"),
        (["Keyheader=any"], "the template has no 'Keyheader', only "),
        (["KeyHeader=x-other"], "--parameter KeyHeader: got 'x-other', expected one of any, authorization, x-api-key"),
        (["RetentionDays=0"], "--parameter RetentionDays: got '0', expected a number from 1 to 3650"),
        (["RetentionDays=NaN"], "got 'NaN', expected a number from 1 to 3650"),
        (["RetentionDays=soon"], "got 'soon', expected a number"),
        (["AwsEndpointUrl=http://127.0.0.1"], "set the variable AWS_ENDPOINT_URL"),
    ],
)
def test_others_are_refused(pairs: list[str], why: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(why)), LocalStack.start(parameters=parsed(pairs)):
        pass
