"""Schemas of the management API's requests and responses: one file per resource."""
