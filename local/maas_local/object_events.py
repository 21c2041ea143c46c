"""Events of objects, as S3 sends them to EventBridge: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""

import time
import uuid
from typing import Any

from moto.events.models import events_backends

from maas_local.intrinsics import ACCOUNT, REGION
from maas_local.s3.stored import StoredVersion


def publish(reason: str, bucket: str, version: StoredVersion) -> None:
    """Send `Object Created` to the rules' targets."""
    event: Any = created(reason, bucket, version)
    for bus in events_backends[ACCOUNT][REGION].event_buses.values():
        for rule in list(bus.rules.values()):
            rule.send_to_targets(event, transform_input=False)


def created(reason: str, bucket: str, version: StoredVersion) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": time.time(),  # moto writes it as RFC 3339
        "region": REGION,
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": version.key,
                "size": version.size_bytes,
                "etag": version.etag,
                "version-id": version.id,
                "sequencer": f"{time.time_ns():016X}",
            },
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": ACCOUNT,
            "source-ip-address": "127.0.0.1",
            "reason": reason,
        },
    }
