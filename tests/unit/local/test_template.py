"""Reading a template for the local stack."""

from pathlib import Path
from typing import Any

import pytest

from maas.web.application import OPEN_PATHS
from maas_client.errors import MaasError
from maas_local import intrinsics
from maas_local.resources import Resources
from maas_local.template import Authorizer, Template

ROOT = Path(__file__).parents[3]

DOCUMENTS = {"/api/v1/openapi.json", "/api/v1/docs", "/v2/openapi.json", "/v2/docs"}
CONSOLE = {"/console", "/console/{proxy+}"}  # files that are read without a key


def load(tmp_path: Path, text: str) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(text)
    return Template.load(path)


def resolve(text: str) -> Any:
    document = intrinsics.load(text)
    return intrinsics.Resolver(document, {}, str.lower, "arn:{}".format).resolve(document["Value"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("!Sub ['${A}-${B.Arn}', {A: !Join ['+', [x, 1]]}]", "x+1-arn:B"),
        ("!Sub '${!Kept} ${AWS::AccountId}'", "${Kept} 123456789012"),
        ("!GetAtt Nested.Outputs.Arn", "nested"),
        ("{Fn::GetAtt: Queue.Arn}", "arn:Queue"),
        ("!Equals [1, '1']", True),
        ("!And [!Equals [a, a], !Or [!Equals [a, b], !Not [!Equals [a, b]]]]", True),
        ("[1, !Ref AWS::NoValue, 2]", [1, 2]),
        ("{Condition: {StringLike: {x: y}}}", {"Condition": {"StringLike": {"x": "y"}}}),
    ],
)
def test_functions_are_resolved(value: str, expected: object) -> None:
    assert resolve(f"Value: {value}") == expected


def test_function_defaults_and_failure_queue(tmp_path: Path) -> None:
    template = load(
        tmp_path,
        """
        Resources:
          Plain:
            Type: AWS::Serverless::Function
            Properties: {CodeUri: one, Handler: app.handler, Environment: {Variables: {FLAG: true, COUNT: 3}}}
          Careful:
            Type: AWS::Serverless::Function
            Properties:
              CodeUri: two
              Handler: app.handler
              EventInvokeConfig:
                MaximumRetryAttempts: 0
                DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
          Dead: {Type: AWS::SQS::Queue}
        """,
    )
    plain, careful = template.functions().values()
    assert (plain.timeout_seconds, plain.memory_mb, plain.attempts, plain.on_failure) == (3, 128, 3, None)
    assert plain.environment == {"FLAG": "true", "COUNT": "3"}
    assert (careful.attempts, careful.on_failure) == (1, "Dead")
    assert [queue.name for queue in template.queues()] == ["Dead"]


def test_resource_with_false_condition_is_left_out(tmp_path: Path) -> None:
    template = load(
        tmp_path,
        """
        Parameters: {Stage: {Default: test}}
        Conditions: {IsProduction: !Equals [!Ref Stage, production]}
        Resources:
          Always: {Type: AWS::SQS::Queue}
          Sometimes: {Type: AWS::SQS::Queue, Condition: IsProduction}
        """,
    )
    assert [queue.name for queue in template.queues()] == ["Always"]


@pytest.mark.parametrize("switched", ["on", "off"])
def test_bucket_properties(tmp_path: Path, switched: str) -> None:
    properties = {
        "on": "{VersioningConfiguration: {Status: Enabled}, "
        "NotificationConfiguration: {EventBridgeConfiguration: {EventBridgeEnabled: true}}}",
        "off": "{}",
    }[switched]
    bucket = load(tmp_path, f"Resources: {{B: {{Type: AWS::S3::Bucket, Properties: {properties}}}}}").bucket()
    assert (bucket.versioned, bucket.sends_events) == (switched == "on", switched == "on")


def test_template_of_this_project() -> None:
    """Above all, a bucket that sends events: without one no upload is deployed."""
    template = Template.load(ROOT / "template.yaml", {"AwsEndpointUrl": "http://moto"})
    functions = template.functions()
    assert template.bucket().versioned and template.bucket().sends_events
    called = {route.function for route in template.routes()} | {rule.function for rule in template.event_rules()}
    called |= {source.function for source in template.queue_sources()}
    called |= {route.authorizer.function for route in template.routes() if route.authorizer}
    called |= {schedule.function for schedule in template.schedules()}
    assert called == functions.keys()
    for function in functions.values():
        assert (function.folder / f"{function.handler.partition('.')[0]}.py").is_file()
        assert "http://moto" in function.environment.values()
        assert function.on_failure is None or function.on_failure in {queue.name for queue in template.queues()}


def test_every_route_except_health_has_an_authorizer() -> None:
    asked = Authorizer("AuthorizerFunction", (), 0)
    for documents, also_open in (("closed", set()), ("open", DOCUMENTS)):
        routes = Template.load(ROOT / "template.yaml", {"ApiDocuments": documents}).routes()
        is_open = {route.path for route in routes if route.authorizer is None and route.method != "OPTIONS"}
        assert is_open == OPEN_PATHS | CONSOLE | also_open
    assert {route.authorizer for route in routes if route.authorizer} == {asked}


def test_authorizer_cache_key_is_one_header() -> None:
    given = {"KeyHeader": "x-api-key", "KeyCacheSeconds": "60"}
    routes = Template.load(ROOT / "template.yaml", given).routes()
    asked = Authorizer("AuthorizerFunction", ("x-api-key",), 60)
    assert {route.authorizer for route in routes if route.authorizer} == {asked}


@pytest.mark.parametrize(
    ("auth", "scheme"),
    [
        (
            "jwt",
            {
                "type": "oauth2",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["maas"]},
                },
            },
        ),
        (
            "iam",
            {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
        ),
    ],
)
def test_jwt_and_iam_protect_the_same_routes(auth: str, scheme: dict[str, Any]) -> None:
    given = {"Auth": auth, "JwtIssuer": "https://issuer.example", "JwtAudience": "maas"}
    resources = Resources.load(ROOT / "template.yaml", given)
    ((_, properties),) = resources.of_type("Serverless::HttpApi")
    document = properties["DefinitionBody"]
    assert document["components"]["securitySchemes"] == {"Caller": scheme}
    guarded = {
        (path, method): said["security"]
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    }
    for _, _, event in resources.events("HttpApi"):
        method = event["Method"].lower().replace("any", "x-amazon-apigateway-any-method")
        is_open = event["Path"] in OPEN_PATHS | CONSOLE or method == "options"
        assert guarded.pop((event["Path"], method)) == ([] if is_open else [{"Caller": []}])
    assert guarded == {}


@pytest.mark.parametrize("auth", ["jwt", "iam"])
def test_other_authorizers_are_refused(auth: str) -> None:
    template = Template.load(ROOT / "template.yaml", {"Auth": auth})
    assert "AuthorizerFunction" not in template.functions()
    with pytest.raises(MaasError, match="keep the parameter Auth at its default, keys"):
        template.routes()
