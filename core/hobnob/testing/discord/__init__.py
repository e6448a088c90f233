"""A Discord in memory, for the real client library. See `server`."""

from hobnob.testing.discord.desk import Use
from hobnob.testing.discord.ledger import Fault
from hobnob.testing.discord.server import (
    DM,
    FORUM,
    GENERAL,
    MENTION,
    POST,
    SIDE,
    THREAD,
    TOKEN,
    FakeDiscord,
    Posted,
)

__all__ = ["DM", "FORUM", "GENERAL", "MENTION", "POST", "SIDE", "THREAD", "TOKEN"]
__all__ += ["FakeDiscord", "Fault", "Posted", "Use"]
