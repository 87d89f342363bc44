"""What ``segue attribute`` and ``segue spend`` read from a project's store, and make of it."""
