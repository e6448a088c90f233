"""The owner's own web site for hobnob."""
