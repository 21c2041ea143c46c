"""HTTP: Lambda events, the FastAPI application, content encodings."""
