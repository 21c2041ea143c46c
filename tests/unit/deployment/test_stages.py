"""Stages that the child process of a deployment tells its parent."""

import os
from pathlib import Path

from maas.deployment import preparation
from maas.deployment.child import Limits
from maas.deployment.child_stages import STAGES, reported
from maas.deployment.preparation import Job
from maas.records import Stage
from support import onnx_models


def test_stages_of_an_inspection(tmp_path: Path) -> None:
    (tmp_path / "prepared").mkdir()
    (tmp_path / "model.onnx").write_bytes(onnx_models.linear())
    told: list[Stage] = []
    job = Job(str(tmp_path / "model.onnx"), 1, 1 << 30, str(tmp_path / "prepared"))
    preparation.inspect(job, Limits(1 << 30, 60), told.append)
    assert told == [Stage.LOADING, Stage.SMOKE_RUN, Stage.PREPARING]


def test_what_a_hostile_child_tells_is_dropped() -> None:
    told: list[Stage] = []
    with reported(told.append) as pipe:
        os.write(pipe, b"READY\n" + b"\xff" * 100 + b"\nloading\nloading\n" + b"x" * 5000 + b"\n")
    assert told == [Stage.LOADING]


def test_open_pipe_does_not_hold_the_parent() -> None:
    with reported(lambda _: None) as pipe:
        held = os.dup(pipe)
    os.close(held)
    assert STAGES not in os.environ
