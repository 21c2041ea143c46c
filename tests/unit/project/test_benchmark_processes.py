"""What `make bench ARGS=peers` says of CPU time is that of a server's processes."""

import subprocess
import sys
import time

from benchmarks.processes import cpu_ms, having, tree

BUSY = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass', 'marked'])"


def test_cpu_time_of_descendants() -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as server:
        try:
            until = time.monotonic() + 60
            while cpu_ms(having(tree(server.pid), "marked")[1:]) < 100:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert len(tree(server.pid)) == 2
            assert cpu_ms(tree(server.pid)) > cpu_ms([server.pid]) < 100
        finally:
            for pid in reversed(tree(server.pid)):
                subprocess.run(["kill", str(pid)], check=True)
