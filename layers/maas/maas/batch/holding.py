"""Hides a message from other workers for as long as its own worker is alive, and little longer.

The queue's visibility timeout is six times the worker's time limit, as AWS advises. If a worker died, its shard would
wait that long. So the worker shortens the timeout of the message that it has, and renews it while it works.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from maas.aws.sqs import Queue

RENEWALS = 3  # within `seconds`: two may fail


@contextmanager
def held(queue: Queue, receipt_handle: str, deadline: float, seconds: int) -> Iterator[None]:
    """Within the block, deliver the message again only `seconds` after the process died.

    `deadline` (time.monotonic) is when Lambda ends the process: no renewal after it. A renewal that fails is repeated
    by the next one; if all fail, the message is delivered once more, which changes no result.
    """
    ended = threading.Event()

    def renew() -> None:
        queue.show_again(receipt_handle, seconds)
        while not ended.wait(seconds / RENEWALS) and time.monotonic() < deadline:
            queue.show_again(receipt_handle, seconds)

    thread = threading.Thread(target=renew, name="visibility", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()  # no renewal may follow what the caller sets after the block
