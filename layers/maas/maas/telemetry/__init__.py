"""Request log, metrics and the stages of a request."""
