"""The alarm clock: APScheduler rings, the store says what is due."""
