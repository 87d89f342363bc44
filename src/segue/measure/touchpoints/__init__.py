"""What customers met and what they then did: touches, conversions, and the paths from the one to the other."""
