"""What the client returns, as plain records."""
