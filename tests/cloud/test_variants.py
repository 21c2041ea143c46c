"""Each parameter of the template with another value than its default, deployed once."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from maas_client.errors import MaasError
from maas_local import intrinsics
from support import onnx_models
from support.aws.engine import CREDENTIALS, TEMPLATE
from support.cloud import deployment
from support.cloud.deployment import CloudStack
from support.cloud.engine import Engine
from support.cloud.variants import ELSEWHERE, OTHER_STACKS

ORIGIN = "https://other.example.com"


def test_every_parameter_has_another_value() -> None:
    declared = intrinsics.load(TEMPLATE.read_text())["Parameters"]
    varied = {name: value for variant in OTHER_STACKS.values() for name, value in variant.items()}
    assert declared.keys() == varied.keys() | ELSEWHERE.keys()
    assert not [name for name, value in varied.items() if str(declared[name]["Default"]) == value]


def takes_tokens_alone(stack: CloudStack, _: Path) -> None:
    assert httpx.get(f"{stack.url}/v2/models", timeout=60).status_code == 401
    assert httpx.get(f"{stack.url}/v2/openapi.json", timeout=60).status_code == 200
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    assert (
        httpx.options(f"{stack.url}/v2/models/m/infer", headers=asks).headers["access-control-allow-origin"] == ORIGIN
    )


def takes_signatures_alone(stack: CloudStack, _: Path) -> None:
    url = f"{stack.url}/api/v1/models"
    assert httpx.get(url, timeout=60).status_code == 403
    request = AWSRequest("GET", url)
    keys = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "execute-api", "us-east-1").add_auth(request)
    answer = httpx.get(url, headers=dict(request.headers), timeout=60)
    assert (answer.status_code, answer.json()["models"]) == (200, []), answer.text


def takes_keys_in_one_header(stack: CloudStack, _: Path) -> None:
    key = stack.api_key or ""
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        assert http.get("/v2/models", headers={"x-api-key": key}).status_code == 200
        assert http.get("/v2/models", headers={"authorization": f"Bearer {key}"}).status_code == 401
    table = stack.cloud.client("dynamodb").describe_table(TableName=stack.table)["Table"]
    assert table["DeletionProtectionEnabled"]


def refuses_what_is_too_large(stack: CloudStack, folder: Path) -> None:
    path = folder / "model.onnx"
    with deployment.client(stack) as maas:
        path.write_bytes(onnx_models.linear())
        for _ in range(2):
            maas.push(path, "small")
        with pytest.raises(MaasError, match="versions"):
            maas.push(path, "small")
        path.write_bytes(bytes(1048577))
        with pytest.raises(MaasError, match=r"1048576|1,048,576|1\.05 MB"):
            maas.push(path, "large")


def has_domain_and_topic(stack: CloudStack, _: Path) -> None:
    given = OTHER_STACKS["own-resources"]
    (alarm,) = stack.cloud.client("cloudwatch").describe_alarms(AlarmNames=["own-resources-api-latency"])[
        "MetricAlarms"
    ]
    assert (alarm["AlarmActions"], alarm["Threshold"]) == ([given["AlarmTopicArn"]], 1000)
    assert deployment.outputs(stack.cloud, "own-resources")["Url"] == "https://maas.example.com"
    records = stack.cloud.client("route53").list_resource_record_sets(HostedZoneId=given["HostedZoneId"])
    assert [one["Name"] for one in records["ResourceRecordSets"] if one["Type"] == "A"] == ["maas.example.com."]


CHECKS: dict[str, Callable[[CloudStack, Path], None]] = {
    "jwt": takes_tokens_alone,
    "iam": takes_signatures_alone,
    "one-header": takes_keys_in_one_header,
    "sizes": refuses_what_is_too_large,
    "own-resources": has_domain_and_topic,
}


@pytest.mark.full(keep=len(OTHER_STACKS))
@pytest.mark.parametrize("variant", OTHER_STACKS)
def test_variant(variant: str, aws_engine: Engine, tmp_path: Path) -> None:
    parameters = dict(OTHER_STACKS[variant])
    if "HostedZoneId" in parameters:
        prepare(aws_engine, parameters)
    deployment.deploy(aws_engine, variant, **parameters)
    stack = deployment.described(aws_engine, variant, key=parameters.get("Auth", "keys") == "keys")
    if "DomainName" not in parameters:  # its default endpoint is disabled
        assert httpx.get(f"{stack.url}/v2/health/live", timeout=60).json() == {"live": True}
    CHECKS[variant](stack, tmp_path)


def prepare(engine: Engine, parameters: dict[str, str]) -> None:
    """What the stack refers to, and does not make."""
    engine.client("s3").create_bucket(Bucket=parameters["AccessLogBucket"])
    engine.client("sns").create_topic(Name=parameters["AlarmTopicArn"].rpartition(":")[2])
    zone = engine.client("route53").create_hosted_zone(Name="example.com", CallerReference="tests")["HostedZone"]["Id"]
    parameters["HostedZoneId"] = OTHER_STACKS["own-resources"]["HostedZoneId"] = zone.rpartition("/")[2]
