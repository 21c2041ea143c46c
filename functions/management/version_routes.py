"""/api/v1/models/{model}/versions: create, upload, show, delete, restore."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from etags import shown_version
from maas.deployment import uploads
from maas.deployment.artifacts import source_key
from maas.records import ModelFile, ModelVersion, Status
from maas.times import canonical
from maas.web.application import Actor
from objects import PURGE_SECONDS, bucket, page_tokens, purge, registry, settings
from openapi import PURGES, VERSION_LINKS, item, refusals
from parameters import (
    Absent,
    IfMatch,
    IncludeDeleted,
    Limit,
    ListScope,
    ModelName,
    Number,
    OnceOnly,
    Tags,
    Token,
    tagged,
)
from schemas.shared import Change
from schemas.version_requests import CreateVersion
from schemas.versions import CreatedVersion, DeletedVersion, Download, Downloads, Version, Versions

router = APIRouter(prefix="/models/{model}/versions", tags=["versions"])


@router.post("", status_code=201, responses=item(201, VERSION_LINKS) | refusals(404, 409, 410, 413))
def create_version(
    model: ModelName, body: CreateVersion, actor: Actor, once: OnceOnly, response: Response
) -> CreatedVersion:
    """Declare the files of the next version. Upload them as the response says, then call `POST …/complete`."""
    files = [ModelFile(file.name, file.size_bytes, file.sha256) for file in body.files]
    uploads.check_files(files, settings.max_model_bytes)
    version = registry.versions.create(
        model, files, body.description, body.tags, actor, once, options=body.options(), quota=settings.model_quota
    )
    response.headers["etag"] = version.etag([])
    return CreatedVersion.with_uploads(version, uploads.presign(bucket, version))


@router.get("", responses=refusals(404, 410))
def list_versions(
    model: ModelName,
    scope: ListScope,
    limit: Limit = 100,
    token: Token = None,
    tags: Tags = [],  # noqa: B006 (FastAPI copies it)
    status: Status | Absent = None,
    include_deleted: IncludeDeleted = False,
) -> Versions:
    """Versions, newest first, each with the aliases that lead to it."""

    def keep(version: ModelVersion) -> bool:
        wanted = (include_deleted or not version.deleted_at) and status in (None, version.status)
        return wanted and tagged(version.tags, tags)

    owner = registry.models.get(model, deleted=include_deleted)
    found, last = registry.versions.page(model, limit, page_tokens.position(scope, token), keep)
    return Versions(
        versions=[Version.of(version, owner.aliases_on(version.number)) for version in found],
        next_page_token=page_tokens.issue(scope, last),
    )


@router.get("/{number}", responses=item() | refusals(404, 410))
def get_version(
    model: ModelName, number: Number, response: Response, include_deleted: IncludeDeleted = False
) -> Version:
    """The version, with its signature once it is READY, or the reason if it is FAILED."""
    version, owner = registry.versions.get(model, number, deleted=include_deleted)
    return shown_version(response, version, owner.aliases_on(number))


@router.post("/{number}/complete", status_code=202, responses=item(202) | refusals(404, 409, 410))
def complete_version(model: ModelName, number: Number, response: Response) -> Version:
    """Call this when all files are uploaded: validation starts. May be repeated, also to restart a lost validation."""
    version, owner = registry.versions.get(model, number)
    uploads.complete(bucket, version)
    return shown_version(response, version, owner.aliases_on(number))


@router.get("/{number}/files", responses=refusals(404, 410))
def version_files(model: ModelName, number: Number) -> Downloads:
    """The uploaded files, each with a download URL."""
    version, _ = registry.versions.get(model, number)
    expires_at = canonical(datetime.now(UTC) + timedelta(seconds=settings.upload_expiry_seconds))
    files = [
        Download(
            name=file.name,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
            url=bucket.presign_download(source_key(model, number, file.name), file.s3_version),
        )
        for file in version.files
    ]
    return Downloads(files=files, expires_at=expires_at)


@router.patch("/{number}", responses=item() | refusals(404, 410, 412))
def update_version(
    model: ModelName, number: Number, body: Change, actor: Actor, response: Response, if_match: IfMatch = None
) -> Version:
    """Change description and tags. The files of a version never change."""
    version = registry.versions.update(model, number, actor, body.description, body.tags, if_match)
    return shown_version(response, version, registry.models.get(model).aliases_on(number))


@router.delete("/{number}", responses=item() | PURGES | refusals(404, 409, 410, 412))
def delete_version(
    model: ModelName,
    number: Number,
    actor: Actor,
    response: Response,
    if_match: IfMatch = None,
    force: Annotated[
        bool,
        Query(description="Delete even if aliases lead here: they lose this route, or are removed without another."),
    ] = False,
    purge_it: Annotated[bool, Query(alias="purge", description="Delete permanently what is deleted already.")] = False,
) -> DeletedVersion | None:
    """Delete the version. It can be restored until it is purged, by `purge=true` or after the retention time."""
    if purge_it:
        done = purge.version(model, number, actor, time.monotonic() + PURGE_SECONDS, if_match)
        response.status_code = 204 if done else 202
        return None
    version, removed, changed = registry.versions.delete(model, number, actor, force=force, if_match=if_match)
    response.headers["etag"] = version.etag([])
    return DeletedVersion.of(version, [], removed_aliases=removed, changed_aliases=changed)


@router.post("/{number}/restore", responses=item() | refusals(404, 409, 410, 412))
def restore_version(
    model: ModelName, number: Number, actor: Actor, response: Response, if_match: IfMatch = None
) -> Version:
    """Undo the deletion. Aliases that were removed with it stay removed."""
    version = registry.versions.restore(model, number, actor, if_match)
    return shown_version(response, version, registry.models.get(model).aliases_on(number))
