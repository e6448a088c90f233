"""Discord's world for the adapters' contract suite (`tests.contract.world.World`)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from hobnob.ports import Receiver
from hobnob_discord.adapter import DiscordAdapter
from tests.contract.world import Place, Shown
from tests.wire.discord_bot import an_adapter, running
from tests.wire.discord_payloads import BOT_USER, Json
from tests.wire.fake_discord import GENERAL, MENTION, THREAD, FakeDiscord

CHANNELS = {Place.ROOM: GENERAL, Place.THREAD: THREAD}


class DiscordWorld:
    places = frozenset(Place)
    can = frozenset({"edit", "delete", "react", "attach", "reply", "grow", "command", "media"})

    def __init__(self) -> None:
        self.server = FakeDiscord()
        self._adapter: DiscordAdapter | None = None

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self._adapter = an_adapter(self.server)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.server.__aexit__(*exc)

    @property
    def adapter(self) -> DiscordAdapter:
        assert self._adapter is not None
        return self._adapter

    @asynccontextmanager
    async def running(self, receiver: Receiver) -> AsyncIterator[DiscordAdapter]:
        self._adapter = an_adapter(self.server)
        async with running(self.server, receiver, self._adapter):
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
        named = f"{MENTION} {text}" if to_us and place is not Place.DIRECT else text
        return self.server.say(
            self._channel(place, by),
            named,
            author=by,
            reply_to=reply_to or None,
            attachments=[self._picture(picture)] if picture else [],
        )

    async def edit(self, message: str, text: str) -> None:
        mention = MENTION if MENTION in self.server.find(message)["content"] else ""
        self.server.edit(message, f"{mention} {text}".strip())

    async def delete(self, message: str) -> None:
        self.server.delete(message)

    async def react(self, message: str, emoji: str, *, by: str = "ann") -> None:
        """ "": the last reaction is taken back."""
        self.server.react(message, {"name": emoji or "👍"}, author=by, added=bool(emoji))

    async def command(self, text: str, *, by: str = "ann", place: Place = Place.DIRECT) -> None:
        self.server.use(text, self._channel(place, by), author=by)

    async def tell_again(self) -> None:
        self.server.sessions.tell_again("MESSAGE_CREATE")

    async def cut(self) -> None:
        self.server.drop()

    async def limit(self, seconds: float) -> None:
        self.server.limit(seconds)

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        channel = self._channel(place, by)
        whispers = [
            whisper
            for use in self.server.desk.uses.values()
            for whisper in use.whispers
            if use.channel == channel and use.user == self.server.person(by)
        ]
        ours = [
            message for message in self.server.history[channel] if message["author"] == BOT_USER
        ]
        return [
            Shown(
                id=each["id"],
                text=each["content"],
                reply_to=_answered(each),
                alts=tuple(file["description"] for file in each["attachments"]),
            )
            for each in sorted([*ours, *whispers], key=lambda each: int(each["id"]))
        ]

    def complaints(self) -> Sequence[str]:
        return self.server.complaints()

    def _channel(self, place: Place, by: str) -> str:
        return self.server.direct(by) if place is Place.DIRECT else CHANNELS[place]

    def _picture(self, alt: str) -> Json:
        url = self.server.keep_file(b"\x89PNG\r\n\x1a\n")
        return {
            "id": "9",
            "filename": "picture.png",
            "description": alt,
            "content_type": "image/png",
            "size": 8,
            "url": url,
            "proxy_url": url,
        }


def _answered(message: Json) -> str:
    return str(message.get("message_reference", {}).get("message_id", ""))
