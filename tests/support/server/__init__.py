"""A small server that keeps the contract of the APIs, for the client."""
