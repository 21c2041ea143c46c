"""Batch jobs in memory, and under injected faults."""
