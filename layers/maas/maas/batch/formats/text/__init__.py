"""CSV and JSONL: planning, readers and writers."""
