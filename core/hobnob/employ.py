"""Which jobs a bot has: what its bot.toml switches on, put together."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from hobnob.assistant.job import Assistant
from hobnob.jobs import Job
from hobnob.ports import Adapter, Clock, Engine
from hobnob.recollection import Embedder
from hobnob.settings import Bot
from hobnob.store.database import Database
from hobnob.store.reminders import SqlReminders


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What jobs work with."""

    bot: Bot
    database: Database
    clock: Clock
    engine: Engine
    embedder: Embedder | None
    adapters: Mapping[str, Adapter]


async def jobs(place: Workplace, stack: AsyncExitStack) -> Sequence[Job]:
    """The bot's jobs, in the order in which they are asked; what they keep open is closed with
    `stack`."""
    found: list[Job] = []
    settings = place.bot.settings
    if settings.assistant.enabled:
        found.append(
            Assistant(
                SqlReminders(place.database),
                place.clock,
                zone=settings.bot.timezone,
                language=settings.bot.language,
                names=place.bot.rules.names,
            )
        )
    return found
