"""What the functions are measured against: modules of the standard library, and a fixed amount of work in Python."""

import asyncio  # noqa: F401
import decimal  # noqa: F401
import email.message  # noqa: F401
import http.client  # noqa: F401
import json
import logging  # noqa: F401
import sqlite3  # noqa: F401
import ssl  # noqa: F401
import urllib.request  # noqa: F401
import xml.etree.ElementTree  # noqa: F401
from typing import Any

WORK = {f"field{number}": [number, str(number), {"x": number / 7}] for number in range(2000)}


def lambda_handler(event: Any, context: Any) -> dict[str, int]:
    return {"bytes": sum(len(json.dumps(json.loads(json.dumps(WORK)), indent=1)) for _ in range(2))}
