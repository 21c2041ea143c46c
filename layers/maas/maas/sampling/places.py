"""Where samples lie in the bucket."""

SHADOW = "shadow/"  # samples that are too large for a message
CAPTURE = "capture/"
HOUR = "%Y/%m/%d/%H/"  # of a captured file, in UTC


def folder(model: str, version: int) -> str:
    """Of a version's captured files."""
    return f"{CAPTURE}{model}/{version}/"
