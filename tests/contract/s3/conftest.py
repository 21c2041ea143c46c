"""The local stack's S3, and moto's beside it."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from maas_local.s3.application import S3
from support.aws.s3_calls import Told, client


@pytest.fixture(scope="module")
def told() -> Told:
    """Reason, bucket and key of each event."""
    return []


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, told: Told) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("s3")
    application = S3(
        folder / "index", folder / "objects", lambda reason, bucket, version: told.append((reason, bucket, version.key))
    )
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["ours", "moto"])
def s3(request: pytest.FixtureRequest) -> Any:
    url = request.getfixturevalue("ours" if request.param == "ours" else "moto_url")
    return client(url)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"b-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name
