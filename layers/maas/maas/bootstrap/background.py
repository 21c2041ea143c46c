"""What events and schedules run: deployment, inbox, shadows, rollouts, roll-up; and whom it is told to."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from maas.aws.dynamodb import Table, boto3_call
from maas.bootstrap.serving import dataplane
from maas.bootstrap.stores import bucket, client, metrics, registry
from maas.settings import Settings

if TYPE_CHECKING:
    from maas.deployment.deploy import Deployment
    from maas.deployment.inbox import Inbox
    from maas.metrics.counters import Counters
    from maas.metrics.roll_up import RollUp
    from maas.notices.notices import Notices
    from maas.registry.rollout_tick import RolloutTick
    from maas.registry.rollouts import Tallies
    from maas.sampling.captures import Captures
    from maas.sampling.shadowing import Shadowing


def deployment(settings: Settings) -> "Deployment":
    from maas.aws.s3_reader import S3Reader
    from maas.deployment.child import Limits
    from maas.deployment.deploy import Deployment, Means

    reader = S3Reader(settings.region, settings.endpoint("s3"), settings.bucket)
    means = Means(
        Path(settings.tmp_dir),
        settings.tmp_bytes,
        settings.memory_mb,
        settings.threads,
        settings.max_tensor_bytes,
        Limits(settings.model_memory_bytes),
    )
    return Deployment(registry(settings), reader, bucket(settings), means)


def inbox(settings: Settings) -> "Inbox":
    from maas.aws.s3_reader import S3Reader
    from maas.deployment.inbox import Inbox

    reader = S3Reader(settings.region, settings.endpoint("s3"), settings.bucket)
    tmp_dir = Path(settings.tmp_dir)
    return Inbox(
        registry(settings),
        bucket(settings),
        reader,
        tmp_dir,
        settings.tmp_bytes // 2,
        settings.max_model_bytes,
        settings.model_quota,
    )


def captures(settings: Settings) -> "Captures":
    from maas.sampling.captures import Captures

    return Captures(bucket(settings))


def shadowing(settings: Settings, counters: "Counters") -> "Shadowing":
    from maas.aws.s3_reader import S3Reader
    from maas.aws.s3_writer import S3Writer
    from maas.sampling.capture_files import CaptureFiles
    from maas.sampling.shadowing import Shadowing

    place = settings.region, settings.endpoint("s3"), settings.bucket
    writer = S3Writer(*place)
    return Shadowing(dataplane(settings), S3Reader(*place), writer, CaptureFiles(writer), counters)


def roll_up(settings: Settings) -> "RollUp":
    from maas.metrics.roll_up import RollUp

    return RollUp(Table(boto3_call(client("dynamodb", settings)), settings.table))


def rollout_tick(settings: Settings, actor: str) -> "RolloutTick":
    from maas.registry.rollout_tick import RolloutTick

    return RolloutTick(registry(settings).rollouts, tallies(settings), notices(settings).tell, actor)


def tallies(settings: Settings) -> "Tallies":
    """For the guard of rollouts."""
    from maas.metrics.tallies import counted

    return partial(counted, metrics(settings))


def notices(settings: Settings) -> "Notices":
    from maas.aws.event_bus import EventBus
    from maas.aws.sns import Topics
    from maas.notices.notices import Notices

    return Notices(EventBus(client("events", settings)), Topics(client("sns", settings)))
