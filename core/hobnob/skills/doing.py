"""Running a skill, or a tool of a server: in bounded time, and once where it changes something."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, Protocol

from hobnob.errors import SkillRefused
from hobnob.events import Event, Tool
from hobnob.ports import Clock
from hobnob.skills.skill import Context
from hobnob.store.asked import Asked, SqlAsked

log = logging.getLogger(__name__)

MOST = 4000
"""Characters of what it says."""
IN_DOUBT = (
    "I was interrupted while I did this, and can't tell whether it was done. I won't do it again "
    "by myself: please look first."
)

ZoneOf = Callable[[Event], Awaitable[str]]
"""The time zone that whoever speaks lives in; "": nobody knows."""


class Doable(Protocol):
    """A skill, or a tool of a server."""

    @property
    def tool(self) -> Tool: ...

    @property
    def about(self) -> str:
        """What it does, in a line for people."""
        ...

    @property
    def writes(self) -> bool: ...

    @property
    def seconds(self) -> float:
        """That it may take."""
        ...

    def checked(self, arguments: str) -> Mapping[str, Any]:
        """What a model gives, as JSON. Raises SkillRefused."""
        ...

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Any:
        """What it says. Raises whatever it raises."""
        ...


class Runner:
    def __init__(
        self,
        asked: SqlAsked,
        clock: Clock,
        *,
        zone_of: ZoneOf,
        zone: str = "UTC",
        chance: Random | None = None,
    ) -> None:
        """`zone` is the bot's own."""
        self._asked = asked
        self._clock = clock
        self._zone_of = zone_of
        self._zone = zone
        self._chance = chance or SystemRandom()

    async def once(self, one: Doable, given: Mapping[str, Any], event: Event, asked: Asked) -> str:
        """Do what `asked` is about, unless that was begun before. It is on record before it begins;
        whoever ends the answer drops the record."""
        if asked.run not in ("", event.id) or not await self._asked.begin(event, asked):
            log.warning("/%s was interrupted, and is not begun again", one.tool.name)
            return IN_DOUBT
        return await self.run(one, given, event)

    async def run(self, one: Doable, given: Mapping[str, Any], event: Event) -> str:
        """What it says, or what went wrong, kindly. It never raises."""
        name = one.tool.name
        zone = await self._zone_of(event) or self._zone
        context = Context(now=self._clock.now(), zone=zone, chance=self._chance)
        try:
            async with asyncio.timeout(one.seconds):
                said = await one.run(given, context)
        except SkillRefused as refused:
            return str(refused)[:MOST]
        except TimeoutError:
            log.warning("/%s took longer than %.0f s", name, one.seconds)
            doubt = " It may have been done all the same." if one.writes else ""
            return f"/{name} took too long, so I gave it up.{doubt}"
        except Exception as error:
            log.error("/%s failed: %s", name, _where(error))
            return f"Something went wrong in /{name}. Whoever set me up can find it in my log."
        if not isinstance(said, str) or not said.strip():
            log.error("/%s returned no text", name)
            return f"/{name} had nothing to say."
        return said[:MOST]


def _where(error: Exception) -> str:
    """For the log: what an exception says may be what people wrote."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    at = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{at}"
