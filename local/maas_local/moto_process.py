"""Run as `python -m maas_local.moto_process HOST`: moto's server on a free port.

It prints its port, and ends when its standard input is closed, so that it never outlives the local stack.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from maas_local import lean_moto


class _Atomic:
    """moto as a WSGI application that serialises DynamoDB calls.

    moto checks the conditions of a transaction and then writes without a lock, so that threads interleave.
    Transactions of DynamoDB are serializable.
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
    """A server that listens on a free port; call `serve_forever`. Raises OSError if it cannot listen."""
    lean_moto.install()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    return make_server(host, 0, _Atomic(), threaded=True, request_handler=MotoRequestHandler)


def main() -> None:
    server = moto_server(sys.argv[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)  # state is only in memory: nothing to save


if __name__ == "__main__":
    main()
