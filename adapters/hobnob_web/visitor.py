"""A visitor who is here: what they are told, and whether it arrived."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

CONFIRM_SECONDS = 10.0
TELL_SECONDS = 2.0


class Visitor:
    """One browser, in as many windows as it has open. Its windows share what they keep, so that
    what one of them confirms all have."""

    def __init__(self) -> None:
        self.windows: set[web.WebSocketResponse] = set()
        self._numbers = itertools.count(1)
        self._unconfirmed: dict[int, tuple[str, asyncio.Future[bool]]] = {}

    async def join(self, window: web.WebSocketResponse) -> None:
        self.windows.add(window)
        for frame, _ in list(self._unconfirmed.values()):
            await _send([window], frame)

    def leave(self, window: web.WebSocketResponse) -> None:
        self.windows.discard(window)
        if not self.windows:
            for _, arrived in self._unconfirmed.values():
                _end(arrived, False)

    def confirm(self, number: int) -> bool:
        """False if nobody waits for it."""
        _, arrived = self._unconfirmed.get(number, ("", None))
        if arrived is not None:
            _end(arrived, True)
        return arrived is not None

    async def deliver(self, frame: dict[str, Any]) -> bool:
        """Whether the browser confirmed that it keeps this; if not, it may all the same. A
        connection that says nothing is as good as broken, and is closed."""
        number = next(self._numbers)
        text = json.dumps({**frame, "number": number})
        arrived = asyncio.get_running_loop().create_future()
        self._unconfirmed[number] = (text, arrived)
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                await _send(self.windows, text)
                return bool(await arrived)
        except TimeoutError:
            await self.close()
            return False
        finally:
            del self._unconfirmed[number]

    async def tell(self, frame: dict[str, Any]) -> None:
        """What does not matter if it is missed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TELL_SECONDS):
                await _send(self.windows, json.dumps(frame))

    async def close(self) -> None:
        await asyncio.gather(*(window.close(code=1001) for window in self.windows))


async def _send(windows: Iterable[web.WebSocketResponse], text: str) -> None:
    sends = [window.send_str(text) for window in windows]
    for failed in await asyncio.gather(*sends, return_exceptions=True):
        if isinstance(failed, BaseException) and not isinstance(
            failed, (ConnectionError, RuntimeError)
        ):
            raise failed  # those two: it is closing just now


def _end(arrived: asyncio.Future[bool], how: bool) -> None:
    if not arrived.done():
        arrived.set_result(how)
