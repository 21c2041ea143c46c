"""Tells other systems what happened: events for EventBridge, messages to the address that a caller named."""
