"""Model to program: numbered steps, compiled conditions, the facts each reads, and a content hash."""
