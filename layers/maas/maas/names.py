"""Rules for names: models, aliases, what an alias sticks to, references to versions, files."""

import re
from pathlib import PurePosixPath

from maas.errors import InvalidRequest

NAME_PATTERN = r"[a-z0-9][a-z0-9._-]{0,62}"
STICKY_PATTERN = r"none|caller|header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # a header's name as RFC 9110 has it
ALIAS_PATTERN = r"[a-z][a-z0-9._-]{0,62}|[0-9]+[a-z._-][a-z0-9._-]*"  # a name that is not a number
# A segment of a path: what every file system and URL can carry, nothing hidden, nothing that looks like an option.
_FIRST, _INNER, _LAST = r'[^\x00-\x20\x7f"*./:<>?\\|-]', r'[^\x00-\x1f\x7f"*/:<>?\\|]', r'[^\x00-\x20\x7f"*./:<>?\\|]'
FILE_PATTERN = f"{_FIRST}({_INNER}*{_LAST})?(/{_FIRST}({_INNER}*{_LAST})?)*"
MAX_FILE_NAME = 200  # bytes in UTF-8
NAME_RULE = "1 to 63 lower-case letters, digits, '.', '_' and '-', of which the first is a letter or digit"
FILE_RULE = (
    f'a relative path of at most {MAX_FILE_NAME} bytes without control characters and " * : < > ? \\ |, '
    "no part of which begins with '.', '-' or a blank or ends with '.' or a blank"
)
PATTERN_RULES = {  # what an error says in place of a pattern
    f"^{NAME_PATTERN}$": NAME_RULE,
    f"^({ALIAS_PATTERN})$": f"{NAME_RULE}, and no number",
    f"^{FILE_PATTERN}$": FILE_RULE,
    f"^({STICKY_PATTERN})$": "none, caller or header:NAME",
    # Of keys, jobs, SHA-256.
    **{f"^[0-9a-f]{{{digits}}}$": f"{digits} lower-case hexadecimal digits" for digits in (16, 20, 64)},
}
_NAME = re.compile(NAME_PATTERN)
_FILE = re.compile(FILE_PATTERN)
_STICKY = re.compile(STICKY_PATTERN)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MODEL_SUFFIX = ".onnx"


def is_model_file(name: str) -> bool:
    """Whether a file is the model of a version, by its suffix in small or capital letters."""
    return name.lower().endswith(MODEL_SUFFIX)


def is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def check_name(name: str, field: str) -> str:
    """Return `name`; raises InvalidRequest if it is no valid name of a model or alias."""
    if not is_name(name):
        raise InvalidRequest(f"{field}: got {name!r:.80}, expected {NAME_RULE}", field=field)
    return name


def check_alias(alias: str) -> str:
    """Like `check_name`; an alias must not be a number either, since URLs take it in place of a version number."""
    if alias.isdigit():
        raise InvalidRequest(f"alias: got {alias!r:.80}, expected a name that is not a number", field="alias")
    return check_name(alias, "alias")


def check_sticky(sticky: str) -> str:
    """Return `sticky`, which says by what requests to an alias keep their route; raises InvalidRequest."""
    if not _STICKY.fullmatch(sticky):
        raise InvalidRequest(f"sticky: got {sticky!r:.80}, expected none, caller or header:NAME", field="sticky")
    return sticky


def version_number(reference: str) -> int | None:
    """The version number in a URL's reference; None if it is an alias."""
    return int(reference) if _NUMBER.fullmatch(reference) else None


def check_file_name(name: str, field: str) -> str:
    """Return `name`; raises InvalidRequest unless it is a relative path of plain segments: no `..`, nothing hidden."""
    is_plain = name.isprintable() and _FILE.fullmatch(name) and len(name.encode()) <= MAX_FILE_NAME
    if not is_plain or PurePosixPath(name).name == "manifest.json":
        raise InvalidRequest(f"{field}: got {name!r:.80}, expected {FILE_RULE}, not manifest.json", field=field)
    return name
