"""Calls after the answer: with Lambda's Extensions API, without it, and at the end of an environment."""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from maas.aws import after_answer
from maas.aws.after_answer import MAX_CALLS, AfterAnswer
from maas.aws.lambda_extension import Extension
from support.aws.extensions_api import ExtensionsApi

PATIENCE_SECONDS = 60  # a guard against hanging, nothing more


@pytest.fixture
def api() -> Iterator[ExtensionsApi]:
    with ExtensionsApi() as running:
        yield running


def handler(_event: Any, _context: Any) -> str:
    return "answer"


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_environment_may_freeze_only_after_the_calls(api: ExtensionsApi) -> None:
    after = AfterAnswer(Extension(api.address))
    api.await_next()
    assert api.registration["body"] == {"events": ["INVOKE"]}
    assert api.registration["headers"]["Lambda-Extension-Name"] == "maas"

    def slow() -> None:
        until(lambda: api.happened.qsize() == 2)  # it ends after the answer: "next", "answered"
        api.happened.put("called")

    def respond(event: Any, context: Any) -> str:
        after.add(slow)
        return handler(event, context)

    assert api.invoke(after.follows(respond)) == "answer"
    assert api.invoke(after.follows(handler)) == "answer"
    assert api.story() == ["next", "answered", "called", "next", "answered", "next"]


def test_periodic_calls_wait_for_an_answer_in_lambda(api: ExtensionsApi, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(after_answer, "time", SimpleNamespace(monotonic=lambda: now))
    after = AfterAnswer(Extension(api.address))
    after.every(10, lambda: api.happened.put("flushed"))
    api.await_next()
    for pause in (0, 9.9, 0.1):
        now += pause
        api.invoke(after.follows(handler))
    story = [one for one in api.story() if one != "answered"]
    assert story == ["next", "flushed", "next", "next", "flushed", "next"]


def test_a_lost_connection_is_opened_again(api: ExtensionsApi) -> None:
    after = AfterAnswer(Extension(api.address))
    api.await_next()
    api.lose()
    after.answered()  # of the invocation whose event was lost
    api.await_next()
    after.add(lambda: api.happened.put("called"))
    api.invoke(after.follows(handler))
    assert sorted(api.story()) == ["answered", "called", "next", "next", "next"]


def test_calls_run_when_the_extension_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ExtensionsApi(status=403) as api:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", api.address)
        _works_and_says(AfterAnswer.start(), "no Lambda extension: status 403", caplog)


def test_calls_run_when_there_is_no_extensions_api(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
    _works_and_says(AfterAnswer.start(), "no Lambda extension: ConnectionRefusedError", caplog)


def test_calls_run_when_the_extensions_api_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    with ExtensionsApi() as api:
        after = AfterAnswer(Extension(api.address))
        api.await_next()
        api.lose()
    after.answered()
    until(lambda: caplog.messages)
    _works_and_says(after, "no Lambda extension any more: ", caplog)


def _works_and_says(after: AfterAnswer, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    after.add(done.set)
    assert after.follows(handler)({}, None) == "answer"
    assert done.wait(PATIENCE_SECONDS)
    assert [message[: len(reason)] for message in caplog.messages] == [reason]


def test_a_failing_call_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    after, done = AfterAnswer(), threading.Event()

    def fail() -> None:
        raise ValueError("of this call")

    after.add(fail)
    after.add(done.set)
    after.answered()
    assert done.wait(PATIENCE_SECONDS)
    assert [(one.levelno, one.exc_info and str(one.exc_info[1])) for one in caplog.records] == [
        (logging.ERROR, "of this call")
    ]


def test_calls_follow_a_handler_that_raises() -> None:
    after, done = AfterAnswer(), threading.Event()

    def fail(_event: Any, _context: Any) -> None:
        after.add(done.set)
        raise LookupError

    with pytest.raises(LookupError):
        after.follows(fail)({}, None)
    assert done.wait(PATIENCE_SECONDS)


def test_only_so_many_calls_wait() -> None:
    after = AfterAnswer()
    assert all(after.add(int) for _ in range(MAX_CALLS))
    assert not after.add(int)
    after.answered()
    until(lambda: after.add(int))


def test_nothing_to_do_starts_no_thread() -> None:
    before = threads()
    AfterAnswer().answered()
    assert threads() <= before


def threads() -> set[threading.Thread]:
    """Those of this module: a server of another test may start one at any time."""
    return {one for one in threading.enumerate() if one.name == "after-answer"}


def test_periodic_calls_keep_time_without_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, times = list[float](), list[float]()
    clock = SimpleNamespace(monotonic=lambda: looks.append(time.monotonic()) or looks[-1])
    monkeypatch.setattr(after_answer, "time", clock)
    after = AfterAnswer()
    after.every(0.05, lambda: times.append(looks[-1]))  # the look that found it due: the call may start any time later
    time.sleep(0.06)
    assert not times  # not before the first answer
    after.answered()
    until(lambda: len(times) >= 3)
    after.finish()
    assert times[1] - times[0] >= 0.05 and times[2] - times[1] >= 0.05


ENVIRONMENT = """
import signal, sys, time
from maas.aws import after_answer
from maas.aws.after_answer import AfterAnswer
after_answer.END_SECONDS = 60  # that it finishes is meant here, not how soon on a busy machine
if "own" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
after = AfterAnswer.start()
after.every(3600, lambda: print("flushed", flush=True))
after.follows(lambda event, context: None)({}, None)
time.sleep(600)
"""


@pytest.mark.parametrize("in_lambda", [True, False], ids=["lambda", "elsewhere"])
def test_sigterm_runs_what_is_periodic(in_lambda: bool, api: ExtensionsApi) -> None:
    variables = {"AWS_LAMBDA_RUNTIME_API": api.address} if in_lambda else {}
    if in_lambda:
        api.announce()
    arguments = [sys.executable, "-c", ENVIRONMENT, *([] if in_lambda else ["own"])]
    with subprocess.Popen(arguments, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "flushed\n"
        if in_lambda:
            api.await_next()
            api.await_next()  # frozen
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == (-signal.SIGTERM if in_lambda else 7)
        assert process.stdout.read() == "flushed\n"
