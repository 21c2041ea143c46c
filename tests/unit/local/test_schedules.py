"""The local stack calls functions by the template's schedules."""

import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from maas_client.errors import MaasError
from maas_local.schedules import SchedulePump
from maas_local.template import Schedule, Template
from support.aws.engine import ROOT

FUNCTION = "Type: AWS::Serverless::Function, Properties: {CodeUri: f, Handler: app.h, Events: {E: "


def load(folder: Path, schedule: str) -> Template:
    path = folder / "template.yaml"
    path.write_text(f"Resources: {{F: {{{FUNCTION}{{Type: Schedule, Properties: {schedule}}}}}}}}}}}\n")
    return Template.load(path)


@pytest.mark.parametrize(
    ("rate", "minutes"), [("rate(1 minute)", 1), ("rate(5 minutes)", 5), ("rate(2 hours)", 120), ("rate(1 day)", 1440)]
)
def test_rates(tmp_path: Path, rate: str, minutes: int) -> None:
    assert load(tmp_path, f"{{Schedule: {rate}}}").schedules() == [Schedule("FE", "F", minutes, None)]


def test_other_schedules_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MaasError, match=r"at a rate only, not cron\(0 12 \* \* \? \*\)"):
        load(tmp_path, '{Schedule: "cron(0 12 * * ? *)"}').schedules()


def test_events_come_until_the_end(tmp_path: Path) -> None:
    """A failing function gets the next one; none comes after the end, and a running one is waited for."""
    events: list[tuple[str, dict[str, Any]]] = []
    third, running = threading.Event(), threading.Event()

    def invoke(function: str, event: dict[str, Any]) -> None:
        events.append((function, event))
        if len(events) == 1:
            raise MaasError("it failed")
        if len(events) == 3:
            third.set()
            time.sleep(0.3)
            running.set()

    pump = SchedulePump(load(tmp_path, "{Schedule: rate(1 minute)}"), invoke, minute_seconds=0.01)
    pump.start()
    assert third.wait(60)
    pump.stop()
    assert running.is_set() and len(events) == 3
    assert {function for function, _ in events} == {"F"}
    assert events[0][1]["detail-type"] == "Scheduled Event" and events[0][1]["source"] == "aws.events"


def test_the_input_is_the_event() -> None:
    template = Template.load(ROOT / "template.yaml")
    (minutely,) = [one for one in template.schedules() if one.minutes == 1]
    seen: SimpleQueue[dict[str, Any]] = SimpleQueue()
    pump = SchedulePump(template, lambda _, event: seen.put(event), minute_seconds=0.01)
    pump.start()
    assert seen.get(timeout=60)["detail"] == {"task": "rollouts"}
    pump.stop()
    assert minutely.function == "MaintenanceFunction"
