"""What was done and what came of it in a period: messages, conversions, orders and money, counted by day."""
