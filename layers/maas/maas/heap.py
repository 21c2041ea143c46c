"""What this process keeps of memory that it has freed.

glibc gives it back to the system where enough is free at the end of its heap. Then the next request gets pages that
the kernel has to map and to clear, one by one: for 3 MB of JSON as input and output 3,700 of them, half of the
request's CPU time (docs/adr/0034). https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
"""

import sys
from contextlib import suppress

KEPT_BYTES = 64 << 20  # the buffers of a request of some MB and its answer
BLOCK_BYTES = 32 << 20  # the largest block that is kept: glibc takes no more
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def keep_freed() -> None:
    """Keep up to KEPT_BYTES of it, in blocks of up to BLOCK_BYTES, for the next request. Does nothing but on Linux."""
    if sys.platform != "linux":
        return
    import ctypes  # after NumPy, which imports it too

    with suppress(AttributeError):  # musl has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, BLOCK_BYTES)
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back() -> bool:
    """Returns to the system what is kept; False if that was nothing."""
    import ctypes

    try:
        return bool(ctypes.CDLL(None).malloc_trim(0))
    except AttributeError:
        return False
