"""Reads what is said to us and hands it in, oldest first: the list of notifications is the truth,
the stream only tells when to look."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from hobnob.conversation import ConversationKey
from hobnob.events import Author, Event
from hobnob.ports import Cursor, Receiver
from hobnob_mastodon.server import Server
from hobnob_mastodon.stream import Ring, Stream, What
from hobnob_mastodon.translate import Me, to_deletion, to_edit, to_event

log = logging.getLogger(__name__)

CURSOR = "notifications"
LOOK_SECONDS = 60.0
"""How often to look even if the bell does not ring."""
PAGE = 40
REMEMBERED = 2000
"""Messages whose deletion would be understood."""

Translate = Callable[[Mapping[str, Any], Me], Event | None]


class Reader:
    """One account's notifications.

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
            lambda api: api.notifications(types=["mention"], limit=1)
        )
        self._cursor = f"{newest[0]['id']}" if newest else "0"
        await self._receiver.move(self._me.id, Cursor(name=CURSOR, value=self._cursor))

    async def read(self, stream: Stream) -> None:
        """Hand in what was missed, then what comes, until cancelled. Raises AdapterStopped."""
        rings: list[Ring] = []
        while True:
            await self._catch_up()
            for ring in rings:
                await self._answer(ring)
            rings = await stream.rings(LOOK_SECONDS)

    async def _catch_up(self) -> None:
        """Everything behind the cursor, page by page (https://docs.joinmastodon.org/api/guidelines/
        #pagination: with min_id a page is the oldest one, but in itself newest first)."""
        while page := await self._server.insist(
            lambda api: api.notifications(types=["mention"], min_id=self._cursor, limit=PAGE)
        ):
            for notification in reversed(page):
                self._cursor = f"{notification['id']}"
                cursor = Cursor(name=CURSOR, value=self._cursor)
                event = self._read(to_event, notification)
                if event is None:
                    await self._receiver.move(self._me.id, cursor)
                else:
                    await self._put(event, cursor)

    async def _answer(self, ring: Ring) -> None:
        if ring.what is What.NOTIFICATION:
            # Ids are given out before they are visible: one can come behind a greater one, and
            # then the list has been read past it.
            event = self._read(to_event, ring.payload)
            if event is not None and event.message not in self._seen:
                await self._put(event)
        elif ring.what is What.EDIT:
            event = self._read(to_edit, ring.payload)
            if event is not None:
                await self._put(event)
        elif ring.what is What.DELETE and ring.payload in self._seen:
            key, author = self._seen.pop(ring.payload)
            await self._receiver.put(to_deletion(ring.payload, key, author, datetime.now(UTC)))

    async def _put(self, event: Event, cursor: Cursor | None = None) -> None:
        await self._receiver.put(event, cursor)
        self._seen[event.message] = (event.key, event.author)
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def _read(self, translate: Translate, payload: Mapping[str, Any]) -> Event | None:
        try:
            return translate(payload, self._me)
        except Exception:  # one that nobody can read must not hold up all that follow
            log.exception("a message could not be read and is left out: %s", payload.get("id"))
            return None
