"""CSV and JSONL: cuts, readers and writers."""
