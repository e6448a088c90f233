"""Telegram's world for the adapters' contract suite (`tests.contract.world.World`)."""

from collections.abc import Sequence
from typing import Any

from hobnob.testing.telegram import FORUM, GROUP, PEOPLE, USERNAME, FakeTelegram, Sent
from hobnob_telegram.adapter import TelegramAdapter
from tests.contract.world import Place, Shown
from tests.wire.served_world import ServedWorld
from tests.wire.telegram_bot import LENIENT, adapter_for

TOPIC = 7
CHATS = {Place.ROOM: GROUP, Place.THREAD: FORUM}


class TelegramWorld(ServedWorld[FakeTelegram, TelegramAdapter]):
    """In a direct place a draft is seen like a message, until that comes."""

    places = frozenset(Place)
    can = frozenset(
        {"online", "edit", "react", "attach", "reply", "grow", "command", "media", "shut"}
    )

    def __init__(self) -> None:
        super().__init__(FakeTelegram(LENIENT))
        self._named: set[str] = set()
        """The messages that mention us."""

    def _new_adapter(self) -> TelegramAdapter:
        return adapter_for(self.server)

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
        if named.startswith("@"):
            self._named.add(str(number))
        return str(number)

    async def edit(self, message: str, text: str) -> None:
        self.server.edit(int(message), f"@{USERNAME} {text}" if message in self._named else text)

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

    async def shut(self, by: str) -> None:
        self.server.closed.add(PEOPLE[by])

    def shown(self, place: Place = Place.DIRECT, *, by: str = "ann") -> Sequence[Shown]:
        chat = _chat(place, by)
        seen = [_shown(sent) for sent in self.server.replies if sent.chat == chat]
        draft = self.server.drafting.get(chat)
        return [*seen, Shown(id="draft", text=draft)] if draft else seen


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
