"""Discord's world for the adapters' contract suite (`tests.contract.world.World`)."""

from collections.abc import Sequence

from hobnob.testing.discord import GENERAL, MENTION, THREAD, FakeDiscord
from hobnob.testing.discord.payloads import BOT_USER, Json
from hobnob_discord.adapter import DiscordAdapter
from tests.contract.world import Place, Shown
from tests.wire.discord_bot import an_adapter
from tests.wire.served_world import ServedWorld

CHANNELS = {Place.ROOM: GENERAL, Place.THREAD: THREAD}


class DiscordWorld(ServedWorld[FakeDiscord, DiscordAdapter]):
    places = frozenset(Place)
    can = frozenset(
        {"online", "edit", "delete", "react", "attach", "reply", "grow", "command", "media", "shut"}
    )

    def __init__(self) -> None:
        super().__init__(FakeDiscord())

    def _new_adapter(self) -> DiscordAdapter:
        return an_adapter(self.server)

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

    async def shut(self, by: str) -> None:
        self.server.forbidden.add(self.server.direct(by))

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
