"""Reads what is said to us and hands it in, oldest first: from the stream, which is quick, and from
the list of notifications, which is the truth."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mastodon.errors import MastodonError

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Event, Kind
from hobnob.health import State
from hobnob.ports import Cursor, Receiver
from hobnob_mastodon.server import WINDOW_SECONDS, Pace, Server
from hobnob_mastodon.stream import Ring, Stream, What
from hobnob_mastodon.translate import (
    TYPES,
    Me,
    to_deletion,
    to_edit,
    to_event,
    to_quote,
)

log = logging.getLogger(__name__)

CURSOR = "notifications"
LOOK_SECONDS = 60.0
"""How often to look even if the bell does not ring."""
BUSY_SECONDS = 10.0
"""The least between two looks because the bell rang, and how often to look without a stream."""
PAGE = 40
REMEMBERED = 2000
"""Messages whose deletion would be understood."""
MOST_PARENTS = 60
"""Posts looked up because somebody answers them, in as long as servers count requests for."""
PARENT_SECONDS = 5.0


class Reader:
    """One account's notifications.

    What the stream tells is handed in at once. Every look at the list brings what it did not tell,
    and moves the cursor, so that a kill in between loses nothing.

    What it cannot see: edits by people whom the account does not follow (Mastodon tells only
    followers), edits and deletions while the stream was down, and deletions of messages that
    were handed in before the last start. A deletion comes with nothing but the id of the status,
    so that the last messages handed in are remembered here, and only here.
    """

    def __init__(self, server: Server, receiver: Receiver, me: Me) -> None:
        self._server = server
        self._receiver = receiver
        self._me = me
        self._cursor = ""
        self._soon = False
        """To look again before long, although the stream tells of all."""
        self._looked = 0.0
        self._parents = Pace(MOST_PARENTS, WINDOW_SECONDS)
        self._seen: dict[str, tuple[ConversationKey, Author]] = {}
        """Where the messages handed in were said, and by whom; by their id, oldest first."""

    async def open(self) -> None:
        """Find where to go on reading. The first time ever that is behind the newest notification:
        nobody wants an answer to what they said to the account years ago."""
        cursors = await self._receiver.cursors(self._me.id)
        if CURSOR in cursors:
            self._cursor = cursors[CURSOR]
            return
        newest = await self._server.insist(
            lambda api: api.notifications(types=list(TYPES), limit=1)
        )
        self._cursor = f"{newest[0]['id']}" if newest else "0"
        await self._receiver.move(self._me.id, Cursor(name=CURSOR, value=self._cursor))

    async def read(self, stream: Stream) -> None:
        """Hand in what was missed, then what comes, until cancelled. Raises AdapterStopped."""
        rings: list[Ring] = [Ring(what=What.LOOK)]
        while True:
            if self._is_due(rings):
                await self._catch_up()
            for ring in rings:
                await self._answer(ring)
            steady = self._server.pulse.health.state is State.CONNECTED and not self._soon
            rings = await stream.rings(LOOK_SECONDS if steady else BUSY_SECONDS)

    def _is_due(self, rings: Sequence[Ring]) -> bool:
        asked = any(ring.what in (What.LOOK, What.OPENED, What.ENDED) for ring in rings)
        return asked or not rings or time.monotonic() - self._looked >= BUSY_SECONDS

    async def _catch_up(self) -> None:
        """Everything behind the cursor, page by page (https://docs.joinmastodon.org/api/guidelines/
        #pagination: with min_id a page is the oldest one, but in itself newest first)."""
        self._soon, self._looked = False, time.monotonic()
        while page := await self._server.insist(
            lambda api: api.notifications(types=list(TYPES), min_id=self._cursor, limit=PAGE)
        ):
            for notification in reversed(page):
                self._cursor = f"{notification['id']}"
                cursor = Cursor(name=CURSOR, value=self._cursor)
                event = self._read(notification)
                if event is None or event.message in self._seen:
                    await self._receiver.move(self._me.id, cursor)
                else:
                    await self._put(await self._with_parent(event, notification["status"]), cursor)

    async def _answer(self, ring: Ring) -> None:
        if ring.what is What.NOTIFICATION:
            event = self._read(ring.payload)
            if event is not None and event.message not in self._seen:
                await self._put(await self._with_parent(event, ring.payload["status"]))
                self._soon = True  # for the cursor
        elif ring.what is What.OPENED:
            self._soon = True  # it may not have told of the first moments
        elif ring.what is What.EDIT:
            event = self._read_edit(ring.payload)
            if event is not None:
                await self._put(await self._with_parent(event, ring.payload))
        elif ring.what is What.DELETE and ring.payload in self._seen:
            key, author = self._seen.pop(ring.payload)
            await self._receiver.put(to_deletion(ring.payload, key, author, datetime.now(UTC)))

    async def _put(self, event: Event, cursor: Cursor | None = None) -> None:
        await self._receiver.put(event, cursor)
        self._server.pulse.came(event.at)
        if event.kind is Kind.REACTION:
            return
        self._seen[event.message] = (event.key, event.author)
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    async def _with_parent(self, event: Event, status: Mapping[str, Any]) -> Event:
        """With what it answers, if that is not ours and was not said to us. The answer is worth
        more than this: what can't be had soon is left out."""
        answered = f"{status.get('in_reply_to_account_id')}"
        if event.quoted or not event.reply_to or answered == self._me.id or event.author.is_bot:
            return event
        now = time.monotonic()
        if event.reply_to in self._seen or self._parents.wait(now):
            return event
        self._parents.take(now)
        try:
            async with asyncio.timeout(PARENT_SECONDS):
                parent = await self._server.ask(lambda api: api.status(f"{event.reply_to}"))
            return replace(event, quoted=to_quote(parent, self._me, event))
        except (MastodonError, TimeoutError) as error:
            log.debug("what a message answers can't be had: %s", type(error).__name__)
        except Exception:  # one that nobody can read
            log.exception("what a message answers could not be read: %s", event.reply_to)
        return event

    def _read(self, notification: Mapping[str, Any]) -> Event | None:
        try:
            return to_event(notification, self._me, self._receiver.commands)
        except Exception:  # one that nobody can read must not hold up all that follow
            log.exception("a message could not be read and is left out: %s", notification.get("id"))
            return None

    def _read_edit(self, status: Mapping[str, Any]) -> Event | None:
        try:
            return to_edit(status, self._me)
        except Exception:
            log.exception("an edit could not be read and is left out: %s", status.get("id"))
            return None
