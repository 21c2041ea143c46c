"""Numbers in addresses, headers and the environment are written in digits: `int` and `float` take more."""

import json
from pathlib import Path
from types import ModuleType

import pytest

from conftest import LoadFunction
from maas.access.caller import caller_of
from maas.deployment.artifacts import version_of_commit_mark
from maas.errors import InvalidRequest, NotAuthenticated
from maas.numbers import whole_number
from maas.serving import oip
from maas.settings import MissingSetting, Settings
from support import onnx_models, wire

NO_NUMBERS = [
    "",
    " 5",
    "5 ",
    "+5",
    "-5",
    "1_0",
    "5.0",
    "5e0",
    "0x5",
    "٣",
    "²",
    "５",
    "nan",
    "inf",
    "9" * 20,
    "9" * 5000,
]
IN_AN_ADDRESS = {" ": "%20", "+": "%2B"}


def quoted(text: str) -> str:
    return "".join(IN_AN_ADDRESS.get(one, one) for one in text)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_whole_number(text: str) -> None:
    assert whole_number(text) is None
    assert (whole_number("0"), whole_number("007"), whole_number("9" * 19)) == (0, 7, int("9" * 19))


@pytest.mark.parametrize("text", [one for one in NO_NUMBERS if one])
def test_settings(text: str) -> None:
    with pytest.raises(MissingSetting, match=r"MAAS_TMP_MB: got .*, expected a whole number, in digits"):
        Settings.from_env({"MAAS_TABLE": "t", "MAAS_BUCKET": "b", "MAAS_TMP_MB": text})


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_header_length_and_timeout(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        oip.parse_request(b'{"inputs": []}', text)
    assert caught.value.field == oip.HEADER_LENGTH
    with pytest.raises(InvalidRequest) as caught:
        oip.parse_request(json.dumps({"inputs": [], "parameters": {"timeout": text}}).encode())
    assert caught.value.field == "parameters.timeout"


@pytest.mark.parametrize("text", [*NO_NUMBERS, "01"])
def test_key_of_a_commit_mark(text: str) -> None:
    assert version_of_commit_mark(f"models/m/{text}/source/manifest.json") is None
    assert version_of_commit_mark("models/m/1/source/manifest.json") == ("m", 1)


@pytest.mark.parametrize("text", [one for one in NO_NUMBERS if one])
def test_rate_of_a_key(text: str) -> None:
    with pytest.raises(NotAuthenticated):
        caller_of({"authorizer": {"lambda": {"actor": "key:1", "scopes": "admin", "requests_per_second": text}}})


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_numbers_in_the_address(text: str, load_function: LoadFunction) -> None:
    app = load_function("ManagementFunction")
    for path, field in (
        (f"/api/v1/models?limit={quoted(text)}", "limit"),
        (f"/api/v1/models/m/versions/{text}", "number"),
    ):
        event = wire.event(path, b"", {}, "GET")
        event["requestContext"]["authorizer"] = {"lambda": {"actor": "arn:ann", "scopes": "admin"}}
        answer = app.lambda_handler(event, wire.CONTEXT)
        said = json.loads(answer["body"])
        assert answer["statusCode"] == 400 or (text, field, answer["statusCode"]) == ("", "number", 404), said
        assert said.get("field", field) == field


@pytest.mark.parametrize("quality", ["nan", "inf", "1_0", "٣", "2", " 1", "+1", "1e0", "-0", "0.0001"])
def test_weights_in_accept(quality: str, tmp_path: Path) -> None:
    """A weight that is none counts as 0, and so does not outweigh another type."""
    (tmp_path / "linear.onnx").write_bytes(onnx_models.linear())
    app: ModuleType = wire.inference_function({"linear": tmp_path / "linear.onnx"})
    accept = f"text/csv;q={quality}, application/json;q=0.5"
    answer = app.lambda_handler(
        wire.event("/invocations?model=linear", b"[[1, 2, 3]]", {"accept": accept}), wire.CONTEXT
    )
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (200, "application/json")
