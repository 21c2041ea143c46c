"""Jobs and shards in the table: their records, their rows, the rules of their changes, what shards add up to."""
