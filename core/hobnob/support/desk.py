"""The support desk: where the bot knows no further, a person takes over, and gives back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from hobnob import replies
from hobnob.conversation import ConversationKey
from hobnob.errors import StoreError
from hobnob.events import Event, Kind
from hobnob.jobs import Deed, Job, Wake
from hobnob.policy import Decision
from hobnob.ports import Clock
from hobnob.store import outbox
from hobnob.store import tickets as store
from hobnob.store.schedule import number_of
from hobnob.store.tickets import Act, SqlTickets, Ticket
from hobnob.support import customer, staff, wording
from hobnob.support.customer import Customer
from hobnob.support.staff import LimitsOf, Staff

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at what the terminal queued, and at what did not reach a customer."""


class Desk(Job):
    """See `hobnob.jobs.Job`. The first of all jobs: where a person has a conversation, no other
    may answer in it."""

    commands = (*customer.COMMANDS, *staff.COMMANDS)

    def __init__(
        self,
        *,
        customer: Customer,
        staff: Staff,
        tickets: SqlTickets,
        where: ConversationKey | None,
        limits: LimitsOf,
        clock: Clock,
    ) -> None:
        self._customer = customer
        self._staff = staff
        self._tickets = tickets
        self._where = where
        self._limits = limits
        self._clock = clock

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        last = events[-1]
        row = number_of(last) if last.kind is Kind.SCHEDULED else None
        if row is not None and (deed := await self._staff.due(row)):
            return deed  # wherever the desk was when the ticket was put away
        if last.key != self._where:
            return await self._customer.take(events, decision)
        return await self._staff.take(events) if last.kind is not Kind.SCHEDULED else None

    def permit(self, connection: Any, key: ConversationKey) -> None:
        if key != self._where:  # it may have been a customer's once
            store.permit(connection, key)

    async def unanswered(self, events: Sequence[Event], deed: Deed) -> Deed:
        """See `hobnob.knowledge.job.Desk`."""
        return deed if self._is_ours(events) else await self._customer.unanswered(events, deed)

    async def hold(self, events: Sequence[Event], deed: Deed, why: str) -> Deed:
        """See `hobnob.knowledge.job.Desk`."""
        return deed if self._is_ours(events) else await self._customer.hold(events, deed, why)

    def _is_ours(self, events: Sequence[Event]) -> bool:
        """The staff asks the bot itself."""
        return events[-1].key == self._where

    async def run(self, wake: Wake, busy: Callable[[], bool]) -> None:
        while True:
            try:
                await self.look(wake)
            except StoreError as error:
                log.warning("the desk waits: %s", error)
            except Exception:
                log.exception("the desk: a bug; nothing is lost")
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, wake: Wake) -> None:
        for key in await self.work():
            wake(key, stop=key != self._where)  # what the terminal did, the model does not know

    async def work(self) -> Sequence[ConversationKey]:
        """Send what the terminal queued, and tell the staff of words that did not reach a
        customer."""
        for row, ticket, what in await self._tickets.undelivered():
            log.warning("ticket %d: %s", ticket.number, what)
            lost = Act(what="lost", note=what)

            def tell(
                connection: Any, row: int = row, ticket: Ticket = ticket, lost: Act = lost
            ) -> None:
                store.told(connection, row)
                store.act(connection, ticket.number, lost, self._clock.now())
                text = wording.done(ticket, lost)
                for message in wording.to_staff(self._where, ticket, text):
                    parts = replies.elsewhere(message, self._limits(message.key))
                    outbox.say(connection, message.key, parts)

            await self._tickets.write(tell)
        return await self._tickets.unsent()
