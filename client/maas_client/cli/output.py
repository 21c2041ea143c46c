"""Writes lines and JSON. Names, messages and paths of others are data: no character of theirs acts on a terminal."""

import json
import os
import re
import sys
from typing import Any

# C0, DEL and C1 controls (ANSI escapes, newlines), invisible characters, bidirectional controls, line separators,
# interlinear annotations, tags, and lone surrogates, which no encoding can write.
_ACTIVE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain(text: object) -> str:
    r"""The text in one line, with each active character spelled out: `\n`, `\x1b`, `\u202e`."""
    return _ACTIVE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))


def harmless(names: list[str]) -> list[str]:
    """Those without an active character, for a shell to complete."""
    return [name for name in names if plain(name) == name]


def echo(text: str, *, err: bool = False) -> None:
    """Write one line."""
    (sys.stderr if err else sys.stdout).write(f"{plain(text)}\n")


def echo_all(lines: list[Any]) -> None:
    """Write a line for each."""
    for one in lines:
        echo(str(one))


def print_json(value: Any) -> None:
    """Write a value as JSON; characters that would act, or that the output's encoding lacks, are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=fields)
    text = _ACTIVE.sub(lambda found: found[0] if found[0] == "\n" else _escape(found[0]), text)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = "".join(one if one.isascii() else _escape(one) for one in text)
    sys.stdout.write(f"{text}\n")


def fields(record: Any) -> dict[str, Any]:
    """What the API says of a record: its fields but for the ETag, which is a header, and empty parameters."""
    from dataclasses import asdict

    return asdict(record, dict_factory=_of_the_api)


def _of_the_api(fields_: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in fields_ if name != "etag" and (value or name != "parameters")}


def tolerate_any_text() -> None:
    """Let standard output and error take characters that their encoding lacks, as escapes; and their absence."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (until this process ends)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
