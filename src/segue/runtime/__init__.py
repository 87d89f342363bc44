"""The loops that read, write or call, and the daemon that runs them."""
