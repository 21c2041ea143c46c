"""Run as `python -m maas_local.moto_process HOST`: moto's server on a free port.

The port is the first line printed. The process ends when its standard input does, so it never outlives the local stack.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server


class _Atomic:
    """moto as a WSGI application whose DynamoDB does one call after another.

    moto checks the conditions of a transaction and then writes, with nothing to keep other threads out in between;
    with DynamoDB, whose transactions are serializable, nobody ever sees that.
    """

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB"):
            with self._lock:
                return list(self._application(environ, start_response))
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def moto_server(host: str) -> BaseWSGIServer:
    """Listens on a free port; to be served by its `serve_forever`. Raises OSError when it cannot listen."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server(host, 0, _Atomic(), threaded=True, request_handler=MotoRequestHandler)


def main() -> None:
    server = moto_server(sys.argv[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)  # what is in memory needs no orderly end


if __name__ == "__main__":
    main()
