"""A Telegram in memory, for the real client library. See `server`."""

from hobnob.testing.telegram.api import TOKEN
from hobnob.testing.telegram.messages import BOT, USERNAME, Fault, Sent
from hobnob.testing.telegram.rules import Allowed
from hobnob.testing.telegram.server import (
    ANN,
    BEN,
    FORUM,
    GROUP,
    NEW_GROUP,
    PEOPLE,
    FakeTelegram,
)

__all__ = ["ANN", "BEN", "BOT", "FORUM", "GROUP", "NEW_GROUP", "PEOPLE", "TOKEN", "USERNAME"]
__all__ += ["Allowed", "FakeTelegram", "Fault", "Sent"]
