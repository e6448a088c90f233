"""The job that runs skills when somebody asks for one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from random import Random, SystemRandom

from hobnob import commands
from hobnob.conversation import ConversationKey
from hobnob.errors import SkillRefused
from hobnob.events import Addressed, Event, Kind
from hobnob.jobs import Deed, Job
from hobnob.policy import Action, Decision
from hobnob.ports import Clock
from hobnob.skills.skill import Context, Skill
from hobnob.skills.words import IN_WORDS, LONGEST
from hobnob.text import uncalled

log = logging.getLogger(__name__)

SECONDS = 5.0
"""That a skill may take."""
MOST = 4000
"""Characters of what it says."""


class Skills(Job):
    def __init__(
        self,
        skills: Sequence[Skill],
        clock: Clock,
        *,
        incognito: Callable[[ConversationKey], Awaitable[bool]],
        zone: str = "UTC",
        names: Sequence[str] = (),
        chance: Random | None = None,
        seconds: float = SECONDS,
    ) -> None:
        """`incognito` says whether nothing is to be kept of a conversation; `names` are what the
        bot is called by in rooms."""
        self._skills = {skill.command.name: skill for skill in skills}
        self.commands = tuple(skill.command for skill in skills)
        self._clock = clock
        self._incognito = incognito
        self._zone = zone
        self._names = names
        self._chance = chance or SystemRandom()
        self._seconds = seconds

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        last = events[-1]
        if last.kind is Kind.SCHEDULED or decision.action in (Action.NOTICE, Action.CHIME):
            return None
        name = next(iter(commands.words(last)), "")
        if name:
            if name not in self._skills or last.addressed is Addressed.NONE:
                return None
            said = await self._run(self._skills[name], commands.argument(last))
            return Deed(reason=f"the command /{name}", said=said)
        if decision.action is not Action.ANSWER or len(events) > 1 or last.attachments:
            return None
        return await self._of_words(last)

    async def _of_words(self, event: Event) -> Deed | None:
        """What is said in words is remembered, as all talk is."""
        text = " ".join(uncalled(event.text, self._names).replace("’", "'").split())
        if not text or len(text) > LONGEST:
            return None
        for name, skill in self._skills.items():
            reader = IN_WORDS.get(skill.function)
            wanted = reader(text) if reader else None
            if wanted is not None:
                return Deed(
                    reason=f"asked for {name} in words",
                    said=(said := await self._run(skill, wanted)),
                    remembered=said,
                    incognito=await self._incognito(event.key),
                )
        return None

    async def _run(self, skill: Skill, text: str) -> str:
        """What it says, or what went wrong, kindly. It never raises."""
        name = skill.command.name
        context = Context(now=self._clock.now(), zone=self._zone, chance=self._chance)
        try:
            async with asyncio.timeout(self._seconds):
                said = await skill.run(text, context)
        except SkillRefused as refused:
            return str(refused)
        except TimeoutError:
            log.warning("/%s took longer than %.0f s", name, self._seconds)
            return f"/{name} took too long, so I gave it up."
        except Exception:
            log.exception("/%s failed", name)
            return f"Something went wrong in /{name}. Whoever set me up can find it in my log."
        if not isinstance(said, str) or not said.strip():
            log.error("/%s returned no text", name)
            return f"/{name} had nothing to say."
        return said[:MOST]
