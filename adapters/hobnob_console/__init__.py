"""The terminal for hobnob."""
