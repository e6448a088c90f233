"""The world of the owner's own web site: browsers of visitors, without their screens.

The page itself is tested in test_web_page.py.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from hobnob.ports import Receiver
from hobnob.testing.web import Browser, Site
from hobnob_web.adapter import WebAdapter, WebOptions
from tests.contract.world import Place, Shown, Unable


@asynccontextmanager
async def serving(adapter: WebAdapter, receiver: Receiver, port: int) -> AsyncIterator[None]:
    """The adapter at work, until left."""
    task = asyncio.create_task(adapter.run(receiver))
    try:
        async with asyncio.timeout(10):
            while True:
                assert not task.done(), task.exception()
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.01)
                else:
                    writer.close()
                    break
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), task.exception()


class WebWorld(Unable):
    """Implements `tests.contract.world.World`."""

    places = frozenset({Place.DIRECT})
    can = frozenset({"online", "edit", "delete", "grow", "command", "media"})

    def __init__(self) -> None:
        self.site = Site()
        self._last: Browser | None = None
        self._make()

    def _make(self) -> None:
        self.adapter = WebAdapter(WebOptions.model_validate(self.site.table))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.site.__aexit__(*exc)

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[WebAdapter]:
        self._make()
        async with serving(self.adapter, receiver, self.site.port):
            yield self.adapter

    async def say(
        self,
        text: str,
        *,
        by: str = "ann",
        place: Place = Place.DIRECT,
        to_us: bool = True,
        reply_to: str = "",
        picture: str = "",
    ) -> str:
        self._last = await self.site.visitor(by)
        return await self._last.say(text)

    async def edit(self, message: str, text: str) -> None:
        assert self._last is not None
        await self._last.do(type="edit", message=message, text=text)

    async def delete(self, message: str) -> None:
        assert self._last is not None
        await self._last.do(type="delete", message=message)

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        await self.say(text, by=by)

    async def tell_again(self) -> None:
        assert self._last is not None
        await self._last.send(self._last.last)

    async def cut(self) -> None:
        for browser in self.site.browsers.values():
            browser.cut()

    async def limit(self, seconds: float) -> None:
        """Here nothing is refused but while the visitor is away: everybody goes, for so long."""
        for browser in self.site.browsers.values():
            browser.away_until = asyncio.get_running_loop().time() + seconds
            browser.cut()

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        browser = self.site.browsers.get(by)
        if browser is None:
            return []
        shown = [
            Shown(id=id_, text=frame["text"], alts=tuple(file["alt"] for file in frame["media"]))
            for id_, frame in browser.shown.items()
        ]
        return [*shown, *([Shown(id="", text=browser.draft)] if browser.draft else [])]

    def complaints(self) -> Sequence[str]:
        return []
