"""The engine: pure functions from what happened to what follows. See `segue.engine.step` for its laws."""
