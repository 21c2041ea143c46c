"""How long the start of this environment took, which Lambda bills."""

import math
import os
import time
from pathlib import Path

TICKS = 22  # of a field of /proc/PID/stat; https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html


def started_ms() -> int:
    """Milliseconds since this process began; 0 where no invocation is billed for it, or it cannot be known."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") != "on-demand":
        return 0  # a snapshot, or provisioned concurrency
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        began_s = int(fields[TICKS - 3]) / os.sysconf("SC_CLK_TCK")
        return max(0, math.ceil((time.clock_gettime(time.CLOCK_BOOTTIME) - began_s) * 1000))
    except (OSError, ValueError, IndexError, AttributeError):  # another system
        return 0
