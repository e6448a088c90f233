"""The bots that come ready."""
