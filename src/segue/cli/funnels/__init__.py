"""What ``segue funnel`` reads, and how it draws it."""
