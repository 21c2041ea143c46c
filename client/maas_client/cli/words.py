"""Says errors of the API and of the client in the words of a terminal: options and commands, not fields and routes."""

import re

from maas_client.errors import ApiError, MaasError

OPTIONS = {
    "quantize.scheme": "--quantize",
    "quantize.tolerance": "--quantize-tolerance",
    "golden.rtol": "--rtol",
    "golden.atol": "--atol",
    "smoke_run": "--smoke-run",
    "task": "--task",
    "parameters.variant": "--variant",
    "outputs": "--output",
    "output": "--output",
    "columns": "--column",
    "exclude": "--exclude",
    "join": "--join",
    "select": "--select",
    "max_errors": "--max-errors",
    "batch_size": "--batch-size",
    "notify": "--notify",
    "shadow.version": "--shadow",
    "shadow.percent": "--shadow",
    "shadow.compare": "--compare",
    "capture.percent": "--capture",
    "capture.what": "--what",
    "capture.days": "--days",
    "capture.redact": "--redact",
    "sticky": "--sticky",
    "steps": "--steps",
    "minutes_per_step": "--minutes",
    "guards.error_rate": "--error-rate",
    "guards.p95_ms": "--p95-ms",
    "guards.shadow_mismatch": "--shadow-mismatch",
    "guards.min_requests": "--min-requests",
    "on_breach": "--on-breach",
    "status": "--status",
    "kind": "--kind",
    "actor": "--actor",
    "limit": "--limit",
    "tag": "--tag",
    "scopes": "--scope",
    "expires_at": "--expires",
    "requests_per_second": "--rate",
    "grace_seconds": "--grace",
}
_TEXTS = [
    (re.compile(r"force=true"), "--force"),
    (
        re.compile(r"infer_later, infer\(\.\.\., large='later'\) and `maas predict --later` take more"),
        "`--large later` and `--later` take more",
    ),
    (re.compile(r"POST /api/v1/models/([^/\s]+)/restore"), r"`maas restore \1`"),
    (re.compile(r"POST /api/v1/models/([^/\s]+)/versions/(\d+)/restore"), r"`maas restore \1@\2`"),
    (re.compile(r": send a key as `Authorization: Bearer KEY` or `x-api-key: KEY`"), ""),
]


def in_a_terminal(error: MaasError) -> str:
    """The message of an error for a terminal."""
    message = str(error)
    for pattern, words in _TEXTS:
        message = pattern.sub(words, message)
    if not isinstance(error, ApiError) or error.field is None:
        return message
    field = re.sub(r"^options\.|\.\d+$", "", error.field)
    option = "--tag" if field.startswith("tags.") else OPTIONS.get(field)
    return message.replace(f"{error.field}:", f"{option}:", 1) if option else message
