"""Locales that a model's StringNormalizers ask for and this system does not have."""

from pathlib import Path

from maas.deployment.onnx_file import fields, messages
from maas.errors import ModelRejected
from maas.serving.locales import is_known

_OP_TYPE, _ATTRIBUTE, _ATTRIBUTE_NAME, _ATTRIBUTE_STRING = 4, 5, 1, 4  # field numbers of NodeProto and AttributeProto


def check_locales(path: Path) -> None:
    """Raises ModelRejected for a model that asks for a missing one, saying how to export it."""
    for name in _wanted(path):
        if not is_known(name):
            raise ModelRejected(
                f"the model's StringNormalizer asks for the locale '{name:.80}', which is not there: export it with "
                "the locale en_US.UTF-8 or C (skl2onnx: options={TfidfVectorizer: {'locale': 'C'}})"
            )


def _wanted(path: Path) -> list[str]:
    found = []
    for kind, message in messages(path):
        if kind == "node" and _text(message, _OP_TYPE) == "StringNormalizer":
            attributes = [value for number, value in fields(message) if number == _ATTRIBUTE]
            found += [_text(one, _ATTRIBUTE_STRING) for one in attributes if _text(one, _ATTRIBUTE_NAME) == "locale"]
    return found


def _text(message: int | memoryview, wanted: int) -> str:
    """The text of a message's field; empty without it."""
    values = [value for number, value in fields(message) if number == wanted] if isinstance(message, memoryview) else []
    return str(values[-1], "utf-8", "replace") if values and isinstance(values[-1], memoryview) else ""
