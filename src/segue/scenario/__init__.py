"""The daemon's loops on virtual time: replay and rule tests."""
