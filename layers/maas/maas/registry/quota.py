"""Quotas of models: how many versions and bytes are kept, deleted ones included."""

from maas.errors import QuotaExceeded
from maas.records import ModelQuota, RegisteredModel

NO_QUOTA = ModelQuota()
PURGED_EVERY_SECONDS = 3600  # interval of the maintenance schedule, which frees quota


def check_quota(model: RegisteredModel, quota: ModelQuota) -> None:
    """Raises QuotaExceeded for a model that keeps more than the quota."""
    for what, came, allowed in (
        ("versions", model.kept_versions, quota.versions),
        ("bytes", model.kept_bytes, quota.size_bytes),
    ):
        if allowed and came > allowed:
            raise QuotaExceeded(
                f"{what} kept of model '{model.name}' (purge deleted versions)", came, allowed, PURGED_EVERY_SECONDS
            )
