"""Fakes and runners for testing one's own bot without a platform, a model or a clock."""
