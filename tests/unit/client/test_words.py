"""Errors of the API in the words of a terminal."""

import json
import re
from collections.abc import Callable

import pytest

from maas_client.cli.words import OPTIONS, in_a_terminal
from maas_client.errors import InvalidInput, api_error
from support.aws.engine import ROOT
from support.server.server import ContractServer

Run = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    ("status", "field", "message", "words"),
    [
        (409, None, "version 2 of model 'm' has aliases: prod; move them, or use force=true", "or use --force"),
        (410, None, "model 'm' was deleted; restore it with POST /api/v1/models/m/restore", "with `maas restore m`"),
        (
            410,
            None,
            "version 2 was deleted; restore it with POST /api/v1/models/m/versions/2/restore",
            "with `maas restore m@2`",
        ),
        (
            401,
            None,
            "no key: send a key as `Authorization: Bearer KEY` or `x-api-key: KEY`",
            "no key (HTTP 401; give a key",
        ),
        (400, "quantize.scheme", "quantize.scheme: Input should be 'dynamic-int8'", "--quantize: Input should"),
        (400, "options.max_errors", "options.max_errors: got -1", "--max-errors: got -1"),
        (400, "scopes.0", "scopes.0: got 'x', expected a scope", "--scope: got 'x'"),
        (400, "tags.a b", "tags.a b: got a blank", "--tag: got a blank"),
        (400, "golden.rtol", "golden.rtol: got -1", "--rtol: got -1"),
        (400, "capture.days", "capture.days: got 5, expected one of 1, 7, 30", "--days: got 5"),
        (400, "guards.error_rate", "guards.error_rate: got 2, expected a share", "--error-rate: got 2"),
        (400, "inputs[x].shape", "inputs[x].shape: got [3], expected [2]", "inputs[x].shape: got [3]"),
    ],
)
def test_fields_and_routes_become_options_and_commands(
    command: Run, server: ContractServer, status: int, field: str | None, message: str, words: str
) -> None:
    assert words in in_a_terminal(api_error(status, message, field))
    answer = {"error": message} | ({"field": field} if field else {})
    server.trouble = [("GET", (status, {}, json.dumps(answer).encode()))]
    code, _, err = command("show", "m")
    assert (code, words in err) == (1, True), err


def test_options_exist() -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    for option in OPTIONS.values():
        assert re.search(rf"`(?:-\w, )?{option}\b", reference), option


def test_errors_of_the_client_stay() -> None:
    assert in_a_terminal(InvalidInput("scopes: of a file")) == "scopes: of a file"
