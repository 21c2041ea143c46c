"""XML of S3's answers and requests."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from maas_local.s3.errors import S3Error

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Child = tuple[str, Any]  # a name, and a text, a number, a bool or children


def document(name: str, children: Iterable[Child]) -> bytes:
    root = ElementTree.Element(name, {} if name == "Error" else {"xmlns": _NAMESPACE})  # as S3 does
    _add(root, children)
    answer: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return answer


def _add(parent: ElementTree.Element, children: Iterable[Child]) -> None:
    for name, value in children:
        if value is None:
            continue
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, list | tuple):
            _add(child, value)
        else:
            child.text = str(value).lower() if isinstance(value, bool) else str(value)


def parsed(body: bytes) -> ElementTree.Element:
    """The root, its names without namespaces. Raises MalformedXML."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 (expat limits the growth of entities)
    except ElementTree.ParseError as error:
        raise S3Error("MalformedXML", f"the body is not XML: {error}") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
