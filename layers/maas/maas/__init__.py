"""MaaS: what every function shares. One concept a file; `docs/architecture.md` follows a request through them."""

__version__ = "0.1.0"
