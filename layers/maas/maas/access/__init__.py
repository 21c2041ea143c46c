"""Callers, API keys and their table, the authorizer."""
