"""Commands that manage models and versions: list, show, tag, delete, restore, purge, history, download."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maas_client.cli.options import (
    Deleted,
    Json,
    Key,
    Limit,
    Model,
    Numbered,
    Reference,
    Url,
    WantedTags,
    connect,
    is_number,
    numbered,
    split,
    tag_of,
)
from maas_client.cli.output import echo, echo_all, fields, plain, print_json
from maas_client.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from maas_client import MaasClient
    from maas_client.records.models import DeletedVersion

SHOWN = 20


def models(
    prefix: Annotated[str, typer.Option("--prefix", help="Only names with this prefix.")] = "",
    tag: WantedTags = None,
    status: Annotated[str | None, typer.Option("--status", help="Only this status: READY, EMPTY or DELETED.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Only this task, such as embeddings; or none.")] = None,
    deleted: Deleted = False,
    limit: Limit = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List models."""
    from maas_client.cli.render.models import show_models

    with connect(url, api_key) as maas:
        found = maas.models.list(
            limit, prefix=prefix, tags=tag or (), status=status, task=task, include_deleted=deleted
        )
    print_json({"models": found}) if as_json else show_models(found, filtered=bool(prefix or tag or status or task))


def versions(
    model: Model,
    tag: WantedTags = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only this status: PENDING_UPLOAD, VALIDATING, READY or FAILED.")
    ] = None,
    deleted: Deleted = False,
    limit: Limit = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """List a model's versions, newest first."""
    from maas_client.cli.render.models import show_versions

    with connect(url, api_key) as maas:
        found = maas.versions.list(model, limit, tags=tag or (), status=status, include_deleted=deleted)
    print_json({"versions": found}) if as_json else show_versions(model, found, filtered=bool(tag or status))


def show(
    reference: Reference, deleted: Deleted = False, as_json: Json = False, url: Url = None, api_key: Key = None
) -> None:
    """Show a model with its newest versions, or one version with its signature."""
    from maas_client.cli.render.models import show_model, show_version

    model, version = split(reference)
    with connect(url, api_key) as maas:
        if version is None:
            registered = maas.models.get(model, include_deleted=deleted)
            newest = maas.versions.list(model, limit=SHOWN, include_deleted=deleted)
            print_json({"model": registered, "versions": newest}) if as_json else show_model(registered, newest)
        else:
            one = maas.versions.get(model, _number(maas, model, version), include_deleted=deleted)
            print_json(one) if as_json else show_version(one)


def tag(
    reference: Reference,
    tags: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", "-r", metavar="KEY", help="Remove this tag; repeatable.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="Replace the description.")] = None,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Set or remove tags and the description of a model or version."""
    from maas_client.cli.render.models import show_tagged

    changes: dict[str, str | None] = dict(tag_of(one) for one in tags or [])
    changes |= dict.fromkeys(remove or [])
    if not changes and description is None:
        raise typer.BadParameter("nothing to change: give KEY=VALUE, --remove KEY or --description TEXT")
    model, version = split(reference)
    with connect(url, api_key) as maas:
        changed = (
            maas.models.update(model, description=description, tags=changes)
            if version is None
            else maas.versions.update(model, _number(maas, model, version), description=description, tags=changes)
        )
    print_json(changed) if as_json else show_tagged(reference, changed)


def delete(
    reference: Numbered,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Delete even if aliases lead here: they lose this route, or are removed without another."
        ),
    ] = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Delete a model or version; `maas restore` brings it back until it is purged."""
    model, version = numbered(reference)
    if version is None and force:
        raise typer.BadParameter("--force is for a version: a model is deleted and restored with its aliases")
    with connect(url, api_key) as maas:
        if version is None:
            said, went = fields(maas.models.delete(model)), ""
        else:
            gone = maas.versions.delete(model, version, force=force)
            said, went = fields(gone), _went(gone)
            said = said.pop("version") | said
    if as_json:
        print_json(said)
    else:
        echo(f"{reference} is deleted{went}; `maas restore {reference}` brings it back")


def restore(reference: Numbered, as_json: Json = False, url: Url = None, api_key: Key = None) -> None:
    """Restore a deleted model with its versions, aliases and tags, or a deleted version."""
    model, version = numbered(reference)
    with connect(url, api_key) as maas:
        back = maas.models.restore(model) if version is None else maas.versions.restore(model, version)
    print_json(back) if as_json else echo(f"{reference} is back")


def purge(
    reference: Numbered,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Remove a deleted model or version permanently. Its history stays."""
    from maas_client.cli.progress import spinner

    model, version = numbered(reference)
    with connect(url, api_key) as maas:
        found = (
            maas.models.get(model, include_deleted=True)
            if version is None
            else maas.versions.get(model, version, include_deleted=True)
        )
        if not found.deleted_at:
            raise InvalidInput(f"{reference} is not deleted: `maas delete {reference}` first")
        if not yes:
            what = plain(reference) + (" with all its versions" if version is None else "")
            typer.confirm(f"Remove {what} permanently? This cannot be undone.", abort=True, err=True)
        with spinner(f"purging {reference}", silent=as_json):
            is_first = True
            while not _is_purged(maas, model, version, is_first):
                is_first = False  # one call ends within API Gateway's 30 s; a large purge takes several
    print_json({"model": model, "version": version}) if as_json else echo(f"{reference} is purged")


def _is_purged(maas: "MaasClient", model: str, version: int | None, is_first: bool) -> bool:
    try:
        return maas.models.purge(model) if version is None else maas.versions.purge(model, version)
    except NotFound:
        if is_first:
            raise
        return True  # the server's schedule has finished it meanwhile


def history(
    model: Model,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only this kind of change: alias.set, version.ready, model.deleted, …")
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only changes by this actor, such as key:ID.")] = None,
    limit: Limit = SHOWN,
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Show who changed what, newest first; also of deleted and purged models."""
    from maas_client.cli.render.models import show_history

    with connect(url, api_key) as maas:
        found = maas.models.history(model, limit, kind=kind, actor=actor)
    print_json({"entries": found}) if as_json else show_history(found)


def download(
    reference: Reference,
    to: Annotated[Path, typer.Option("--to", help="Target folder.")] = Path("."),
    as_json: Json = False,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Download a version's files as uploaded; default: the newest READY version."""
    from maas_client.cli.progress import Display

    model, version = split(reference)
    with connect(url, api_key) as maas:
        number = _number(maas, model, version) if version else maas.models.get(model).latest_ready_version
        if number is None:
            raise InvalidInput(f"{model} has no READY version: name one, as in {model}@1")
        with Display(silent=as_json) as display:
            paths = maas.versions.download(model, number, to, display.show)
    print_json({"paths": list(map(str, paths))}) if as_json else echo_all(paths)


def _number(maas: "MaasClient", model: str, version: str) -> int:
    return int(version) if is_number(version) else maas.aliases.get(model, version).version


def _went(gone: "DeletedVersion") -> str:
    """What became of the aliases."""
    removed, changed = gone.removed_aliases, gone.changed_aliases
    went = f", and with it the alias{'es'[: 2 * (len(removed) > 1)]} {', '.join(removed)}" if removed else ""
    return f"{went}, its share of {', '.join(changed)} goes to the others" if changed else went


COMMANDS = (models, versions, show, tag, delete, restore, purge, history, download)
