"""Settings: one table, read once at cold start."""

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

from maas.errors import MaasError
from maas.numbers import whole_number
from maas.records import ModelQuota

MB = 1024 * 1024
MEMORY_MB_PER_VCPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html


class MissingSetting(MaasError):
    pass


def _setting(variable: str, meaning: str, default: str | int | None = None) -> Any:
    metadata = {"variable": variable, "meaning": meaning}
    return field(metadata=metadata) if default is None else field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is an environment variable. If one without a default is not set, the cold start fails."""

    table: str = _setting("MAAS_TABLE", "DynamoDB table of the registry")
    bucket: str = _setting("MAAS_BUCKET", "S3 bucket of the model files")
    region: str = _setting("AWS_REGION", "AWS region; set by Lambda", "us-east-1")
    endpoint_url: str = _setting("AWS_ENDPOINT_URL", "URL of all AWS services in place of AWS's own", "")
    s3_endpoint_url: str = _setting("AWS_ENDPOINT_URL_S3", "URL of S3, before the one of all services", "")
    dynamodb_endpoint_url: str = _setting("AWS_ENDPOINT_URL_DYNAMODB", "the same of DynamoDB", "")
    sqs_endpoint_url: str = _setting("AWS_ENDPOINT_URL_SQS", "the same of SQS", "")
    sns_endpoint_url: str = _setting("AWS_ENDPOINT_URL_SNS", "the same of SNS", "")
    events_endpoint_url: str = _setting("AWS_ENDPOINT_URL_EVENTBRIDGE", "the same of EventBridge", "")
    ignore_endpoint_urls: str = _setting("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true: these URLs do not count", "")
    memory_mb: int = _setting("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "memory of the function; set by Lambda", 1769)
    tmp_mb: int = _setting("MAAS_TMP_MB", "MB of /tmp for model files", 512)
    tmp_dir: str = _setting("MAAS_TMP_DIR", "folder of the model files", os.path.join(tempfile.gettempdir(), "maas"))
    write_back: int = _setting("MAAS_WRITE_BACK", "1: store forms prepared for this CPU for other environments", 0)
    limit_memory: int = _setting("MAAS_LIMIT_MEMORY", "1: a run beyond the function's memory fails alone", 0)
    queue_url: str = _setting("MAAS_QUEUE_URL", "SQS queue of batch shards", "")
    async_queue_url: str = _setting("MAAS_ASYNC_QUEUE_URL", "SQS queue of asynchronous requests", "")
    shadow_queue_url: str = _setting("MAAS_SHADOW_QUEUE_URL", "SQS queue of sampled requests", "")
    hold_seconds: int = _setting(
        "MAAS_HOLD_SECONDS", "seconds after which a dead worker's shard is delivered again", 180
    )
    shard_mb: int = _setting("MAAS_SHARD_MB", "MB of input per batch shard", 64)
    resolve_ttl_seconds: int = _setting("MAAS_RESOLVE_TTL_SECONDS", "seconds that an environment caches an alias", 3)
    retention_days: int = _setting("MAAS_RETENTION_DAYS", "days that deleted models and versions can be restored", 30)
    upload_retention_days: int = _setting(
        "MAAS_UPLOAD_RETENTION_DAYS", "days that versions are kept that did not become READY", 7
    )
    idle_days: int = _setting(
        "MAAS_IDLE_DAYS", "days without a change after which a job or version is started again", 1
    )
    job_retention_days: int = _setting("MAAS_JOB_RETENTION_DAYS", "days that batch jobs are kept", 90)
    max_model_bytes: int = _setting("MAAS_MAX_MODEL_BYTES", "maximum bytes of a version's files together", 10 * 1024**3)
    max_tensor_bytes: int = _setting("MAAS_MAX_TENSOR_BYTES", "maximum bytes of one tensor of a model", 4 * 1024**3)
    max_texts: int = _setting("MAAS_MAX_TEXTS", "maximum texts of one request to a task; 0: unlimited", 2048)
    max_text_bytes: int = _setting("MAAS_MAX_TEXT_BYTES", "maximum bytes of text in one request; 0: unlimited", 1 * MB)
    max_tokens: int = _setting("MAAS_MAX_TOKENS", "maximum tokens of one request to a task; 0: unlimited", 300_000)
    max_image_pixels: int = _setting("MAAS_MAX_IMAGE_PIXELS", "maximum pixels of one image", 50_000_000)
    max_model_versions: int = _setting("MAAS_MAX_MODEL_VERSIONS", "maximum of kept versions per model; 0: unlimited", 0)
    max_stored_bytes: int = _setting("MAAS_MAX_STORED_BYTES", "maximum bytes kept per model; 0: unlimited", 0)
    key_header: str = _setting("MAAS_KEY_HEADER", "the only header read for API keys; any: both", "any")
    key_ttl_seconds: int = _setting("MAAS_KEY_TTL_SECONDS", "seconds that a revoked key may still be accepted", 10)
    key_requests_per_second: int = _setting(
        "MAAS_KEY_REQUESTS_PER_SECOND", "requests per second of a key without a limit of its own; 0: unlimited", 0
    )
    price_gb_second: str = _setting(
        "MAAS_PRICE_GB_SECOND", "USD for a GB-second of Lambda, in place of the list price", ""
    )
    price_million_requests: str = _setting(
        "MAAS_PRICE_MILLION_REQUESTS", "USD for a million requests of Lambda, in place of the list price", ""
    )
    documents: str = _setting(
        "MAAS_API_DOCUMENTS", "who may read the OpenAPI documents: closed: callers; open: all", "closed"
    )
    auth: str = _setting("MAAS_AUTH", "how callers authenticate: keys, jwt or iam; the console says so", "keys")
    upload_expiry_seconds: int = _setting("MAAS_UPLOAD_EXPIRY_SECONDS", "seconds that upload URLs are valid", 3600)

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Raises MissingSetting, naming the variable, if a required one is absent or a number is malformed."""
        values: dict[str, str | int] = {}
        for spec in fields(cls):
            variable = spec.metadata["variable"]
            text = environment.get(variable, "")
            if text:
                value = whole_number(text) if spec.type is int else text
                if value is None:
                    raise MissingSetting(f"{variable}: got {text!r}, expected a whole number, in digits")
                values[spec.name] = value
            elif spec.default is MISSING:
                raise MissingSetting(f"{variable} is not set ({spec.metadata['meaning']})")
        return cls(**values)  # type: ignore[arg-type]

    def endpoint(self, service: str) -> str:
        """The URL given for a service, which has boto3's name of it, or "" for AWS's own: as the AWS SDKs choose it."""
        if self.ignore_endpoint_urls.lower() == "true":
            return ""
        own: str = getattr(self, f"{service}_endpoint_url")
        return own or self.endpoint_url

    @property
    def threads(self) -> int:
        """Threads for onnxruntime: the vCPUs that a function of this memory has."""
        return math.ceil(self.memory_mb / MEMORY_MB_PER_VCPU)

    @property
    def opens_documents(self) -> bool:
        return self.documents == "open"

    @property
    def job_retention_seconds(self) -> int:
        return self.job_retention_days * 24 * 3600

    @property
    def runner_cache_bytes(self) -> int:
        """The part of `model_memory_bytes` for loaded models; the rest is for their runs."""
        return self.model_memory_bytes * 2 // 3

    @property
    def model_memory_bytes(self) -> int:
        """Memory for models, weights and runs together; the rest is for Python, its libraries and the request."""
        return max(self.memory_mb - 256, self.memory_mb // 2) * MB

    @property
    def model_quota(self) -> ModelQuota:
        return ModelQuota(self.max_model_versions, self.max_stored_bytes)

    @property
    def tmp_bytes(self) -> int:
        return self.tmp_mb * MB * 9 // 10
