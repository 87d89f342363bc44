"""What an editor asks: diagnostics, completion, explanations, renaming, over the language server protocol."""
