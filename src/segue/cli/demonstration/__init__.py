"""What ``segue demo`` is made of: a project of its own, a shop that is simulated, and a picture of what Segue does."""
