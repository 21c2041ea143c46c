"""The Python client of MaaS.

>>> from maas_client import MaasClient
>>> with MaasClient() as maas:                                # MAAS_URL and MAAS_API_KEY, or http://127.0.0.1:8080
...     maas.push("model.onnx", "digits", alias="production")
...     maas.infer("digits", {"X": images}, version="production")

What is exported is imported when first used: `maas --help` needs neither httpx nor numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maas_client.client import MaasClient
    from maas_client.errors import (
        ApiError,
        CannotConnect,
        Conflict,
        DeploymentFailed,
        DownloadFailed,
        Gone,
        InvalidInput,
        InvalidRequest,
        MaasError,
        NotAllowed,
        NotFound,
        PreconditionFailed,
        ServerFailed,
        TimedOut,
        UploadFailed,
    )
    from maas_client.records import (
        Alias,
        Download,
        HistoryEntry,
        InferenceResponse,
        MetadataTensor,
        ModelFile,
        ModelMetadata,
        ModelVersion,
        NewVersion,
        Progress,
        RegisteredModel,
    )

_HOMES = {
    "client": ["MaasClient"],
    "errors": [
        "ApiError",
        "CannotConnect",
        "Conflict",
        "DeploymentFailed",
        "DownloadFailed",
        "Gone",
        "InvalidInput",
        "InvalidRequest",
        "MaasError",
        "NotAllowed",
        "NotFound",
        "PreconditionFailed",
        "ServerFailed",
        "TimedOut",
        "UploadFailed",
    ],
    "records": [
        "Alias",
        "Download",
        "HistoryEntry",
        "InferenceResponse",
        "MetadataTensor",
        "ModelFile",
        "ModelMetadata",
        "ModelVersion",
        "NewVersion",
        "Progress",
        "RegisteredModel",
    ],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alias",
    "ApiError",
    "CannotConnect",
    "Conflict",
    "DeploymentFailed",
    "Download",
    "DownloadFailed",
    "Gone",
    "HistoryEntry",
    "InferenceResponse",
    "InvalidInput",
    "InvalidRequest",
    "MaasClient",
    "MaasError",
    "MetadataTensor",
    "ModelFile",
    "ModelMetadata",
    "ModelVersion",
    "NewVersion",
    "NotAllowed",
    "NotFound",
    "PreconditionFailed",
    "Progress",
    "RegisteredModel",
    "ServerFailed",
    "TimedOut",
    "UploadFailed",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
