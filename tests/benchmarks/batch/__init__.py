"""Batch jobs: rows a second against bare onnxruntime, memory, parallel workers, and a thousand seeds of faults."""
