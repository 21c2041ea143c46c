"""The object graph of each function, built once at cold start from the settings; tests pass other settings."""

from maas.bootstrap.background import captures, deployment, inbox, notices, roll_up, rollout_tick, shadowing, tallies
from maas.bootstrap.batch import announcements, job_end, job_output, planner, submission, worker
from maas.bootstrap.serving import counters, dataplane, deferred, sampler
from maas.bootstrap.stores import async_queue, authorizer, bucket, jobs, keys, metrics, prices, queue, registry

__all__ = [
    "announcements",
    "async_queue",
    "authorizer",
    "bucket",
    "captures",
    "counters",
    "dataplane",
    "deferred",
    "deployment",
    "inbox",
    "job_end",
    "job_output",
    "jobs",
    "keys",
    "metrics",
    "notices",
    "planner",
    "prices",
    "queue",
    "registry",
    "roll_up",
    "rollout_tick",
    "sampler",
    "shadowing",
    "submission",
    "tallies",
    "worker",
]
