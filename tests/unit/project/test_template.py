"""Rules that template.yaml keeps for every function, queue, alarm and route."""

import json
import re
from dataclasses import fields
from typing import Any

import pytest

from maas.records.samples import KEPT_DAYS
from maas.sampling.capture_files import DAYS_TAG
from maas.sampling.places import CAPTURE
from maas.settings import Settings
from maas.telemetry.request_log import UNITS
from maas.web.application import OPEN_PATHS
from maas_local import intrinsics
from support.aws.engine import ROOT, TEMPLATE

DOCUMENT = intrinsics.load(TEMPLATE.read_text())
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SIX = 6  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
NEW_ACCOUNT_MB = 3008
NOT_OURS = {"POWERTOOLS_SERVICE_NAME"}  # read by Powertools


def of_type(kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == f"AWS::{kind}"}


FUNCTIONS = of_type("Serverless::Function")
QUEUES = of_type("SQS::Queue")
DOCUMENTS = {"/api/v1/openapi.json", "/api/v1/docs", "/v2/openapi.json", "/v2/docs"}
CONSOLE = {"/console", "/console/{proxy+}"}
ALARMS = of_type("CloudWatch::Alarm")


def dimensions(alarm: dict[str, Any]) -> list[str]:
    return [json.dumps(one["Value"]) for one in alarm.get("Dimensions", [])]


def rules() -> list[dict[str, Any]]:
    return RESOURCES["Bucket"]["Properties"]["LifecycleConfiguration"]["Rules"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_variables_are_settings(name: str) -> None:
    known = {spec.metadata["variable"] for spec in fields(Settings)} | NOT_OURS
    everywhere = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    assert {*everywhere, *FUNCTIONS[name]["Environment"]["Variables"]} <= known


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_memory_timeout_role_and_log_group(name: str) -> None:
    function = FUNCTIONS[name]
    assert function["MemorySize"] and function["Timeout"]
    for kind, owners in (("Role", [one["Role"] for one in FUNCTIONS.values()]),):
        assert owners.count(function[kind]) == 1
    assert function["Role"] == {"Fn::GetAtt": f"{name.removesuffix('Function')}Role.Arn"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    log_group = function["LoggingConfig"]["LogGroup"]["Ref"]
    assert [one["LoggingConfig"]["LogGroup"]["Ref"] for one in FUNCTIONS.values()].count(log_group) == 1


@pytest.mark.parametrize("name", of_type("Logs::LogGroup"))
def test_log_group_has_retention(name: str) -> None:
    assert RESOURCES[name]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_change_of_a_function_publishes_a_version(name: str) -> None:
    """SAM publishes a version only when the handler's code changes, and the alias would serve old settings."""
    assert DOCUMENT["Globals"]["Function"]["AutoPublishAlias"] == "live"
    assert FUNCTIONS[name]["AutoPublishAliasAllProperties"] is True
    assert FUNCTIONS[name]["AutoPublishCodeSha256"] == {"Ref": "Release"}
    assert all(layer["PublishLambdaVersion"] is True for layer in of_type("Serverless::LayerVersion").values())


@pytest.mark.parametrize("name", ["ManagementFunction", "InferenceFunction", "AuthorizerFunction"])
def test_http_functions_roll_back_on_alarms(name: str) -> None:
    """Alarms are given by name: a reference would be a circle of alarms, API, aliases and deployment groups."""
    preference = FUNCTIONS[name]["DeploymentPreference"]
    named = [alarm for alarm in ALARMS.values() if alarm.get("AlarmName") in preference["Alarms"]]
    assert len(named) == len(preference["Alarms"]) == 2 and preference["Type"] == {"Ref": "CodeRollout"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_throttle_alarm(name: str) -> None:
    watched = [alarm for alarm in ALARMS.values() if alarm.get("MetricName") == "Throttles"]
    assert [json.dumps({"Ref": name})] in [dimensions(alarm) for alarm in watched]


def test_api_gateway_calls_the_live_authorizer() -> None:
    scheme = json.dumps(RESOURCES["Api"]["Properties"]["DefinitionBody"]["components"]["securitySchemes"])
    assert scheme.count("functions/${AuthorizerFunction.Arn}:live/") == scheme.count("authorizerUri") == 2
    assert RESOURCES["AuthorizerPermission"]["Properties"]["FunctionName"] == {"Ref": "AuthorizerFunction.Alias"}


def test_routes_need_authorizer_except_health_console_and_preflight() -> None:
    """A preflight has no key. The ANY route would take it, so each path has an OPTIONS route."""
    paths = RESOURCES["Api"]["Properties"]["DefinitionBody"]["paths"]
    events = [one["Properties"] for function in FUNCTIONS.values() for one in function.get("Events", {}).values()]
    routes = {(one["Method"], one["Path"]) for one in events if "Method" in one}
    by_method = {method: {path for one, path in routes if one == method} for method, _ in routes}
    assert by_method["OPTIONS"] == by_method["ANY"]
    assert by_method["HEAD"] == OPEN_PATHS | CONSOLE
    assert by_method["GET"] == OPEN_PATHS | DOCUMENTS | CONSOLE
    protected = [{"Caller": []}]
    for method, path in routes:
        name = "x-amazon-apigateway-any-method" if method == "ANY" else method.lower()
        is_open = {"Fn::If": ["OpensDocuments", [], protected]} if path in DOCUMENTS else []
        assert paths[path][name] == {"security": protected if method == "ANY" else is_open}


def test_visibility_timeout_exceeds_function_timeout() -> None:
    sources = [
        (event["Properties"]["Queue"]["Fn::GetAtt"].removesuffix(".Arn"), function["Timeout"])
        for function in FUNCTIONS.values()
        for event in function.get("Events", {}).values()
        if event["Type"] == "SQS"
    ]
    assert sources
    for queue, seconds in sources:
        assert QUEUES[queue]["VisibilityTimeout"] >= SIX * seconds


@pytest.mark.parametrize("name", QUEUES)
def test_queue_is_encrypted_and_keeps_messages_two_weeks(name: str) -> None:
    assert QUEUES[name]["SqsManagedSseEnabled"] is True
    kept = 3600 if name == "Samples" else 14 * 24 * 3600  # samples are lost rather than late
    assert QUEUES[name]["MessageRetentionPeriod"] == kept


def dead_letter_queues() -> list[str]:
    """The queues that receive failed events or messages, however the template says so."""
    text = json.dumps(RESOURCES)
    asked = ('"deadLetterTargetArn": {"Fn::GetAtt": "%s.Arn"}', '"Destination": {"Fn::GetAtt": "%s.Arn"}')
    return [name for name in QUEUES if any(one % name in text for one in asked)]


def test_dead_letter_queues() -> None:
    assert sorted(dead_letter_queues()) == ["BatchDeadLetters", "DeploymentDeadLetters", "PlannerDeadLetters"]


@pytest.mark.parametrize("name", dead_letter_queues())
def test_dead_letter_queue_has_alarm(name: str) -> None:
    named = [json.dumps({"Fn::GetAtt": f"{name}.QueueName"})]
    assert [alarm["MetricName"] for alarm in ALARMS.values() if dimensions(alarm) == named]


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_notifies_topic_and_is_documented(name: str) -> None:
    told = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == told
    assert f"`{name}`" in OPERATIONS


@pytest.mark.parametrize("name", DOCUMENT["Parameters"])
def test_parameter_is_documented(name: str) -> None:
    assert len(DOCUMENT["Parameters"][name]["Description"]) > 10
    assert f"`{name}`" in OPERATIONS


def test_each_parameter_is_in_one_labelled_group() -> None:
    groups = DOCUMENT["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(DOCUMENT["Parameters"])
    labels = [group["Label"]["default"] for group in groups]
    assert all(labels) and len(set(labels)) == len(labels)


def test_lifecycle_rules_spare_models() -> None:
    """A READY version pins object versions, which may be noncurrent; a deleted version may be restored."""
    for rule in rules():
        if set(rule) & {"ExpirationInDays", "NoncurrentVersionExpiration", "ExpiredObjectDeleteMarker"}:
            assert rule["Prefix"].startswith(("batch/", "inbox/", "shadow/", "capture/")), rule["Id"]
    assert not [rule["Id"] for rule in rules() if set(rule) & {"ExpirationDate", "Transitions", "Filter"}]


def test_expired_uploads_leave_no_noncurrent_versions() -> None:
    for rule in rules():
        if "ExpirationInDays" in rule and not rule["Prefix"].startswith(("shadow/", "capture/")):
            assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] > 14, "as long as a queue keeps who reads it"


def test_captured_files_expire_by_their_tag() -> None:
    """No alias can ask for days that no rule ends."""
    tagged = {rule["TagFilters"][0]["Value"]: rule for rule in rules() if "TagFilters" in rule}
    assert sorted(map(int, tagged)) == list(KEPT_DAYS)
    for days, rule in tagged.items():
        assert rule["TagFilters"] == [{"Key": DAYS_TAG, "Value": days}]
        assert (rule["Prefix"], rule["ExpirationInDays"]) == (CAPTURE, int(days))


@pytest.mark.parametrize("name", ["Bucket", "Table"])
def test_data_is_retained_but_for_a_failed_first_deployment(name: str) -> None:
    """With a protected table, CloudFormation could not roll the first deployment back: ROLLBACK_FAILED."""
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"
    assert DOCUMENT["Parameters"]["TableDeletionProtection"]["Default"] == "false"


def test_defaults_fit_into_a_new_account() -> None:
    """Lambda refuses more memory there, and any reserved concurrency: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    parameters = DOCUMENT["Parameters"]
    for function in FUNCTIONS.values():
        memory = function["MemorySize"]
        assert (parameters[memory["Ref"]]["Default"] if isinstance(memory, dict) else memory) <= NEW_ACCOUNT_MB
        if reserved := function.get("ReservedConcurrentExecutions"):
            _, asked, otherwise = reserved["Fn::If"]
            assert parameters[asked["Ref"]]["Default"] == 0 and otherwise == {"Ref": "AWS::NoValue"}


def test_api_document_imports_without_warnings() -> None:
    """SAM adds an entry to `servers` unless there is one, without a URL; HTTP APIs know no binary media types."""
    api = RESOURCES["Api"]["Properties"]
    assert api["DefinitionBody"]["servers"] == [{"url": "/"}]
    assert "FailOnWarnings" not in api
    assert "x-amazon-apigateway-binary-media-types" not in api["DefinitionBody"]


def test_table_is_recoverable_encrypted_and_protected() -> None:
    table = RESOURCES["Table"]["Properties"]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "TableDeletionProtection"}


def test_access_log_is_json_without_personal_data() -> None:
    written = json.loads(RESOURCES["Api"]["Properties"]["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "latencyMs"} <= written.keys()
    assert not any(word in value for value in written.values() for word in ("sourceIp", "userAgent", "identity"))


def test_dashboard_metrics_exist() -> None:
    """A misspelt metric is an empty graph without an error."""
    widgets = json.loads(RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])["widgets"]
    shown = [metric for widget in widgets for metric in widget["properties"].get("metrics", [])]
    of_versions = [re.search(r'MetricName="(\w+)"', one[0]["expression"]) for one in shown if "expression" in one[0]]
    assert {found and found[1] for found in of_versions} == {*UNITS} - {"Refused"}
    of_the_stack = {one[1] for one in shown if one[0] == "MaaS"}
    assert len(of_the_stack) == 6 and all(f"`{name}`" in OPERATIONS for name in of_the_stack)
