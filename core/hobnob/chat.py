"""The one path from an event to its reply. Read it top to bottom: receive, step, answer, write."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hobnob import commands, links, notices, policy, prompt, replies
from hobnob.batch import next_batch
from hobnob.conversation import ConversationKey
from hobnob.delivery import Delivery
from hobnob.errors import Changed, EngineUnavailable, StoreError, StoreRefused
from hobnob.events import Author, Event, Kind, Reply, Role, Turn
from hobnob.jobs import Deed, Jobs
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

Dealing = Callable[[Sequence[Waiting]], Awaitable[Parcel | None]]
MOST_CRASHES = 3
"""An event that crashes its handling this often is set aside."""
LONGEST_PAUSE = 60.0
"""Seconds between attempts while the database or the model is away; they begin at one."""
MOST_INTRODUCED = 10_000
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
        jobs: Jobs | None = None,
        fetch_page: links.Fetch | None = None,
        folder: Path = Path(),
    ) -> None:
        """`folder` is the bot's own, with the files that leave with messages."""
        self._persona = persona
        self._rules = rules
        self._engine = engine
        self._memory = memory
        self._inbox = stores.inbox
        self._history = stores.history
        self._adapters = adapters
        self._clock = clock
        self._jobs = jobs or Jobs()
        known = (*commands.COMMANDS, *self._jobs.commands)
        self.commands = tuple(command for command in known if command.offered)
        self._introduced: set[ConversationKey] = set()
        """Some of the conversations where it was said that we are an AI, which stays so."""
        places = {
            name: asyncio.Semaphore(adapter.limits.parallel_sends)
            for name, adapter in adapters.items()
        }
        self._delivery = Delivery(stores.outbox, adapters, clock, places, folder)
        self._lanes = Lanes(self._converse)
        self._writing = Writing(
            persona=persona,
            engine=engine,
            memory=memory,
            outbox=stores.outbox,
            adapters=adapters,
            clock=clock,
            places=places,
            jobs=self._jobs,
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
        """Store the event, however long the database takes, and see to it. False: seen before, or
        one that no database would keep."""
        pause = 1.0
        doubt = False  # a transaction that failed may have been committed all the same
        while True:
            try:
                new = await self._inbox.receive(event, cursor)
                break
            except StoreRefused as error:
                log.error("%s: an event is lost, for it can never be stored: %s", event.key, error)
                return False
            except StoreError as error:
                doubt = True
                log.error("%s: an event waits to be stored: %s", event.key, error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        if new or doubt:
            self._writing.interrupt(event)
            self._lanes.wake(event.key)
        return new

    def wake(self, key: ConversationKey, *, stop: bool = False) -> None:
        """Something came in here without `receive`, or is to go out; see `hobnob.jobs.Wake`."""
        if stop:
            self._writing.stop(key)
        if key.platform in self._adapters:  # else it waits until that platform is run
            self._lanes.wake(key)

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
            except Changed as changed:
                log.info("%s: decided anew: %s", key, changed)
                await self._clock.sleep(pause / 10)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
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
            await self._attempt(todo.changes[:1], self._change)
            return True
        if todo.parcel:
            await self._delivery.deliver(todo.parcel)
            return True
        batch = next_batch(todo.waiting, self._rules.burst_seconds, self._clock.now())
        if batch.wait > 0:
            await self._clock.sleep(batch.wait)
        elif batch.rows and (parcel := await self._attempt(batch.rows, self._answer)):
            await self._delivery.deliver(parcel)
        return bool(batch.rows)

    async def _attempt(self, batch: Sequence[Waiting], deal: Dealing) -> Parcel | None:
        """Deal with it, or note the crash; what is to be sent first."""
        try:
            return await deal(batch)
        except StoreRefused as error:
            await self._crashed(batch, error)
        except (EngineUnavailable, StoreError):
            raise  # not the event's fault
        except Exception as error:
            await self._crashed(batch, error)
        return None

    async def _crashed(self, batch: Sequence[Waiting], error: Exception) -> None:
        key = batch[0].event.key
        log.error("%s: handling %s crashed", key, batch[0].event.id, exc_info=error)
        reason = f"{type(error).__name__}: {error}"
        fail = partial(self._inbox.fail, [row.row for row in batch], reason, most=MOST_CRASHES)
        try:
            aside = await fail(sorry=self._sorry([row.event for row in batch]))
        except StoreRefused:
            aside = await fail()
        if aside:
            log.error("%s: set aside after %d crashes; see `doctor`", key, MOST_CRASHES)
        else:
            await self._clock.sleep(2.0 ** batch[0].attempts)

    def _sorry(self, events: Sequence[Event]) -> Sequence[Reply]:
        """What people are told if their message is set aside, if it was to be answered."""
        try:
            decision = policy.decide(events, self._rules, Usage())
            if decision.action in (Action.SILENT, Action.CHIME):
                return ()
            deed = Deed(reason="", said=notices.FAILED)
            limits = replies.limits_of(self._adapters, events[-1].key)
            return replies.to(events[-1], deed, limits)
        except Exception:
            return ()  # it may be what crashed

    async def _change(self, changed: Sequence[Waiting]) -> None:
        await self._inbox.change(changed, self._rules.sent)

    async def _answer(self, batch: Sequence[Waiting]) -> Parcel | None:
        """Decide, do, and record the end of it in one transaction."""
        events = [row.event for row in batch]
        last = events[-1]
        decision = await self._decide(events)
        deed = None if decision.final else await self._jobs.take(events, decision)
        deed = deed or await self._do(events, decision)
        if deed is None:
            return None  # the next step sees what has changed
        deed = await self._introducing(last.key, deed)
        log.info("%s: %s %s: %s", last.key, deed.action, last.id, deed.reason)
        turns = self._turns(events, deed.remembered) if deed.remembered or deed.heard else ()
        limits = partial(replies.limits_of, self._adapters)
        messages = [replies.elsewhere(each, limits(each.key)) for each in deed.elsewhere]
        elsewhere = tuple(parts for parts in messages if parts)
        parcel = await self._inbox.finish(
            Outcome(
                rows=tuple(row.row for row in batch),
                key=last.key,
                decision=deed.action,
                reason=deed.reason,
                turns=() if deed.incognito else turns,
                replies=replies.to(last, deed, limits(last.key)),
                elsewhere=elsewhere,
                introduces=deed.introduces,
                also=partial(self._also, last, deed),
                permit=self._jobs.permit,
            )
        )
        if deed.action is Action.MEMORY:
            await self._done(last)
        if turns and (parcel or deed.heard):
            self._memory.said(turns, last, incognito=deed.incognito)
        for message in deed.elsewhere:
            self.wake(message.key, stop=message.stops)
        return parcel

    def _also(self, event: Event, deed: Deed, connection: Any) -> Sequence[Reply]:
        """In the transaction that ends the batch."""
        if deed.also:
            deed.also(connection)
        if deed.tells is None:
            return ()
        told = replace(deed, said=deed.tells(connection))
        return replies.to(event, told, replies.limits_of(self._adapters, event.key))

    async def _done(self, event: Event) -> None:
        """What was asked of memory is done; nobody is told before nothing is left of it."""
        pause = 1.0
        while True:
            try:
                return await self._memory.done(event)
            except StoreError as error:
                log.warning("%s: what was forgotten waits to be wiped: %s", event.key, error)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _do(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        """What was decided. None: not now, or something has changed meanwhile."""
        last = events[-1]
        deed = Deed(action=decision.action, reason=decision.reason, heard=decision.heard)
        match decision.action:
            case Action.NOTICE:
                return replace(deed, said=notices.TOO_MUCH)
            case Action.GREET | Action.TELL:
                return replace(deed, said=self._tell(last), introduces=True)
            case Action.MEMORY:
                tells = self._memory.command(last)
                return replace(deed, tells=tells, private=commands.is_private(last))
            case Action.ANSWER | Action.CHIME:
                return await self._write(events, deed)
            case _:
                return deed

    async def _write(self, events: Sequence[Event], deed: Deed) -> Deed | None:
        """Let the model answer."""
        if busy := self._engine.busy:
            log.info("%s: waits for the model: %s", events[-1].key, busy)
            await self._clock.sleep(BUSY_SECONDS)
            return None
        memory = await self._memory.snapshot(events)
        answer = await self._writing.answer(events, memory)
        if answer is None:
            return None
        text = answer.text
        deed = replace(deed, said=text, remembered=text, incognito=memory.incognito)
        if text:
            deed = await self._jobs.review(events, deed)
        return answer.asked(deed)

    async def _introducing(self, key: ConversationKey, deed: Deed) -> Deed:
        """The first answer in a conversation says that an AI gives it, whoever it comes from."""
        silent = not deed.said and deed.tells is None
        if silent or deed.introduces or not self._rules.disclose or key in self._introduced:
            return deed
        if await self._history.introduced(key):
            if len(self._introduced) >= MOST_INTRODUCED:
                self._introduced.clear()
            self._introduced.add(key)
            return deed
        said = notices.introduced(deed.said) if deed.said else ""
        tells = partial(_introduced, deed.tells) if deed.tells else None
        return replace(deed, said=said, tells=tells, introduces=True)

    async def _decide(self, events: Sequence[Event]) -> Decision:
        decision = policy.decide(events, self._rules, Usage())
        unasked = decision.action is Action.CHIME
        if decision.action is Action.SILENT or not (self._rules.limited or unasked):
            return decision  # there is nothing to count for
        last = events[-1]
        usage = await self._history.usage(last.key, last.author.id, last.at, unasked=unasked)
        return policy.decide(events, self._rules, usage)

    def _tell(self, event: Event) -> str:
        return notices.tell(
            event,
            self._persona,
            known=self.commands,
            contact=self._rules.contact,
            host=self._rules.model_host,
            listens=self._rules.rooms.remember_all,
        )

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
            if event.kind is not Kind.SCHEDULED
        )
        if not answer:
            return theirs
        me = Author(id=events[-1].key.account, name=self._persona.name, is_bot=True)
        ours = Turn(role=Role.ASSISTANT, author=me, text=answer, at=self._clock.now())
        return (*theirs, ours)


def _introduced(tells: Callable[[Any], str], connection: Any) -> str:
    return notices.introduced(tells(connection))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReceiver:
    """The chat as one platform's adapter sees it (`hobnob.ports.Receiver`)."""

    platform: str
    chat: Chat
    inbox: Inbox

    @property
    def commands(self) -> Sequence[Command]:
        return self.chat.commands

    async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
        return await self.chat.receive(event, cursor)

    async def move(self, account: str, cursor: Cursor) -> None:
        await self.inbox.move(self.platform, account, cursor)

    async def cursors(self, account: str) -> Mapping[str, str]:
        return await self.inbox.cursors(self.platform, account)

    async def settled(self, key: ConversationKey) -> None:
        await self.chat.settled(key)
