"""The desk as one of the staff has it in the terminal: beside the running bot, by its tables."""

from collections.abc import Sequence

import sqlalchemy as sa

from hobnob import replies
from hobnob.errors import Changed
from hobnob.events import Role, Turn
from hobnob.jobs import Deed
from hobnob.store import outbox
from hobnob.store.database import Database
from hobnob.store.ticket_news import Watch
from hobnob.store.tickets import Act
from hobnob.support import wording
from hobnob.support.staff import LimitsOf, Staff, Who

TRIES = 3
"""Somebody else may change a ticket at the same moment."""


class Terminal:
    def __init__(self, database: Database, *, staff: Staff, limits: LimitsOf, who: Who) -> None:
        self._database = database
        self._staff = staff
        self._limits = limits
        self._who = who
        self._watch = Watch(database)

    async def do(self, line: str, tries: int = TRIES) -> str:
        """Do what they wrote; what came of it. Raises StoreError."""
        deed = await self._staff.hear(line, self._who)
        try:
            await self._carry_out(deed)
        except Changed:
            if tries == 1:
                raise
            return await self.do(line, tries - 1)
        return "\n".join(part for part in (deed.said, wording.commands(deed.buttons)) if part)

    async def news(self) -> Sequence[str]:
        """What others did and said since it was asked last; nothing at first. Raises StoreError."""
        new = [each for each in await self._watch.look() if not self._is_mine(each[1])]
        return [text for ticket, what in new if (text := wording.news(ticket, what))]

    def _is_mine(self, new: Act | Turn) -> bool:
        if isinstance(new, Turn):
            return new.role is Role.ASSISTANT and new.author.name == self._who.name
        return new.who == self._who.id

    async def _carry_out(self, deed: Deed) -> None:
        """The bot, which runs elsewhere, sends what is queued."""

        def transaction(connection: sa.Connection) -> None:
            for message in deed.elsewhere:
                parts = replies.elsewhere(message, self._limits(message.key))
                outbox.say(connection, message.key, parts)
            if deed.also:
                deed.also(connection)

        if deed.elsewhere or deed.also:
            await self._database.write(transaction)
