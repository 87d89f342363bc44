"""Conditions judged for many customers at once, by arrays. Equal to judging each alone: a property test holds the two
together, and what arrays cannot tell is left open, to be judged alone."""
