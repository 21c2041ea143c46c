"""S3 on a folder: objects are files, their keys and versions rows of SQLite. Nothing is held in memory."""
