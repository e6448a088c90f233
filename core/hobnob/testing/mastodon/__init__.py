"""A server of Mastodon's in memory, for the real client library. See `server`."""

from hobnob.testing.mastodon.answers import Fault
from hobnob.testing.mastodon.server import FakeMastodon
from hobnob.testing.mastodon.town import Posted

__all__ = ["FakeMastodon", "Fault", "Posted"]
