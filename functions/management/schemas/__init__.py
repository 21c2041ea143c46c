"""The wire of the management API: a file a resource."""
