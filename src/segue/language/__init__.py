"""Rule text to a checked model: grammar, tree, recovery, vocabulary, checks."""
