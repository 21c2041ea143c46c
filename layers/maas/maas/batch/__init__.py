"""Batch jobs: a file of records in S3 becomes a file of predictions, by shards that any number of workers run."""
