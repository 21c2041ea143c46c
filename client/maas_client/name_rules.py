"""The server's rules for names, for what is sent and for what is written here; and what an address can be."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx

from maas_client.arguments import text
from maas_client.errors import DownloadFailed, InvalidInput

LONGEST_FILE_NAME = 200  # bytes in UTF-8
LONGEST_ALIAS = 63
# A segment begins with neither '.', '-' nor a blank, and ends with neither '.' nor a blank.
_FIRST, _INNER, _LAST = r'[^\x00-\x20\x7f"*./:<>?\\|-]', r'[^\x00-\x1f\x7f"*/:<>?\\|]', r'[^\x00-\x20\x7f"*./:<>?\\|]'
_FILE = re.compile(f"{_FIRST}({_INNER}*{_LAST})?(/{_FIRST}({_INNER}*{_LAST})?)*")
_JOB_ID = re.compile(r"[0-9a-f]{20}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ALIAS = re.compile(r"[a-z][a-z0-9._-]{0,62}|[0-9]+[a-z._-][a-z0-9._-]*")


def is_file_name(name: str) -> bool:
    """Whether it is a relative path of plain segments: no `..`, nothing hidden, at most 200 bytes."""
    return bool(name.isprintable() and _FILE.fullmatch(name) and len(name.encode()) <= LONGEST_FILE_NAME)


def check_listed(names: Sequence[str]) -> None:
    """Names of files that a server lists. Raises DownloadFailed for those that are not written here."""
    seen: set[str] = set()
    for name in sorted(names):
        if not is_file_name(name):
            raise DownloadFailed(f"the server lists {name!r:.200}, which is no name of a file")
        parents = {name[:at] for at, one in enumerate(name) if one == "/"}
        if name in seen or not seen.isdisjoint(parents):
            raise DownloadFailed(f"the server lists {name!r} twice, or as a file and a folder")
        seen.add(name)


def is_job_id(text: str) -> bool:
    """Whether it is a job's id, which stands in names of files here."""
    return _JOB_ID.fullmatch(text) is not None


def is_address(url: str) -> bool:
    """Whether a server's address of a file is one that HTTP can ask for."""
    try:
        parts = urlsplit(url)
        return bool(
            url.isascii()
            and url.isprintable()
            and parts.scheme in ("http", "https")
            and parts.hostname
            and parts.hostname.encode("idna")
            and httpx.URL(url).host
            and (parts.port is None or parts.port > 0)
        )
    except (ValueError, httpx.InvalidURL):  # of which errors of IDNA are
        return False


def are_headers(headers: Mapping[str, str]) -> bool:
    """Whether HTTP can carry them as they are."""
    return all(
        isinstance(name, str)
        and isinstance(value, str)
        and _HEADER.fullmatch(name)
        and value.isascii()
        and value.isprintable()
        for name, value in headers.items()
    )


def check_alias(alias: str | None) -> None:
    """Raises InvalidInput for what cannot be an alias."""
    if alias is not None and not (len(text("alias", alias)) <= LONGEST_ALIAS and _ALIAS.fullmatch(alias)):
        expected = "a name of lower-case letters, digits, '.', '_' and '-' that is not a number"
        raise InvalidInput(f"alias: got {alias!r:.80}, expected {expected}")
