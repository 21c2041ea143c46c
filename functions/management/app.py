"""HTTP /api/v1: models, versions, aliases. Each route parses, calls once and answers."""

from typing import Annotated, Any

from fastapi import Path, Query
from mangum import Mangum

from maas import bootstrap, uploads
from maas.records import ModelFile
from maas.schemas import (
    Alias,
    Aliases,
    CreatedVersion,
    CreateModel,
    CreateVersion,
    Model,
    Models,
    PutAlias,
    Version,
    Versions,
)
from maas.settings import Settings
from maas.web import Actor, create_app

PREFIX = "/api/v1"
MODEL, VERSION, ALIAS = "/models/{model}", "/models/{model}/versions/{number}", "/models/{model}/aliases/{alias}"

Limit = Annotated[int, Query(ge=1, le=1000)]
PageToken = Annotated[str | None, Query(max_length=200)]
VersionToken = Annotated[int | None, Query(ge=1, lt=10**9)]
Number = Annotated[int, Path(ge=1, lt=10**9)]

settings = Settings.from_env()
registry = bootstrap.registry(settings)
bucket = bootstrap.upload_bucket(settings)
app = create_app("MaaS management", "Models, their versions and the aliases that traffic follows.", PREFIX)


@app.post(f"{PREFIX}/models", status_code=201)
def create_model(body: CreateModel, actor: Actor) -> Model:
    return Model.of(registry.create_model(body.name, body.description, body.tags, actor))


@app.get(f"{PREFIX}/models")
def list_models(limit: Limit = 100, page_token: PageToken = None) -> Models:
    found, last = registry.models(limit, page_token)
    return Models(models=[Model.of(model) for model in found], next_page_token=last)


@app.get(PREFIX + MODEL)
def get_model(model: str) -> Model:
    return Model.of(registry.model(model))


@app.post(f"{PREFIX}{MODEL}/versions", status_code=201)
def create_version(model: str, body: CreateVersion, actor: Actor) -> CreatedVersion:
    files = [ModelFile(file.name, file.size_bytes, file.sha256) for file in body.files]
    uploads.check_files(files)
    version = registry.create_version(model, files, body.description, body.tags, actor)
    return CreatedVersion.with_uploads(version, uploads.presign(bucket, version))


@app.get(f"{PREFIX}{MODEL}/versions")
def list_versions(model: str, limit: Limit = 100, page_token: VersionToken = None) -> Versions:
    owner = registry.model(model)
    found, last = registry.versions(model, limit, page_token)
    return Versions(
        versions=[Version.of(version, owner.aliases_on(version.number)) for version in found],
        next_page_token=str(last) if last else None,
    )


@app.get(PREFIX + VERSION)
def get_version(model: str, number: Number) -> Version:
    return Version.of(registry.version(model, number), registry.model(model).aliases_on(number))


@app.post(f"{PREFIX}{VERSION}/complete", status_code=202)
def complete_version(model: str, number: Number) -> Version:
    version = registry.version(model, number)
    uploads.complete(bucket, version)
    return Version.of(version, registry.model(model).aliases_on(number))


@app.put(PREFIX + ALIAS)
def put_alias(model: str, alias: str, body: PutAlias, actor: Actor) -> Alias:
    return Alias.of(model, alias, registry.put_alias(model, alias, body.version, actor))


@app.get(f"{PREFIX}{MODEL}/aliases")
def list_aliases(model: str) -> Aliases:
    found = registry.model(model).aliases
    return Aliases(aliases=[Alias.of(model, name, alias) for name, alias in sorted(found.items())])


@app.get(PREFIX + ALIAS)
def get_alias(model: str, alias: str) -> Alias:
    return Alias.of(model, alias, registry.alias(model, alias))


@app.delete(PREFIX + ALIAS, status_code=204)
def delete_alias(model: str, alias: str, actor: Actor) -> None:
    registry.delete_alias(model, alias, actor)


_handler = Mangum(app, lifespan="off")


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return _handler(event, context)
