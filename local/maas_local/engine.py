"""Run as `python -m maas_local.engine HOST [PORT FOLDER]`: S3, DynamoDB, SQS and EventBridge on one port.

Objects and rows are in FOLDER; queues and rules are in memory. It prints its port, PORT if that is free, and then what
fails, a line each. It ends when its standard input is closed, so that it never outlives the local stack. Without
FOLDER, it uses one of its own and removes it at its end.
"""

import errno
import json
import logging
import os
import re
import shutil
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from moto.core import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from maas_local.failures import Unusable, tell
from maas_local.object_events import publish
from maas_local.s3.application import S3
from maas_local.sqlite import remedy
from maas_local.table.moto_table import Changes, install
from maas_local.table.rows import Rows

OBJECTS, TABLE, INDEX = "objects", "table.sqlite", "objects.sqlite"
MODELS = "models/"  # prefix of the objects of model versions
_RESET = "/moto-api/reset"
_SIGNED_FOR = re.compile(
    r"Credential=[^/]+/\d{8}/[^/]+/([^/]+)/|X-Amz-Credential=[^&]*?%2F\d{8}%2F[^&]*?%2F([^&]+?)%2F"
)


# For each request, moto inspects the class of its service and lists its own folders: a third of its time.
responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined]


class _Dispatcher(DomainDispatcherApplication):
    get_backend_for_host = cache(DomainDispatcherApplication.get_backend_for_host)


class Engine:
    """A WSGI application: S3 in `objects`, if given, and everything else in moto.

    It serialises calls of DynamoDB: moto checks the conditions of a transaction and then writes without a lock, so that
    threads interleave. Transactions of DynamoDB are serializable.
    """

    def __init__(self, changes: Changes, objects: S3 | None = None) -> None:
        self._moto, self._changes, self._objects = _Dispatcher(create_backend_app), changes, objects

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            with self._changes.lock:
                return self._dynamodb(environ, start_response)
        if self._objects and is_for_s3(environ):
            return self._objects(environ, start_response)
        if environ["PATH_INFO"] == _RESET:
            self._changes.rows.clear()
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def _dynamodb(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The answer, once what it acknowledges is stored."""
        started: list[tuple[str, Any]] = []
        try:
            answer = list(self._moto(environ, lambda status, headers, *_: started.append((status, headers))))
            if started and started[-1][0].startswith("200"):
                self._changes.keep()
        except sqlite3.Error as error:  # such as a full disk
            tell(f"the local DynamoDB failed: {error}")
            document = {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": str(error)}
            started.append(("500 Internal Server Error", [("content-type", "application/x-amz-json-1.0")]))
            answer = [json.dumps(document).encode()]
        finally:
            self._changes.discard()
        start_response(*started[-1])
        return answer


def is_for_s3(environ: dict[str, Any]) -> bool:
    """Whether the request, or its address, is signed for S3, or is not signed and no call of another service."""
    found = _SIGNED_FOR.search(f"{environ.get('HTTP_AUTHORIZATION', '')} {environ.get('QUERY_STRING', '')}")
    if found:
        return (found[1] or found[2]) == "s3"
    is_other = environ.get("HTTP_X_AMZ_TARGET") or environ["PATH_INFO"].startswith("/moto-api/")
    return not is_other and "form-urlencoded" not in environ.get("CONTENT_TYPE", "")


def moto_server(host: str) -> BaseWSGIServer:
    """moto alone, in memory, on a free port; call `serve_forever`. Raises OSError if it cannot listen."""
    return _server(host, 0, Engine(_in_memory()))


@cache
def _in_memory() -> Changes:
    return install(Rows(None))


def _server(host: str, port: int, application: Engine) -> BaseWSGIServer:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server(host, port, application, threaded=True, request_handler=MotoRequestHandler)


def main() -> None:
    host, *given = sys.argv[1:]
    folder = Path(given[1]) if given else Path(tempfile.mkdtemp(prefix="maas-local-"))
    try:
        objects, rows = S3(folder / INDEX, folder / OBJECTS, publish), Rows(folder / TABLE)
        missing = objects.sweep()
        _check_complete(folder, objects, rows)
    except Unusable as error:
        sys.exit(str(error))
    application = Engine(install(rows), objects)
    try:
        server = _server(host, int(given[0]) if given else 0, application)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        server = _server(host, 0, application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    if missing:
        tell(
            f"objects lack their files in {folder / OBJECTS} ({len(missing):,}, such as {missing[0]}): restore it "
            "from a backup, push the models or run the jobs again"
        )
    sys.stdin.read()
    if not given:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # what was answered is stored, and SQLite needs no farewell


def _check_complete(folder: Path, objects: S3, rows: Rows) -> None:
    """Raises Unusable where only one of the databases has anything: the other one is lost.

    A start creates the bucket before the first row, and rows of a model come before its objects and outlive them.
    """
    if rows.is_empty() and objects.holds(MODELS):
        raise Unusable(f"{folder / TABLE} has no row, but there are objects of models: {remedy(folder / TABLE)}")
    if objects.is_new() and not rows.is_empty():
        raise Unusable(f"{folder / INDEX} lists nothing, but {TABLE} has rows: {remedy(folder / INDEX)}")


if __name__ == "__main__":
    main()
