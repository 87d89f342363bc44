"""What an experiment shows: differences with their uncertainty, and whether anything may be claimed at all."""
