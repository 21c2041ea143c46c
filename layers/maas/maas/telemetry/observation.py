"""What is known of the request that is answered at the moment: each part that learns something notes it here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from maas.errors import MaasError

if TYPE_CHECKING:
    from maas.records import ModelVersion
    from maas.telemetry.stages import Stage

NS_PER_MS = 1_000_000
INTERNAL = "Internal"  # the class of every error that is no MaasError


class Observation:
    """What is known of the current request: ids, version and the alias that led there, stages, class of its error.

    `status` and what follows are known at the end. `now_ns` is since 1970.
    """

    version: "ModelVersion | None" = None
    alias: str | None = None
    stage: "Stage | None" = None
    error = caller = ""
    status = now_ns = elapsed_ns = bytes_in = bytes_out = 0

    def __init__(self, ids: Mapping[str, Any]) -> None:
        self.ids = ids


CURRENT: ContextVar[Observation | None] = ContextVar("observation", default=None)  # set by `request_log.observed`


@contextmanager
def observing(observation: Observation) -> Iterator[None]:
    """What the block does is noted in `observation`."""
    token = CURRENT.set(observation)
    try:
        yield
    finally:
        CURRENT.reset(token)


def inference_begins(version: "ModelVersion", alias: str | None, stage: "Stage") -> None:
    """Note version, alias and stages of an inference; does nothing outside of an HTTP request, as in batch."""
    observation = CURRENT.get()
    if observation is not None:
        observation.version, observation.alias, observation.stage = version, alias, stage


def concerns(version: "ModelVersion", alias: str | None) -> None:
    """Note the version of a request that is answered asynchronously, and the alias that led there."""
    observation = CURRENT.get()
    if observation is not None:
        observation.version, observation.alias = version, alias


def served_version() -> int | None:
    """The version that answers the current request, once that is known."""
    observation = CURRENT.get()
    return observation.version.number if observation and observation.version else None


def server_timing() -> str:
    """The stages of the current inference in milliseconds, as the header Server-Timing lists them; else empty."""
    observation = CURRENT.get()
    stages = observation.stage.ns if observation and observation.stage else {}
    return ", ".join([f"{name};dur={ns / NS_PER_MS:.3f}" for name, ns in stages.items()])


def failed(error: Exception) -> None:
    """Note what the current request is answered with."""
    observation = CURRENT.get()
    if observation is not None:
        observation.error = type(error).__name__ if isinstance(error, MaasError) else INTERNAL


def current() -> Observation | None:
    """The request that is answered at the moment."""
    return CURRENT.get()


def request_ids() -> Mapping[str, Any]:
    """The ids of the current request, for other log lines about it."""
    observation = CURRENT.get()
    return observation.ids if observation else {}
