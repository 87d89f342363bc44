"""Real servers that Segue did not write, started on free ports for tests and stopped by their process ids."""
