"""Run as `python -m maas_client.local.moto_process HOST`: moto's server on a free port.

The port is the first line printed. The process ends when its standard input does, so it never outlives the local stack.
"""

import logging
import os
import socket
import sys

from moto.server import ThreadedMotoServer


def main() -> None:
    host = sys.argv[1]
    socket.create_server((host, 0)).close()  # moto waits for ever for a server that cannot listen; this raises
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=host, port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    os._exit(0)  # what is in memory needs no orderly end


if __name__ == "__main__":
    main()
