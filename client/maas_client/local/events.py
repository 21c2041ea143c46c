"""EventBridge's other half: what the rules let through is given to the functions, again when they fail."""

import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from maas_client.local.cloud import LocalCloud
from maas_client.local.template import EventRule, Template

WORKERS = 4
WAIT_SECONDS = 1
RETRY_SECONDS = 1.0  # Lambda waits a minute, then two
Invoke = Callable[[str, dict[str, Any]], object]
_log = logging.getLogger(__name__)


class EventPump:
    """Calls `invoke(function, event)` for every event, on a few threads, until stopped."""

    def __init__(self, cloud: LocalCloud, template: Template, invoke: Invoke) -> None:
        self._cloud, self._invoke = cloud, invoke
        self._attempts = {name: function.attempts for name, function in template.functions().items()}
        self._stopping = threading.Event()
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="events")
        self._pollers = [
            threading.Thread(target=self._poll, args=(rule,), daemon=True) for rule in template.event_rules()
        ]

    def start(self) -> None:
        for poller in self._pollers:
            poller.start()

    def stop(self) -> None:
        self._stopping.set()
        for poller in self._pollers:
            poller.join()
        self._workers.shutdown(cancel_futures=True)

    def _poll(self, rule: EventRule) -> None:
        sqs, queue = self._cloud.client("sqs"), self._cloud.queue_url(rule)
        while not self._stopping.is_set():
            try:
                answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=WAIT_SECONDS, MaxNumberOfMessages=10)
                for message in answer.get("Messages", []):
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                    self._workers.submit(self._deliver, rule.function, json.loads(message["Body"]))
            except (BotoCoreError, ClientError) as error:
                if not self._stopping.is_set():
                    _log.warning("events of %s: %s", rule.name, error)
                    time.sleep(RETRY_SECONDS)

    def _deliver(self, function: str, event: dict[str, Any]) -> None:
        for attempt in range(1, self._attempts[function] + 1):
            try:
                self._invoke(function, event)
                return
            except Exception as error:
                _log.error("%s failed on an event (attempt %d): %s", function, attempt, error)
                if self._stopping.wait(RETRY_SECONDS * attempt):
                    return
        _log.error("%s: the event is given up; AWS would put it into the dead-letter queue: %s", function, event)
