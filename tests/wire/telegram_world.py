"""Telegram's world for the adapters' contract suite (`tests.contract.world.World`)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from hobnob.health import State
from hobnob.ports import Receiver
from hobnob_telegram.adapter import TelegramAdapter
from tests.contract.world import Place, Shown
from tests.wire.fake_telegram import FORUM, GROUP, PEOPLE, USERNAME, FakeTelegram, Sent
from tests.wire.telegram_bot import LENIENT, adapter_for, running

TOPIC = 7
CHATS = {Place.ROOM: GROUP, Place.THREAD: FORUM}


class TelegramWorld:
    """In a direct place a draft is seen like a message, until that comes."""

    places = frozenset(Place)
    can = frozenset({"edit", "react", "attach", "reply", "grow", "command", "media"})

    def __init__(self) -> None:
        self.server = FakeTelegram(LENIENT)
        self._adapter: TelegramAdapter | None = None

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self._adapter = adapter_for(self.server)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.__aexit__(*exc)

    @property
    def adapter(self) -> TelegramAdapter:
        assert self._adapter is not None
        return self._adapter

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[TelegramAdapter]:
        self._adapter = adapter_for(self.server)
        async with running(self._adapter, receiver):
            async with asyncio.timeout(10):
                while self._adapter.health.state is not State.CONNECTED:
                    await asyncio.sleep(0.01)
            yield self._adapter

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
        named = f"@{USERNAME} {text}" if to_us and place is not Place.DIRECT else text
        more: dict[str, Any] = {}
        if picture:
            size = {"file_id": "picture", "file_unique_id": "u", "width": 9, "height": 9}
            more = {"photo": [size], "caption": f"{named}\n{picture}"}
            named = ""
        number = self.server.say(
            _chat(place, by),
            named,
            author=by,
            topic=TOPIC if place is Place.THREAD else None,
            reply_to=int(reply_to) if reply_to else None,
            **more,
        )
        return str(number)

    async def edit(self, message: str, text: str) -> None:
        self.server.edit(int(message), text)

    async def delete(self, message: str) -> None:
        raise NotImplementedError("Telegram tells a bot of no deletion but a business's")

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        self.server.react(int(message), *([emoji] if emoji else []), author=by)

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        name, _, argument = text.partition(" ")
        if place is not Place.DIRECT:
            name = f"{name}@{USERNAME}"
        await self.say(f"{name} {argument}".strip(), by=by, place=place, to_us=False)

    async def tell_again(self) -> None:
        self.server.tell_again()

    async def cut(self) -> None:
        self.server.cut()

    async def limit(self, seconds: float) -> None:
        self.server.limit(seconds)

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        chat = _chat(place, by)
        seen = [_shown(sent) for sent in self.server.replies if sent.chat == chat]
        draft = self.server.drafting.get(chat)
        return [*seen, Shown(id="draft", text=draft)] if draft else seen

    def complaints(self) -> Sequence[str]:
        return self.server.complaints


def _chat(place: Place, by: str) -> int:
    return PEOPLE[by] if place is Place.DIRECT else CHATS[place]


def _shown(sent: Sent) -> Shown:
    """What is said of pictures stands in the caption."""
    text, *alts = sent.text.split("\n\n[") if sent.files else [sent.text]
    return Shown(
        id=str(sent.id),
        text=text,
        reply_to=str(sent.reply_to or ""),
        alts=tuple(alt.removesuffix("]") for alt in alts),
    )
