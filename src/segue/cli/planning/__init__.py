"""How a plan is shown: on the terminal, and as a page."""
