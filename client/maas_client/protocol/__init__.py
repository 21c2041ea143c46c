"""The Open Inference Protocol without I/O: arrays to requests, responses to arrays."""
