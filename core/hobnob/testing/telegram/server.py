"""A Telegram in memory, for the real client library: people say something, and one looks at what
the bot sends.

    async with FakeTelegram() as server:
        message = server.say(ANN, "hello")
        ...
        server.replies[0].text

It lives in the loop of the test and does not mind who connects, how often, or how they leave. What
the real one would not stand is in `complaints`.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

from hobnob.testing.telegram.api import TelegramApi
from hobnob.testing.telegram.messages import Sent
from hobnob.testing.telegram.rules import Allowed, Json
from hobnob.testing.wire import web

ANN, BEN, GROUP, FORUM, NEW_GROUP = 501, 502, -601, -1001, -1002
"""Two private chats, a group, one with topics, and one that another can become."""
PEOPLE = {"ann": ANN, "ben": BEN}


class FakeTelegram(TelegramApi):
    platform = "telegram"

    def __init__(self, allowed: Allowed | None = None) -> None:
        super().__init__(allowed or Allowed())

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        self._runner = web.AppRunner(
            app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop_pushing()
        await self._runner.cleanup()

    @property
    def table(self) -> Mapping[str, str]:
        """Of bot.toml (`hobnob.testing.live.Server`)."""
        return {"token": self.token, "base_url": self.base_url}

    @property
    def complaints(self) -> list[str]:
        """What the real one would mind."""
        return self.ledger.complaints

    # ------------------------------------------------------------------------ what people do

    def say(
        self,
        chat: int,
        text: str,
        *,
        author: str = "ann",
        bot: bool = False,
        reply_to: int | None = None,
        topic: int | None = None,
        business: str = "",
        entities: Sequence[Json] | None = None,
        **more: Any,
    ) -> int:
        """Somebody writes in a chat; the message's id. Mentions and commands are marked as
        Telegram does. `more` is put into the message."""
        message: Json = {
            "message_id": next(self._ids),
            "date": int(time.time()),
            "chat": self._chat(chat),
            "from": _user(author, bot),
            "text": text,
            "entities": list(entities) if entities is not None else _entities(text),
            **more,
        }
        if topic is not None:
            message |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = self._messages[reply_to]
        if business:
            message["business_connection_id"] = business
        self._messages[message["message_id"]] = message
        self.update({"business_message" if business else "message": message})
        return int(message["message_id"])

    def edit(self, message_id: int, text: str) -> None:
        message = self._messages[message_id]
        message |= {"text": text, "entities": _entities(text), "edit_date": int(time.time())}
        business = "business_connection_id" in message
        self.update({"edited_business_message" if business else "edited_message": message})

    def delete(self, *message_ids: int) -> None:
        """In a business's chat: elsewhere Telegram does not tell."""
        first = self._messages[message_ids[0]]
        gone = {
            "business_connection_id": first["business_connection_id"],
            "chat": first["chat"],
            "message_ids": list(message_ids),
        }
        self.update({"deleted_business_messages": gone})

    def react(self, message_id: int, *emoji: str, author: str = "ann") -> None:
        """The whole of somebody's reactions is told anew; none takes them back."""
        reaction = {
            "chat": self._messages[message_id]["chat"],
            "message_id": message_id,
            "date": int(time.time()),
            "user": _user(author, False),
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": each} for each in emoji],
        }
        self.update({"message_reaction": reaction})

    def press(self, sent: Sent, label: str, *, author: str = "ann", old: bool = False) -> str:
        """Somebody presses a button; the id of that. Under a message that is `old`, Telegram says
        only where it is."""
        carried = next(data for text, data in sent.keyboard if text == label)
        message = self._messages[sent.id]
        if old:
            message = {"chat": message["chat"], "message_id": sent.id, "date": 0}
        query = str(next(self._ids))
        user = _user(author, False)
        press = {"id": query, "from": user, "message": message, "data": carried}
        self.update({"callback_query": {**press, "chat_instance": "1"}})
        return query

    def migrate(self, group: int, new: int) -> None:
        """A group becomes a supergroup: both say so, and the old one is dead."""
        self.moved[group] = new
        self.say(group, "", migrate_to_chat_id=new)
        self.say(new, "", migrate_from_chat_id=group)

    def update(self, content: Json, *, number: int | None = None) -> int:
        """Queue an update; with `number`, one that was there before comes again."""
        number = number or next(self._ids)
        self.last_update = {"update_id": number, **content}
        self._updates.append(self.last_update)
        self._more.set()
        return number

    def tell_again(self) -> None:
        self._updates.append(self.last_update)
        self._more.set()

    @property
    def unconfirmed(self) -> int:
        return len(self._updates)

    # ------------------------------------------------------------------------------- trouble

    def cut(self) -> None:
        """Every connection breaks."""
        for request in self._open:
            if request.transport is not None:
                request.transport.abort()

    def limit(self, seconds: float, chat: int | None = None) -> None:
        """For so long, nothing is taken in this chat, or in any."""
        self._limits[chat] = time.monotonic() + seconds

    def _chat(self, chat: int) -> Json:
        if chat > 0:
            return {"id": chat, "type": "private", "first_name": "Somebody"}
        kind = "supergroup" if chat <= FORUM else "group"
        return {"id": chat, "type": kind, "title": "The group", "is_forum": chat == FORUM}


def _user(name: str, bot: bool) -> Json:
    number = PEOPLE.get(name, 1000 + sum(ord(c) for c in name))
    return {"id": number, "is_bot": bot, "first_name": name.capitalize()}


def _entities(text: str) -> list[Json]:
    """Mentions and commands, with offsets in UTF-16 units."""
    return [
        {
            "type": "mention" if match[0].startswith("@") else "bot_command",
            "offset": len(text[: match.start()].encode("utf-16-le")) // 2,
            "length": len(match[0]),
        }
        for match in re.finditer(r"(?<!\S)(@\w+|/\w+(@\w+)?)", text)
    ]
