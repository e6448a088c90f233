"""Console for hobnob."""
