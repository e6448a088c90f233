"""The stream of what happens, which the server pushes: a bell, because streams lose events.

Runs in a thread of its own, with a connection of its own, and comes back by itself with growing
pauses. https://docs.joinmastodon.org/methods/streaming/#user
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

import requests
from mastodon import Mastodon, StreamListener

from hobnob.health import Pulse, State
from hobnob_mastodon.server import growing_pauses
from hobnob_mastodon.translate import TYPES

log = logging.getLogger(__name__)

SILENCE_SECONDS = 90.0
"""Servers send a sign of life every 15 s or so; after a silence this long nobody is there."""
STEADY_SECONDS = 60.0
"""A stream that held this long is reconnected at once when it ends."""
CLOSE_SECONDS = 3.0


class What(Enum):
    LOOK = "things may have happened that the stream did not tell"
    OPENED = "the stream begins"
    ENDED = "the stream ended, and will be opened again"
    NOTIFICATION = "notification"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Something happened. `payload` is the notification, the edited status, the id of the deleted
    one, or why the stream ended."""

    what: What
    payload: Any = None


class Stream:
    """Rings while the `async with` lasts."""

    def __init__(self, api: Mastodon, silence: float, pulse: Pulse) -> None:
        self._api = api
        self._pulse = pulse
        self._silence = silence
        self._rings: asyncio.Queue[Ring] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._listener = _Listener(self._tell)
        # A daemon: a server that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._listen, name="mastodon stream", daemon=True)
        self._stop = threading.Event()

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop.set()
        self._listener.close()
        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        self._api.session.close()

    async def rings(self, timeout: float) -> list[Ring]:
        """Wait for the bell, for at most `timeout` seconds; all rings there are, in order."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                found = [await self._rings.get()]
                while not self._rings.empty():
                    found.append(self._rings.get_nowait())
                return found
        return []

    def look(self) -> None:
        """Ring by hand."""
        self._rings.put_nowait(Ring(what=What.LOOK))

    def _tell(self, ring: Ring) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._ring, ring)

    def _ring(self, ring: Ring) -> None:
        if ring.what is What.OPENED:
            self._pulse.turned(State.CONNECTED)
        elif ring.what is What.ENDED:
            self._pulse.turned(State.RECONNECTING)
            self._pulse.failed(f"the stream ended ({ring.payload})")
        self._rings.put_nowait(ring)

    def _listen(self) -> None:
        pauses = growing_pauses()
        while not self._stop.is_set():
            start = time.monotonic()
            silence: Any = self._silence  # fractions of seconds work, too
            try:
                self._api.stream_user(self._listener, timeout=silence)
                ended = "the server ended it"
            except Exception as error:  # the library lets those of three others through
                ended = type(error).__name__
            if self._stop.is_set():
                return
            self._tell(Ring(what=What.ENDED, payload=ended))
            if time.monotonic() - start > STEADY_SECONDS:
                pauses = growing_pauses()
            pause = next(pauses)
            log.info("the stream ended (%s); again in %.0f s", ended, pause)
            self._stop.wait(pause)


class _Listener(StreamListener):
    """Sorts out what the stream says; runs in the stream's thread."""

    def __init__(self, tell: Any) -> None:
        self._tell = tell
        self._response: requests.Response | None = None
        self._closed = False

    def handle_stream(self, response: requests.Response) -> None:
        self._response = response
        if self._closed:
            return
        self._tell(Ring(what=What.OPENED))
        super().handle_stream(response)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """End the stream from another thread. Closing the response would wait for its next byte;
        its socket can be shut down at once."""
        self._closed = True
        if self._response is not None:
            with contextlib.suppress(OSError, ValueError, RuntimeError):
                self._response.raw.shutdown()

    def on_notification(self, notification: Mapping[str, Any]) -> None:
        if notification.get("type") in TYPES:
            self._tell(Ring(what=What.NOTIFICATION, payload=notification))

    def on_status_update(self, status: Mapping[str, Any]) -> None:
        self._tell(Ring(what=What.EDIT, payload=status))

    def on_delete(self, status_id: Any) -> None:
        self._tell(Ring(what=What.DELETE, payload=f"{status_id}"))
