"""The Python client of MaaS.

>>> from maas_client import MaasClient
>>> with MaasClient() as maas:                                # MAAS_URL and MAAS_API_KEY, or http://127.0.0.1:8080
...     maas.push("model.onnx", "digits", alias="production")
...     maas.infer("digits", images, version="production")

AsyncMaasClient does the same with `await`. Names are imported when first used: `maas --help` needs neither httpx nor
numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas_client._async.client import AsyncMaasClient
    from maas_client._sync.client import MaasClient
    from maas_client.errors import (
        ApiError,
        CannotConnect,
        Conflict,
        DeadlineExceeded,
        DeploymentFailed,
        DownloadFailed,
        Gone,
        InvalidInput,
        InvalidRequest,
        InvalidResponse,
        JobCancelled,
        JobFailed,
        JobTimedOut,
        MaasError,
        NoAnswerInTime,
        NotAllowed,
        NotFound,
        PreconditionFailed,
        ServerFailed,
        TimedOut,
        TooLarge,
        TooManyRequests,
        Unavailable,
        UploadFailed,
    )
    from maas_client.protocol.tensors import BF16
    from maas_client.records.captures import CaptureFile, Difference, ReplayReport
    from maas_client.records.inference import (
        ClassScore,
        InferenceResponse,
        MetadataTensor,
        ModelMetadata,
        Ranked,
        ShapeProfile,
    )
    from maas_client.records.jobs import Job, JobProgress, JobResult, JobResults, JobShadow
    from maas_client.records.keys import ApiKey, Caller, NewKey
    from maas_client.records.metrics import (
        MetricsCost,
        MetricsPoint,
        MetricsPrices,
        MetricsSeries,
        MetricsShadow,
        MetricsSums,
        ModelMetrics,
    )
    from maas_client.records.models import (
        Alias,
        AliasThen,
        DeletedVersion,
        HistoryEntry,
        ModelVersion,
        NewVersion,
        RegisteredModel,
        Route,
        Task,
    )
    from maas_client.records.rollouts import Rollout, RolloutDecision, RolloutGuards
    from maas_client.records.transfers import Download, ModelFile, Progress, Upload, UploadPart

_HOMES = {
    "_async.client": ["AsyncMaasClient"],
    "_sync.client": ["MaasClient"],
    "records.captures": ["CaptureFile", "Difference", "ReplayReport"],
    "errors": [
        "ApiError",
        "CannotConnect",
        "Conflict",
        "DeadlineExceeded",
        "DeploymentFailed",
        "DownloadFailed",
        "Gone",
        "InvalidInput",
        "InvalidRequest",
        "InvalidResponse",
        "JobCancelled",
        "JobFailed",
        "JobTimedOut",
        "MaasError",
        "NoAnswerInTime",
        "NotAllowed",
        "NotFound",
        "PreconditionFailed",
        "ServerFailed",
        "TimedOut",
        "TooLarge",
        "TooManyRequests",
        "Unavailable",
        "UploadFailed",
    ],
    "records.inference": [
        "ClassScore",
        "InferenceResponse",
        "MetadataTensor",
        "ModelMetadata",
        "Ranked",
        "ShapeProfile",
    ],
    "records.jobs": ["Job", "JobProgress", "JobResult", "JobResults", "JobShadow"],
    "records.keys": ["ApiKey", "Caller", "NewKey"],
    "records.metrics": [
        "MetricsCost",
        "MetricsPoint",
        "MetricsPrices",
        "MetricsSeries",
        "MetricsShadow",
        "MetricsSums",
        "ModelMetrics",
    ],
    "records.models": [
        "Alias",
        "AliasThen",
        "DeletedVersion",
        "HistoryEntry",
        "ModelVersion",
        "NewVersion",
        "RegisteredModel",
        "Route",
        "Task",
    ],
    "protocol.tensors": ["BF16"],
    "records.rollouts": ["Rollout", "RolloutDecision", "RolloutGuards"],
    "records.transfers": ["Download", "ModelFile", "Progress", "Upload", "UploadPart"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BF16",
    "Alias",
    "AliasThen",
    "ApiError",
    "ApiKey",
    "AsyncMaasClient",
    "Caller",
    "CannotConnect",
    "CaptureFile",
    "ClassScore",
    "Conflict",
    "DeadlineExceeded",
    "DeletedVersion",
    "DeploymentFailed",
    "Difference",
    "Download",
    "DownloadFailed",
    "Gone",
    "HistoryEntry",
    "InferenceResponse",
    "InvalidInput",
    "InvalidRequest",
    "InvalidResponse",
    "Job",
    "JobCancelled",
    "JobFailed",
    "JobProgress",
    "JobResult",
    "JobResults",
    "JobShadow",
    "JobTimedOut",
    "MaasClient",
    "MaasError",
    "MetadataTensor",
    "MetricsCost",
    "MetricsPoint",
    "MetricsPrices",
    "MetricsSeries",
    "MetricsShadow",
    "MetricsSums",
    "ModelFile",
    "ModelMetadata",
    "ModelMetrics",
    "ModelVersion",
    "NewKey",
    "NewVersion",
    "NoAnswerInTime",
    "NotAllowed",
    "NotFound",
    "PreconditionFailed",
    "Progress",
    "Ranked",
    "RegisteredModel",
    "ReplayReport",
    "Rollout",
    "RolloutDecision",
    "RolloutGuards",
    "Route",
    "ServerFailed",
    "ShapeProfile",
    "Task",
    "TimedOut",
    "TooLarge",
    "TooManyRequests",
    "Unavailable",
    "Upload",
    "UploadFailed",
    "UploadPart",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
