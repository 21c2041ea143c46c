"""The blocking client, made from `_async` by client/generate_sync.py; only backend.py is written by hand."""
