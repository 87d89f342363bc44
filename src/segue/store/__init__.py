"""The store: one schema, its migrations, and a file of queries for each room it serves. The store is the truth."""
