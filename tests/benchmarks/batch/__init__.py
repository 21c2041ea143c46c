"""Batch jobs: rows a second against bare onnxruntime, memory, workers at once, and a thousand seeds of faults."""
