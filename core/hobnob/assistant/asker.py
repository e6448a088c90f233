"""Who asks for a reminder, and how they are answered."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from hobnob.assistant.requests import is_command
from hobnob.assistant.speech import Speech
from hobnob.events import Button, Event
from hobnob.jobs import Deed
from hobnob.store.reminders import Reminder, Theirs

ATTENTION = timedelta(minutes=5)
"""How long after a reminder was noted "no, at 9" is about it."""

Change = Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and what they have."""

    event: Event
    text: str
    theirs: Theirs
    zone: str
    spoken: Speech
    now: datetime

    @property
    def latest(self) -> Reminder | None:
        """What they noted here just now."""
        here = [each for each in self.theirs.reminders if each.event.key == self.event.key]
        new = [each for each in here if self.event.at - each.event.at <= ATTENTION]
        return max(new, key=lambda each: each.event.at, default=None)

    def deed(
        self,
        reason: str,
        said: str,
        *,
        buttons: tuple[Button, ...] = (),
        also: Change | None = None,
    ) -> Deed:
        """What is said in words is remembered, as all talk is."""
        command = is_command(self.event)
        return Deed(
            reason=reason,
            said=said,
            buttons=buttons,
            private=command,
            remembered="" if command else said,
            incognito=self.theirs.incognito,
            also=also,
        )

    def one(self, number: int | None) -> Reminder | None:
        return next((each for each in self.theirs.reminders if each.number == number), None)
