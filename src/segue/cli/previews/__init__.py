"""What a message looks like: gathered, and shown in the terminal, as a page and as pictures."""
