"""Batch jobs without their cloud, and under faults."""
