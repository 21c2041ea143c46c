"""The expected result of each file of events/, for handlers called in tests and with `sam local invoke`.

The state before each: model `example` has version 1 READY and version 2 uploaded and committed with a request for a
quantised form, but not deployed; the inbox has a file; there are inputs of batch jobs, one of them planned; and there
is an API key. For the routes of tasks there is a model with each: `sentences`, `reranker`, `reviews`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from maas import bootstrap
from maas.access.api_keys import ApiKey, StoredSecret
from maas.aws.clients import client
from maas.aws.dynamodb import Table, boto3_call
from maas.aws.writes import Put
from maas.batch.planner import Arrived
from maas.registry.state import table_rows
from maas.settings import Settings
from support import onnx_models
from support.aws.engine import ROOT, Cloud
from support.exports.small import text_export

EVENTS = ROOT / "events"
PLANNED, ROWS = "batch/input/example/1/planned.jsonl", b'{"x": [1, 2, 3]}\n{"x": "bad"}\n{"x": [4, 5, 6]}\n'
INFERRED = {"outputs": [{"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [6.0, 6.0, 15.0, 15.0]}]}
KEY_ID, SALT, SECRET = "0123456789abcdef", "ab" * 16, "0" * 64
KNOWN = {
    "isAuthorized": True,
    "context": {"actor": f"key:{KEY_ID}", "name": "ci", "scopes": "models:read infer:example"},
}


@dataclass(frozen=True)
class EventCase:
    """`expected` is a part of the result: of its JSON body if there is a status, else of the result itself.

    A type stands for any value of it. `exports` are the models with a task that the event is about.
    """

    name: str
    status: int | None
    expected: Any
    exports: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        return f"{self.name.split('_')[0].title()}Function"

    @property
    def event(self) -> dict[str, Any]:
        return json.loads((EVENTS / f"{self.name}.json").read_text())

    def check(self, result: dict[str, Any]) -> None:
        if self.status is None:
            answer = result
        else:
            assert result["statusCode"] == self.status, result
            answer = json.loads(result["body"])
        assert _has(answer, self.expected), answer


def _has(answer: Any, expected: Any) -> bool:
    if isinstance(expected, type):
        return isinstance(answer, expected)
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(
            name in answer and _has(answer[name], expected[name]) for name in expected
        )
    if isinstance(expected, list):
        return len(answer) == len(expected) and all(map(_has, answer, expected))
    return answer == expected  # type: ignore[no-any-return]


EXPORTS = {"sentences": "embeddings", "reranker": "rerank", "reviews": "text-classification"}
RANKED = {"index": int, "relevance_score": float}
ANOTHER_TASK = "model: 'reranker' has the task rerank, expected a model with the task embeddings or image-embeddings"
CASES = [
    EventCase("management_create_model", 201, {"name": "another", "tags": {"team": "vision"}}),
    EventCase("management_create_model_bad_name", 400, {"field": "name"}),
    EventCase("management_list_models", 200, {"next_page_token": None}),
    EventCase("management_create_version", 201, {"model": "example", "version": 3, "status": "PENDING_UPLOAD"}),
    EventCase("management_put_alias", 200, {"alias": "production", "version": 1}),
    EventCase("inference_server_metadata", 200, {"name": "maas"}),
    EventCase("inference_model_metadata", 200, {"name": "example", "platform": "onnx_onnxv1"}),
    EventCase("inference_infer", 200, {"model_version": "1", "id": "42", **INFERRED}),
    EventCase("inference_infer_binary", 200, {"model_version": "1", "id": "42", **INFERRED}),
    EventCase("inference_v1_predict", 200, {"predictions": [[6.0, 6.0], [15.0, 15.0]]}),
    EventCase("inference_invocations_csv", 200, {"predictions": [[6.0, 6.0], [15.0, 15.0]]}),
    EventCase("inference_infer_wrong_shape", 400, {"field": "inputs[x].shape"}),
    EventCase("inference_infer_function_url", 200, INFERRED),
    EventCase("inference_infer_rest_api", 200, INFERRED),
    EventCase("deployment_commit_mark", None, {"model": "example", "version": 2, "status": "READY"}),
    EventCase("deployment_drop", None, {"model": "dropped", "version": 1, "status": "PENDING_UPLOAD"}),
    EventCase("management_create_job", 201, {"model": "example", "version": 1, "status": "PLANNING"}),
    EventCase("inference_respond_async", 202, {"status": "UPLOADING"}),
    EventCase("planner_drop", None, {"status": "RUNNING", "reason": None}),
    EventCase("planner_other_object", None, {"ignored": "batch/input/rows.jsonl"}),
    EventCase("planner_given_up", None, {"batchItemFailures": []}),
    EventCase("planner_dead_letter", None, {"batchItemFailures": []}),
    EventCase("worker_shard", None, {"batchItemFailures": []}),
    EventCase(
        "worker_malformed", None, {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975680130"}]}
    ),
    EventCase("shadow_sample", None, {"batchItemFailures": []}),
    EventCase("shadow_malformed", None, {"batchItemFailures": []}),
    EventCase("maintenance_purge", None, {"purged": []}),
    EventCase("maintenance_revive", None, {"revived": []}),
    EventCase("maintenance_rollouts", None, {"rollouts": []}),
    EventCase("authorizer_key", None, KNOWN),
    EventCase("authorizer_bearer", None, KNOWN),
    EventCase("authorizer_unknown_key", None, {"context": {"refusal": "this API key is not known"}}),
    EventCase("authorizer_no_key", None, {"isAuthorized": True, "context": {"refusal": "the request has no API key"}}),
    EventCase("inference_infer_named_stage", 200, {"model_version": "1", "id": "42", **INFERRED}),
    EventCase("management_list_models_mapping_path", 200, {"next_page_token": None}),
    EventCase("inference_ping_load_balancer", 200, {"status": "Healthy"}),
    EventCase("inference_infer_load_balancer", 401, {}),
    EventCase("inference_scheduled", None, {"ignored": "scheduled event"}),
    EventCase("deployment_scheduled", None, {"ignored": "scheduled event"}),
    EventCase("deployment_sns", None, {"ignored": "SNS notification"}),
    EventCase("planner_scheduled", None, {"ignored": "scheduled event"}),
    EventCase("shadow_scheduled", None, {"ignored": "scheduled event"}),
    EventCase("worker_scheduled", None, {"ignored": "scheduled event"}),
    EventCase("management_warm_up", None, {"ignored": "warm-up event"}),
    EventCase("management_s3_test", None, {"ignored": "S3 test event"}),
    EventCase("maintenance_warm_up", None, {"ignored": "warm-up event"}),
    EventCase("authorizer_empty", None, {"ignored": "empty event", "isAuthorized": False}),
    EventCase("deployment_other_object", None, {"ignored": "models/example/2/source/model.onnx"}),
    EventCase(
        "inference_openai_embeddings",
        200,
        {"model": "sentences", "data": [{"index": 0, "embedding": str}, {"index": 1, "embedding": str}]},
        ("sentences",),
    ),
    EventCase(
        "inference_openai_embeddings_of_another_task",
        400,
        {"error": {"message": ANOTHER_TASK, "type": "invalid_request_error", "param": "model", "code": None}},
        ("reranker",),
    ),
    EventCase(
        "inference_cohere_rerank_v1",
        200,
        {"results": [RANKED | {"document": {"text": str}}] * 2, "meta": {"api_version": {"version": "1"}}},
        ("reranker",),
    ),
    EventCase(
        "inference_cohere_rerank_v2",
        200,
        {"results": [RANKED], "meta": {"api_version": {"version": "2"}}},
        ("reranker",),
    ),
    EventCase("inference_tei_embed", 200, [[float] * 32] * 2, ("sentences",)),
    EventCase("inference_tei_rerank", 200, [{"index": int, "score": float, "text": str}] * 2, ("reranker",)),
    EventCase("inference_tei_predict", 200, [{"score": float, "label": str}] * 3, ("reviews",)),
    EventCase(
        "inference_tei_tokenize",
        200,
        [
            [
                {"id": 2, "text": "[CLS]", "special": True, "start": None, "stop": None},
                {"id": int, "text": "the", "special": False, "start": 0, "stop": 3},
                {"id": int, "text": "cat", "special": False, "start": 4, "stop": 7},
                {"id": 3, "text": "[SEP]", "special": True, "start": None, "stop": None},
            ]
        ],
        ("sentences",),
    ),
]


def seed(cloud: Cloud, exports: Iterable[str] = ()) -> None:
    """`exports` are names of EXPORTS: each takes a second to deploy."""
    for name in exports:
        cloud.create_model(name)
        assert cloud.deploy(name, text_export(EXPORTS[name]).files).task
    cloud.create_model("example")
    cloud.deploy("example", onnx_models.linear())
    quantize = {"scheme": "dynamic-int8", "tolerance": 0.05}
    cloud.upload("example", onnx_models.linear(2.0), options={"quantize": quantize})
    put_key(cloud)
    s3, bucket = cloud.s3, cloud.settings.bucket
    s3.put_object(Bucket=bucket, Key="inbox/dropped/model.onnx", Body=onnx_models.linear(3.0))
    for key in ("batch/data/rows.jsonl", "batch/input/example/1/rows.jsonl", PLANNED):
        s3.put_object(Bucket=bucket, Key=key, Body=ROWS)
    bootstrap.planner(cloud.settings).arrived(Arrived(PLANNED, None, len(ROWS), "etag"))


def put_key(cloud: Cloud) -> None:
    """The key of events/authorizer_*.json; its stored form is computed here, not by the code under test."""
    digest = hmac.new(bytes.fromhex(SALT), SECRET.encode(), hashlib.sha256).hexdigest()
    scopes = ("models:read", "infer:example")
    key = ApiKey(KEY_ID, "ci", scopes, (StoredSecret(SALT, digest),), "2026-01-01T00:00:00.000000Z", "tester")
    write_key(cloud.settings, key)


def write_key(settings: Settings, key: ApiKey) -> None:
    table = Table(boto3_call(client("dynamodb", settings.region, settings.endpoint_url)), settings.table)
    table.write([Put(table_rows.api_key(key.id), key.fields, None)])
