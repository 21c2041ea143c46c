"""Parquet: footer, reader and writer."""
