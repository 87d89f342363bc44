"""What ``segue segment`` shows and writes: tables for people, explanations, and files for other programs."""
