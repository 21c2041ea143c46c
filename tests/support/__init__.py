"""Helpers that several test modules share, by purpose."""
