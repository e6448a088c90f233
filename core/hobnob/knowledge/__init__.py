"""What a bot knows from a folder of documents: read, cut into excerpts, found, and cited."""
