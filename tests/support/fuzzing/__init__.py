"""Broken requests and models by the thousand."""
