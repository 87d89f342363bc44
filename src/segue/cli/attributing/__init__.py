"""``segue attribute`` and ``segue spend``: what was asked, what a project's store knows and is made of it, the paths
kept from day to day, and the picture."""
