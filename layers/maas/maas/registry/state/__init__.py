"""Models in the table: their rows, and how a change becomes rows and a history entry in one transaction."""
