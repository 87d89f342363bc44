"""Virtual time: the daemon's own loops, driven from a heap of moments instead of a clock."""
