"""`python3 in_process.py HANDLER CALLS`: in Lambda's image, without its runtime, calls a handler with stdin's event.

Prints one line of JSON: seconds of import and first call, seconds of each later call, and the modules imported.
"""

import importlib
import json
import sys
import time
from types import SimpleNamespace
from typing import Any


def main(handler: str, calls: int) -> None:
    event = json.load(sys.stdin)
    context: Any = SimpleNamespace(
        aws_request_id="in-process",
        function_name="in-process",
        function_version="1",
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:in-process",
        memory_limit_in_mb=1769,
        get_remaining_time_in_millis=lambda: 30_000,
    )
    known, begun = set(sys.modules), time.perf_counter()
    module, _, name = handler.rpartition(".")
    call = getattr(importlib.import_module(module), name)
    imported = sorted(set(sys.modules) - known)
    call(event, context)
    cold = time.perf_counter() - begun
    warm = []
    for _ in range(calls):
        begun = time.perf_counter()
        call(event, context)
        warm.append(time.perf_counter() - begun)
    print("\n" + json.dumps({"cold": cold, "warm": warm, "modules": imported}))


main(sys.argv[1], int(sys.argv[2]))
