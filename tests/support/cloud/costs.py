"""What a stack's functions cost, from the reports that Lambda writes to their logs."""

import json
import re
from dataclasses import dataclass
from typing import Any

US_DOLLARS_PER_GB_SECOND = 0.0000166667  # x86_64 in us-east-1, as in docs/operations.md
US_DOLLARS_PER_REQUEST = 0.20 / 1e6
_REPORT = re.compile(r"REPORT .*Billed Duration: ([\d.]+) ms\s+Memory Size: (\d+) MB")


@dataclass(frozen=True)
class Billed:
    milliseconds: float
    memory_mb: float


def lambda_costs(account: Any, name: str) -> str:
    """`12 invocations, 3.4 GB-seconds, US$ 0.0001`."""
    found = [report for group in log_groups(account, name) for report in reports(account, group)]
    if not found:
        return "no reports in the logs"
    gb_seconds = sum(one.milliseconds / 1000 * one.memory_mb / 1024 for one in found)
    costs = gb_seconds * US_DOLLARS_PER_GB_SECOND + len(found) * US_DOLLARS_PER_REQUEST
    return f"{len(found)} invocations, {gb_seconds:.1f} GB-seconds, US$ {costs:.4f}"


def log_groups(account: Any, name: str) -> list[str]:
    pages = account.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [one for page in pages for one in page["StackResourceSummaries"]]
    return [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == "AWS::Logs::LogGroup"]


def reports(account: Any, group: str) -> list[Billed]:
    pages = account.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    found = [billed(event["message"]) for page in pages for event in page["events"]]
    return [one for one in found if one]


def billed(line: str) -> Billed | None:
    """Of a line of a log: Lambda's report of an invocation, as JSON (LogFormat: JSON) or as text."""
    if "platform.report" in line:
        metrics = json.loads(line)["record"]["metrics"]
        return Billed(metrics["billedDurationMs"], metrics["memorySizeMB"])
    text = _REPORT.match(line)
    return Billed(float(text[1]), float(text[2])) if text else None
