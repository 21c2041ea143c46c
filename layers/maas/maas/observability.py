"""Structured logs. Powertools is imported when the first line is written: the hot route usually writes none."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger()
