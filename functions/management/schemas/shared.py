"""Shared by the schemas: types, request bodies, files and their uploads."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from maas.errors import InvalidRequest
from maas.names import ALIAS_PATTERN, FILE_PATTERN, MAX_FILE_NAME, NAME_PATTERN
from maas.numbers import whole_number
from maas.registry import tags

EXAMPLE_TIME, EXAMPLE_LATER = "2026-01-31T12:00:00.000000Z", "2026-02-01T09:30:00.000000Z"
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")


def whole(value: object) -> object:
    """JSON has one kind of number: 1.0 is a whole number, "1" and true are not."""
    return int(value) if type(value) is float and value.is_integer() else value


def digits(value: object) -> object:
    """The number that a text of digits is, for parameters of paths and queries."""
    number = whole_number(value) if isinstance(value, str) else value
    if number is None:
        raise ValueError("expected a whole number, in digits")
    return number


def rfc_3339(value: object) -> object:
    """Refuses the other forms that pydantic accepts, such as seconds since 1970."""
    if isinstance(value, str) and not _RFC_3339.match(value):
        raise ValueError("expected a time with a zone, such as 2026-01-31T12:00:00Z")
    return value


def in_utc(time: datetime) -> datetime:
    """The time in UTC; refuses one that only its zone puts into the years 1 to 9999."""
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time in the years 1 to 9999 in UTC") from None


Time = Annotated[AwareDatetime, BeforeValidator(rfc_3339), AfterValidator(in_utc)]


def tag_key(key: str) -> str:
    """A pattern alone would be refused with a message that says nothing of the reason."""
    try:
        return tags.check_key(key)
    except InvalidRequest as error:
        raise ValueError(error.message.removeprefix("tags: ")) from None


Name = Annotated[str, StringConstraints(pattern=f"^{NAME_PATTERN}$")]
AliasText = Annotated[str, StringConstraints(pattern=f"^({ALIAS_PATTERN})$", max_length=63)]
Description = Annotated[str, StringConstraints(max_length=2000)]
_CLOSED = {"additionalProperties": False}  # keys that the pattern refuses
TagKey = Annotated[
    str,
    StringConstraints(min_length=1, max_length=tags.MAX_KEY_LENGTH),
    AfterValidator(tag_key),
    Field(json_schema_extra={"pattern": "^[^=]+$"}),
]
TagValue = Annotated[str, StringConstraints(min_length=1, max_length=tags.MAX_VALUE_LENGTH)]
Tags = Annotated[dict[TagKey, TagValue], Field(max_length=tags.MAX_TAGS, json_schema_extra=_CLOSED)]
TagChanges = Annotated[dict[TagKey, TagValue | None], Field(max_length=tags.MAX_TAGS, json_schema_extra=_CLOSED)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
VersionNumber = Annotated[int, Field(ge=1, lt=10**9, strict=True), BeforeValidator(whole)]


def like(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


def attributes(schema: type[BaseModel], record: object, *but: str) -> dict[str, object]:
    return {name: getattr(record, name) for name in schema.model_fields if name not in but}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Change(Body):
    """Absent fields stay; a tag set to null is removed (JSON merge patch)."""

    model_config = like(description="Handwritten digits, 8 × 8", tags={"team": "vision", "draft": None})

    description: Description | None = None
    tags: TagChanges = {}


class DeclaredFile(Body):
    name: Annotated[str, StringConstraints(max_length=MAX_FILE_NAME, pattern=f"^{FILE_PATTERN}$")]
    size_bytes: Annotated[int, Field(ge=1, strict=True), BeforeValidator(whole)]
    sha256: Sha256


class Part(BaseModel):
    """Upload bytes [offset, offset + size_bytes) of the file with PUT to `url` and exactly these headers."""

    url: str
    method: str
    headers: dict[str, str]
    offset: int
    size_bytes: int
