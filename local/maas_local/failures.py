"""Failures of the local AWS services, for the person who runs `maas local`: a line of standard output each, once."""

from functools import cache


class Unusable(Exception):
    """A file of the data folder cannot be used as it is; the message names it, and says what to do."""


@cache
def tell(message: str) -> None:
    print(message, flush=True)
