"""Schemas of aliases."""

from typing import Self

from pydantic import BaseModel

from maas import records
from schemas.shared import EXAMPLE_LATER, EXAMPLE_TIME, Body, VersionNumber, like

_ALIAS = {"alias": "production", "model": "digits", "version": 2, "previous_version": 1, "updated_at": EXAMPLE_LATER}


class PutAlias(Body):
    model_config = like(version=1)

    version: VersionNumber


class Alias(BaseModel):
    model_config = like(**_ALIAS)

    alias: str
    model: str
    version: int
    previous_version: int | None
    updated_at: str

    @classmethod
    def of(cls, model: str, name: str, alias: records.Alias) -> Self:
        return cls(
            alias=name,
            model=model,
            version=alias.version,
            previous_version=alias.previous_version,
            updated_at=alias.updated_at,
        )


class Aliases(BaseModel):
    model_config = like(aliases=[_ALIAS])

    aliases: list[Alias]


class AliasAt(BaseModel):
    """`version` is null if the alias did not exist at that time or its model was deleted."""

    model_config = like(alias="production", model="digits", at=EXAMPLE_TIME, version=1)

    alias: str
    model: str
    at: str
    version: int | None
