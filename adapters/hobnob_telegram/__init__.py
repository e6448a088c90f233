"""Telegram for hobnob."""
