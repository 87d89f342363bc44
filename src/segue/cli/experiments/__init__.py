"""``segue experiment``, from the store to a verdict."""
