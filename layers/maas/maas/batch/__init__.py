"""Files in S3 to predictions in S3: jobs, their shards, and the functions that plan and run them."""
