"""Mastodon for hobnob."""
