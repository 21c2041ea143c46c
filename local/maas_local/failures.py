"""Failures of the local AWS services, for the person who runs `maas local`: a line of standard output each, once."""

from functools import cache


@cache
def tell(message: str) -> None:
    print(message, flush=True)
