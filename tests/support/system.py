"""The running system's bucket, and waiting for jobs, for end-to-end tests."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

RAN = pytest.StashKey[set[str]]()  # in config.stash: node ids of the tests that have run in this process
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(frozen=True)
class Bucket:
    """The system's bucket, as `aws s3` sees it."""

    s3: Any
    name: str

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=body)

    def get(self, key: str) -> bytes | None:
        try:
            return self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None

    def keys(self, prefix: str) -> list[str]:
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])]

    def wait_for(self, key: str, wanted: Callable[[bytes], bool], seconds: float = 100) -> bytes:
        deadline = time.monotonic() + seconds
        while (body := self.get(key)) is None or not wanted(body):
            assert time.monotonic() < deadline, f"{key} is {body!r}"
            time.sleep(0.1)
        return body


def kill_environments(function: str) -> int:
    """Kill the function's processes in the local stack of this process, half-way in whatever they do; how many."""
    wanted, killed = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode(), 0
    for found in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((found / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == os.getpid() and wanted in (found / "environ").read_bytes().split(b"\0"):
                os.kill(int(found.name), signal.SIGKILL)
                killed += 1
    return killed


def wait_for_job(http: httpx.Client, job_id: str, seconds: float = 100) -> dict[str, Any]:
    """The job, once it has ended."""
    deadline = time.monotonic() + seconds
    while True:
        answer = http.get(f"/api/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        if answer.json()["status"] in ENDED:
            return answer.json()  # type: ignore[no-any-return]
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
