"""Sending what the outbox holds: each part once, and every doubt recorded."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hobnob import media
from hobnob.errors import MediaFailed, SendLater, SendRefused, SendUnknown
from hobnob.events import Reply
from hobnob.ports import Adapter, Clock, Outbox, Parcel

log = logging.getLogger(__name__)


class Delivery:
    """Hands parcels to adapters. The attempt is on record before the first byte leaves; one that a
    crash cut off is found in the outbox as attempted, and the adapter, who knows its platform,
    decides whether it can safely be made again."""

    def __init__(
        self,
        outbox: Outbox,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        places: Mapping[str, asyncio.Semaphore],
        folder: Path,
    ) -> None:
        """`places` bounds the sends under way at once, by the platform's name. In `folder` are the
        files that leave with messages."""
        self._outbox = outbox
        self._adapters = adapters
        self._clock = clock
        self._places = places
        self._folder = folder
        self._attempts: set[asyncio.Task[SendLater | None]] = set()

    async def deliver(self, parcel: Parcel) -> None:
        """Try once; returns when another attempt, of this parcel or the next, may be made."""
        async with self._places[parcel.reply.key.platform]:
            # A task of its own: being cancelled (a stop) must not tear a send in two.
            attempt = asyncio.create_task(self._attempt(parcel))
            self._attempts.add(attempt)
            attempt.add_done_callback(self._attempts.discard)
            later = await asyncio.shield(attempt)
        if later is not None:
            await self._wait(later)

    async def close(self, timeout: float) -> None:
        """Let the sends under way end, for at most `timeout` seconds."""
        if self._attempts:
            await asyncio.wait(self._attempts, timeout=timeout)

    async def _wait(self, later: SendLater) -> None:
        """Until another attempt may be made."""
        waits: list[asyncio.Task[object]] = [
            asyncio.create_task(self._clock.sleep(later.retry_after))
        ]
        if later.ready is not None:
            waits.append(asyncio.create_task(later.ready.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _attempt(self, parcel: Parcel) -> SendLater | None:
        """Send and record; why another attempt is to be made, if one is."""
        reply = parcel.reply
        adapter = self._adapters[reply.key.platform]
        if not await self._outbox.begin(parcel, self._clock.now()):
            return None
        try:
            message = await adapter.send(await self._loaded(reply))
        except SendLater as later:
            log.info("%s: sent later: %s", reply.key, later)
            await self._outbox.again(parcel)
            return later
        except SendRefused as refused:
            if reply.replaces and reply.text:  # what people see is not yet the answer
                log.info("%s: comes as a message of its own: %s", reply.key, refused)
                await self._outbox.anew(parcel.row, secrets.token_hex(10))
                return None
            log.warning("%s: not sent: %s", reply.key, refused)
            await self._outbox.give_up(parcel.row, "refused", str(refused))
        except SendUnknown as unknown:
            log.warning("%s: perhaps sent, not sent again: %s", reply.key, unknown)
            await self._outbox.give_up(parcel.row, "unknown", str(unknown))
        except Exception as error:
            log.exception("%s: perhaps sent, not sent again: the adapter failed", reply.key)
            await self._outbox.give_up(parcel.row, "unknown", f"{type(error).__name__}: {error}")
        else:
            await self._outbox.sent(parcel.row, message)
        return None

    async def _loaded(self, reply: Reply) -> Reply:
        """With the bytes of its files."""
        if not reply.media:
            return reply
        try:
            loaded = await asyncio.to_thread(media.load, self._folder, reply.media)
        except MediaFailed as failed:
            if reply.attempted:
                raise SendUnknown(f"an earlier attempt was cut off, and now {failed}") from failed
            raise SendRefused(f"{failed}") from failed
        return replace(reply, media=loaded)
