"""``segue attribute`` and ``segue spend``: what was asked, what is read from a project's store and made of it, the paths kept
from day to day, and the picture."""
