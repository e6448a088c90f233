"""Discord for hobnob."""
