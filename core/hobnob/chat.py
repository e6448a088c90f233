"""The one path from an event to its reply. Read it top to bottom: receive, step, answer, write."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hobnob import commands, links, notices, policy, prompt, replies
from hobnob.batch import next_batch
from hobnob.conversation import ConversationKey
from hobnob.delivery import Delivery
from hobnob.errors import EngineUnavailable, StoreError
from hobnob.events import Author, Event, Role, Turn
from hobnob.lanes import Lanes
from hobnob.persona import Persona
from hobnob.policy import Action, Decision, Rules
from hobnob.ports import (
    Adapter,
    Clock,
    Command,
    Cursor,
    Engine,
    History,
    Inbox,
    MemoryPort,
    Outbox,
    Outcome,
    Parcel,
    Usage,
    Waiting,
)
from hobnob.writing import Writing

log = logging.getLogger(__name__)

MOST_CRASHES = 3
"""An event that crashes its handling this often is set aside."""
LONGEST_PAUSE = 60.0
"""Seconds between attempts while the database or the model is away; they begin at one."""
BUSY_SECONDS = 1.0
"""Between two looks at whether the model has room again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The three sides of the database."""

    inbox: Inbox
    outbox: Outbox
    history: History


class Chat:
    """Takes events in, and answers each at most once, in order, whatever crashes."""

    def __init__(
        self,
        *,
        persona: Persona,
        rules: Rules,
        engine: Engine,
        memory: MemoryPort,
        stores: Stores,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        fetch_page: links.Fetch | None = None,
    ) -> None:
        self._persona = persona
        self._rules = rules
        self._engine = engine
        self._memory = memory
        self._inbox = stores.inbox
        self._history = stores.history
        self._adapters = adapters
        self._clock = clock
        self._delivery = Delivery(stores.outbox, adapters, clock)
        self._lanes = Lanes(self._converse)
        self._writing = Writing(
            persona=persona,
            engine=engine,
            memory=memory,
            outbox=stores.outbox,
            adapters=adapters,
            clock=clock,
            fetch_page=fetch_page,
        )

    async def resume(self, platform: str) -> None:
        """Take up what an earlier life left unfinished on this platform."""
        for key in await self._inbox.unfinished(platform):
            self._lanes.wake(key)

    def receiver(self, platform: str) -> "ChatReceiver":
        """What the platform's adapter hands its events to."""
        return ChatReceiver(platform=platform, chat=self, inbox=self._inbox)

    async def receive(self, event: Event, cursor: Cursor | None) -> bool:
        """Store the event, however long the database takes, and see to it. False: seen before."""
        pause = 1.0
        doubt = False  # a transaction that failed may have been committed all the same
        while True:
            try:
                new = await self._inbox.receive(event, cursor)
                break
            except StoreError as error:
                doubt = True
                log.error("%s: an event waits to be stored: %s", event.key, error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        if new or doubt:
            self._writing.interrupt(event)
            self._lanes.wake(event.key)
        return new

    async def settled(self, key: ConversationKey) -> None:
        await self._lanes.settled(key)

    @property
    def writing(self) -> bool:
        """Somebody waits for an answer that the model is writing."""
        return len(self._writing) > 0

    async def close(self, timeout: float) -> None:
        """Stop: answers being written are given up (their events wait for the next start), sends
        under way may end, for at most `timeout` seconds."""
        await self._lanes.close()
        await self._delivery.close(timeout)

    # ------------------------------------------------------------------ one conversation's lane

    async def _converse(self, key: ConversationKey) -> None:
        """Everything there is to do in one conversation."""
        pause = 1.0
        while True:
            try:
                if not await self._step(key):
                    return
            except (EngineUnavailable, StoreError) as error:
                log.warning("%s: waits %.0f s: %s", key, pause, error)
            except Exception:
                log.exception("%s: a bug; nothing is lost; again in %.0f s", key, pause)
            else:
                pause = 1.0
                continue
            await self._clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _step(self, key: ConversationKey) -> bool:
        """The next thing to do: apply an edit, send a part, wait for the end of a burst, or answer.
        False if there is nothing."""
        todo = await self._inbox.todo(key)
        if todo.changes:
            await self._inbox.change(todo.changes, self._rules.sent)
            return True
        if todo.parcel:
            await self._delivery.deliver(todo.parcel)
            return True
        batch = next_batch(todo.waiting, self._rules.burst_seconds, self._clock.now())
        if batch.wait > 0:
            await self._clock.sleep(batch.wait)
        elif batch.rows and (parcel := await self._attempt(batch.rows)):
            await self._delivery.deliver(parcel)
        return bool(batch.rows)

    async def _attempt(self, batch: Sequence[Waiting]) -> Parcel | None:
        """Answer, or note the crash; the first part to be sent."""
        try:
            return await self._answer(batch)
        except (EngineUnavailable, StoreError):
            raise  # not the event's fault
        except Exception as error:
            key = batch[0].event.key
            log.exception("%s: handling %s crashed", key, batch[0].event.id)
            reason = f"{type(error).__name__}: {error}"
            if await self._inbox.fail([row.row for row in batch], reason, most=MOST_CRASHES):
                log.error("%s: set aside after %d crashes; see `doctor`", key, MOST_CRASHES)
            else:
                await self._clock.sleep(2.0 ** batch[0].attempts)
            return None

    async def _answer(self, batch: Sequence[Waiting]) -> Parcel | None:
        """Decide, write, and record the end of it in one transaction."""
        events = [row.event for row in batch]
        last = events[-1]
        decision = await self._decide(events)
        log.info("%s: %s %s: %s", last.key, decision.action, last.id, decision.reason)

        said = ""
        turns: tuple[Turn, ...] = ()
        incognito = introduces = False
        if decision.action is Action.NOTICE:
            said = notices.TOO_MUCH
        elif decision.action in (Action.GREET, Action.TELL):
            said, introduces = self._tell(last), True
        elif decision.action is Action.MEMORY:
            said = await self._memory.command(last)
        elif decision.action is Action.ANSWER:
            if busy := self._engine.busy:
                log.info("%s: waits for the model: %s", last.key, busy)
                await self._clock.sleep(BUSY_SECONDS)
                return None  # the next step sees what has been said meanwhile
            memory = await self._memory.snapshot(events)
            answer = await self._writing.answer(events, memory)
            if answer is None:
                return None  # the next step sees what has changed
            said, turns, incognito = answer, self._turns(events, answer), memory.incognito
            if self._rules.disclose and not memory.introduced:
                said, introduces = notices.introduced(answer), True
        parcel = await self._inbox.finish(
            Outcome(
                rows=tuple(row.row for row in batch),
                key=last.key,
                decision=decision.action,
                reason=decision.reason,
                turns=() if incognito else turns,
                replies=replies.to(last, said, self._adapters[last.key.platform].limits),
                introduces=introduces,
            )
        )
        if turns and parcel:
            self._memory.said(turns, last, incognito=incognito)
        return parcel

    async def _decide(self, events: Sequence[Event]) -> Decision:
        decision = policy.decide(events, self._rules, Usage())
        if decision.action is Action.SILENT or not self._rules.limited:
            return decision  # there is nothing to count for
        last = events[-1]
        since = last.at - timedelta(minutes=1)
        usage = await self._history.usage(last.key, last.author.id, since)
        return policy.decide(events, self._rules, usage)

    def _tell(self, event: Event) -> str:
        rules = self._rules
        return notices.tell(event, self._persona, contact=rules.contact, host=rules.model_host)

    def _turns(self, events: Sequence[Event], answer: str) -> tuple[Turn, ...]:
        theirs = tuple(
            Turn(
                role=Role.USER,
                author=event.author,
                text=prompt.said(event),
                at=event.at,
                message=event.message,
            )
            for event in events
        )
        me = Author(id=events[-1].key.account, name=self._persona.name, is_bot=True)
        ours = Turn(role=Role.ASSISTANT, author=me, text=answer, at=self._clock.now())
        return (*theirs, ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReceiver:
    """The chat as one platform's adapter sees it (`hobnob.ports.Receiver`)."""

    platform: str
    chat: Chat
    inbox: Inbox

    @property
    def commands(self) -> Sequence[Command]:
        return commands.COMMANDS

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        return await self.chat.receive(event, cursor)

    async def move(self, account: str, cursor: Cursor) -> None:
        await self.inbox.move(self.platform, account, cursor)

    async def cursors(self, account: str) -> Mapping[str, str]:
        return await self.inbox.cursors(self.platform, account)

    async def settled(self, key: ConversationKey) -> None:
        await self.chat.settled(key)
