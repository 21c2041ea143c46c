"""The asynchronous client. `_sync` is made from it by client/generate_sync.py."""
