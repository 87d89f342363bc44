"""What ``segue attribute`` is made of: what was asked, the paths kept from day to day, and the picture."""
