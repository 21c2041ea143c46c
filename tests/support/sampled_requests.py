"""A model whose alias copies requests, and the functions that they pass."""

import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conftest import LoadFunction
from maas import bootstrap
from maas.aws.clients import client
from maas.metrics.counts import Counts
from maas.registry.aliases import Given
from maas_local.queues import event_of
from support import onnx_models, wire
from support.aws.engine import Cloud, create_cloud

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
BODY = {"id": "7", "inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": X}]}
HOUR = timedelta(hours=1)
NUMBERS = itertools.count()


class System:
    """A model `m`: version 2 answers otherwise than version 1, version 3 as that does.

    Each test has an alias of its own, which leads to version 1; `ALIAS` in a path stands for it.
    """

    def __init__(self, cloud: Cloud, load: LoadFunction) -> None:
        self.cloud, self.load, self.alias = cloud, load, f"a{next(NUMBERS)}"
        self.aliases = bootstrap.registry(cloud.settings).aliases
        self.sqs = client("sqs", "us-east-1", cloud.settings.endpoint_url)
        self.aliases.set("m", self.alias, 1, "tester")
        self.received()
        self._before = set(self.all_keys())

    def sample(self, **samples: Any) -> None:
        given: Given = samples  # type: ignore[assignment]
        self.aliases.set("m", self.alias, None, "tester", samples=given)

    def ask(self, *paths: str, body: Any = BODY) -> list[dict[str, Any]]:
        """The answers of the inference function; their samples are on their way afterwards."""
        app = self.load("InferenceFunction")
        whole = [path.replace("ALIAS", self.alias) for path in paths]
        answers = [app.lambda_handler(wire.event(path, json.dumps(body).encode()), wire.CONTEXT) for path in whole]
        app.after_answer.finish(10)
        return answers

    def received(self) -> list[dict[str, Any]]:
        """The messages that are in the queue, which is empty afterwards."""
        url, found = self.cloud.settings.shadow_queue_url, []
        while some := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages"):
            for one in some:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
            found += some
        return found

    def deliver(self, *messages: dict[str, Any], seconds: int = 180) -> list[str]:
        """The ids of messages that the shadow function wants again; it has so much time."""
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
        app = self.load("ShadowFunction")
        answer = app.lambda_handler(event_of("Samples", list(messages)), context)
        app.after_answer.finish(10)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def counts(self, version: int) -> Counts:
        now = datetime.now(UTC)
        found = bootstrap.metrics(self.cloud.settings).counts("m", self.alias, now - HOUR, now + HOUR)
        return found.get(version, Counts())

    def shadowed(self, version: int) -> tuple[int, int, int, int]:
        found = self.counts(version)
        return found.shadow_compared, found.shadow_mismatched, found.shadow_failed, found.shadow_dropped

    def lines(self) -> list[dict[str, Any]]:
        return [line for key in self.keys("capture/") for line in self.lines_of(key)]

    def lines_of(self, key: str) -> list[dict[str, Any]]:
        body = self.cloud.s3.get_object(Bucket=self.cloud.settings.bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def keys(self, prefix: str) -> list[str]:
        """Of the object versions that came since the test began."""
        return [key for key in self.all_keys() if key.startswith(prefix) and key not in self._before]

    def all_keys(self) -> list[str]:
        found = self.cloud.s3.list_object_versions(Bucket=self.cloud.settings.bucket)
        return [one["Key"] for one in (*found.get("Versions", []), *found.get("DeleteMarkers", []))]


def sampled_cloud(url: str, folder: Path) -> Cloud:
    """With the versions of `System`."""
    made = create_cloud(url, folder)
    made.create_model("m")
    for weight in (1.0, 2.0, 1.0):
        made.deploy("m", onnx_models.linear(weight))
    return made
