"""A Telegram in memory, for the real client library: people say something, and one looks at what
the bot sends.

    async with FakeTelegram() as server:
        message = server.say(ANN, "hello")
        ...
        server.replies[0].text

It lives in the loop of the test and does not mind who connects, how often, or how they leave. As
the real one, it keeps an update until somebody asks with a higher offset.
"""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from aiohttp import web

BOT, USERNAME = 11, "hobnob_bot"
ANN, BEN, GROUP, FORUM = 501, 502, -601, -1001
"""Two private chats, a group, and a group with topics."""
TOKEN = "123456:the-token-of-the-fake"
LONGEST = 4096

Json = dict[str, Any]


class Fault(Enum):
    """What happens to the next message that is sent."""

    LIMITED = 429
    FORBIDDEN = 403
    BROKEN = 500
    GARBAGE = "the message is kept, and the answer is an HTML page"
    DROPPED = "the message is kept, and the connection closed without an answer"
    MIGRATED = "the group has become another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of the bot's."""

    id: int
    chat: int
    text: str
    reply_to: int | None
    topic: int | None


class FakeTelegram:
    token = TOKEN

    def __init__(self) -> None:
        self.base_url = ""
        self.replies: list[Sent] = []
        self.typing: list[int] = []
        self.faults: deque[Fault] = deque()
        self.offsets: list[int] = []
        """What the polls confirmed, one after the other."""
        self.webhook = ""
        self.reads_groups = True
        self.strange: deque[str] = deque()
        """What the next polls get instead of an answer."""
        self.answer_seconds = 0.0
        """How late a message that was sent is acknowledged."""
        self._updates: list[Json] = []
        self._messages: dict[int, Json] = {}
        self._ids = iter(range(1, 10**9))
        self._more = asyncio.Event()
        self._poll: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(
            app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

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
        self._messages[message["message_id"]] = message
        self.update({"message": message})
        return int(message["message_id"])

    def edit(self, message_id: int, text: str) -> None:
        changed = {"text": text, "entities": _entities(text), "edit_date": int(time.time())}
        self._messages[message_id] |= changed
        self.update({"edited_message": self._messages[message_id]})

    def update(self, content: Json, *, number: int | None = None) -> None:
        """Queue an update; with `number`, one that was there before comes again."""
        self._updates.append({"update_id": number or next(self._ids), **content})
        self._more.set()

    @property
    def unconfirmed(self) -> int:
        return len(self._updates)

    # ------------------------------------------------------------------------------ the wire

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _error(401, "Unauthorized")
        data: Json = dict(await request.post())
        method = request.match_info["method"][0].lower() + request.match_info["method"][1:]
        if method == "getMe":
            return _ok(_me(self.reads_groups))
        if method == "getUpdates":
            return await self._get_updates(data)
        if method == "sendMessage":
            return await self._send(request, data)
        if method == "sendChatAction":
            self.typing.append(int(data["chat_id"]))
            return _ok(True)
        if method == "getWebhookInfo":
            info = {"has_custom_certificate": False, "pending_update_count": 0}
            return _ok({"url": self.webhook, **info})
        return _error(404, "Not Found: method not found")

    async def _get_updates(self, data: Json) -> web.Response:
        if self.strange:
            return web.Response(text=self.strange.popleft(), content_type="application/json")
        if self._poll is not None:
            self._poll.set()  # the newer poll ends the older one
        mine = self._poll = asyncio.Event()
        offset = int(data.get("offset") or 0)
        if offset:
            self.offsets.append(offset)
        self._updates = [update for update in self._updates if update["update_id"] >= offset]
        end = time.monotonic() + float(data.get("timeout") or 0)
        try:
            while not self._updates and time.monotonic() < end:
                self._more.clear()
                waits = [asyncio.ensure_future(e.wait()) for e in (self._more, mine)]
                try:
                    left = max(0, end - time.monotonic())
                    await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
                if mine.is_set():
                    return _error(409, "Conflict: terminated by other getUpdates request")
            return _ok(self._updates[: int(data.get("limit") or 100)])
        finally:
            if self._poll is mine:
                self._poll = None

    async def _send(self, request: web.Request, data: Json) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else None
        chat, text = int(data["chat_id"]), str(data.get("text", ""))
        if fault is Fault.LIMITED:
            return _error(429, "Too Many Requests", {"retry_after": 7})
        if fault is Fault.FORBIDDEN:
            return _error(403, "Forbidden: bot was blocked by the user")
        if fault is Fault.BROKEN:
            return _error(500, "Internal Server Error")
        if fault is Fault.MIGRATED:
            return _error(400, "Bad Request: group upgraded", {"migrate_to_chat_id": FORUM})
        if not text.strip() or len(text.encode("utf-16-le")) // 2 > LONGEST:
            return _error(400, "Bad Request: message is empty or too long")
        reply = json.loads(data.get("reply_parameters", "{}"))
        sent = Sent(
            id=next(self._ids),
            chat=chat,
            text=text,
            reply_to=reply.get("message_id"),
            topic=int(data["message_thread_id"]) if "message_thread_id" in data else None,
        )
        self.replies.append(sent)
        message = {
            "message_id": sent.id,
            "date": int(time.time()),
            "chat": self._chat(chat),
            "from": _me(self.reads_groups),
            "text": text,
        }
        self._messages[sent.id] = message
        await asyncio.sleep(self.answer_seconds)
        if fault is Fault.DROPPED and request.transport is not None:
            request.transport.abort()
        if fault is Fault.GARBAGE:
            return web.Response(text="<html>bad day</html>", content_type="text/html")
        return _ok(message)

    def _chat(self, chat: int) -> Json:
        if chat > 0:
            return {"id": chat, "type": "private", "first_name": "Somebody"}
        kind = "supergroup" if chat <= FORUM else "group"
        return {"id": chat, "type": kind, "title": "The group", "is_forum": chat == FORUM}


def _me(reads_groups: bool) -> Json:
    return {
        "id": BOT,
        "is_bot": True,
        "first_name": "Hobnob",
        "username": USERNAME,
        "can_join_groups": True,
        "can_read_all_group_messages": reads_groups,
        "supports_inline_queries": False,
    }


def _user(name: str, bot: bool) -> Json:
    number = 500 + sum(ord(c) for c in name)
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


def _ok(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(status: int, description: str, parameters: Json | None = None) -> web.Response:
    answer = {"ok": False, "error_code": status, "description": description}
    return web.json_response(
        answer | ({"parameters": parameters} if parameters else {}), status=status
    )
