"""Writes docs/python.md from the docstrings of maas_client: `python client/generate_reference.py [FILE]`."""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import maas_client
from maas_client import MaasClient

TARGET = Path(__file__).parent.parent / "docs" / "python.md"
PARTS = ("models", "versions", "aliases", "rollouts", "captures", "jobs", "keys")
HEAD = """# The Python client

Made from the code by `make docs`. Each example runs as a test, on a server with model `digits`: version 1, to which
alias `production` points, and version 2. Its output y is its input x, FP32 [-1, 2], times the version.

`AsyncMaasClient` has the same methods with the same arguments; each is awaited, and `async with` closes it.
"""


def reference() -> str:
    maas = MaasClient("http://127.0.0.1:8080")
    sections = [HEAD, *_class_section("MaasClient", maas, "maas", "## ")]
    for part in PARTS:
        sections += _class_section(f"maas.{part}", getattr(maas, part), f"maas.{part}", "## ")
    sections.append("## What they return\n")
    sections += [_record(name) for name in maas_client.__all__ if is_dataclass(getattr(maas_client, name))]
    sections += ["## Errors\n", _errors(maas_client.MaasError, 0)]
    return "\n".join(sections).rstrip() + "\n"


def _class_section(title: str, part: object, prefix: str, level: str) -> Iterator[str]:
    """The client takes some methods of its parts as its own."""
    owner = type(part)
    yield f"{level}{title}\n"
    if owner is MaasClient:
        yield f"```python\n{_signature('MaasClient', owner)}\n```\n"
    yield _prose(owner)
    for name, member in (vars(owner) | vars(part)).items():
        if inspect.isroutine(member) and not name.startswith("_"):
            yield f"#### `{prefix}.{name}`\n\n```python\n{_signature(f'{prefix}.{name}', member)}\n```\n"
            yield _prose(member)


def _signature(name: str, member: Any) -> str:
    """One line, or an argument a line where that is too long."""
    found = inspect.signature(member)
    parameters = [one for one in found.parameters.values() if one.name != "self"]
    arguments = re.findall(r"\S.*", str(found.replace(parameters=parameters, return_annotation=found.empty))[1:-1])
    whole, returned = ", ".join(arguments), _plain(inspect.formatannotation(found.return_annotation))
    tail = "" if inspect.isclass(member) else f" -> {returned}"
    line = _plain(f"{name}({whole}){tail}")
    if len(line) <= 110:
        return line
    star = next((index for index, one in enumerate(parameters) if one.kind is one.KEYWORD_ONLY), len(parameters))
    shown = [_plain(str(one)) for one in parameters]
    shown[star:star] = ["*"] if star < len(parameters) else []
    return "\n".join([f"{name}(", *(f"    {one}," for one in shown), f"){tail}"])


def _plain(text: str) -> str:
    """Types without their modules and quotes, of one spelling in each version of Python."""
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text)
    text = re.sub(r"Optional\[((?:[^\[\]]|\[[^\]]*\])*)\]", r"\1 | None", text)
    return re.sub(r"'([A-Z]\w+)'", r"\1", text)


def _prose(subject: object) -> str:
    """The docstring in Markdown, its examples as code."""
    lines: list[str] = []
    is_code = False
    for line in inspect.cleandoc(subject.__doc__ or "").splitlines():
        if line.startswith(">>>") and not is_code:
            lines.append("```python")
            is_code = True
        lines.append(line)
    return "\n".join([*lines, "```"] if is_code else lines) + "\n"


def _record(name: str) -> str:
    found = getattr(maas_client, name)
    listed = [f"`{spec.name}: {_plain(_type(spec.type))}`" for spec in fields(found)]
    return f"#### `{name}`\n\n{_prose(found)}\nFields: {', '.join(listed)}.\n"


def _type(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _errors(kind: type, depth: int) -> str:
    public = [one for one in kind.__subclasses__() if one.__name__ in maas_client.__all__]
    summary = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    line = f"{'  ' * depth}- `{kind.__name__}`: {' '.join(summary.split())}"
    return "\n".join([line, *(_errors(one, depth + 1) for one in public)])


if __name__ == "__main__":
    (Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET).write_text(reference())
