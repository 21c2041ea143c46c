"""Stand-ins for AWS: engines, recorded calls, policies."""
