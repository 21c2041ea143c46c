"""Folders as Hugging Face exports them: small ones made here, and a real one from a package of the index."""
