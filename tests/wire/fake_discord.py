"""A Discord in memory, for the real client library: people say something in a server, a thread or
privately, and one looks at what the bot posts.

    async with FakeDiscord() as server:
        message = server.say(GENERAL, f"{MENTION} hello", author="ann")
        ...
        server.replies[0].content

It lives in the loop of the test and does not mind who connects, how often, or how they leave. One
session at a time: an IDENTIFY begins a fresh one, which hears only of what is said from then on.
Everything said is in the history, which REST shows.
"""

import json
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Self

from aiohttp import web
from aiohttp.web import Request, Response

from tests.wire import discord_payloads as payloads
from tests.wire.discord_payloads import BOT_USER, CONTENT_FLAG, GUILD, Json
from tests.wire.discord_sessions import Sessions

GENERAL, SIDE, THREAD, DM = "31", "32", "33", "34"
"""Two channels of the server, a thread of GENERAL, and Ann's direct channel."""
MENTION = f"<@{BOT_USER['id']}>"
TOKEN = "the-token-of-the-fake"
NONCE_SECONDS = 180.0
_DISCORD_EPOCH = 1_420_070_400_000
_CONTENT_INTENT = 1 << 15


class Fault(Enum):
    """What happens to the next post."""

    LIMITED = "429, for longer than the library waits"
    BROKEN = "503"
    DROPPED = "the post is kept, and the connection closed without an answer"
    LOST = "the post is not kept, and the connection closed without an answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message of the bot's."""

    id: str
    channel: str
    content: str
    reference: str | None
    nonce: str | None
    payload: Json
    """The whole request."""


class FakeDiscord:
    def __init__(self, *, content_intent: bool = True) -> None:
        self.token = TOKEN
        self.content_intent = content_intent
        self.guild_count = 1
        self.permissions = 1 << 10 | 1 << 11 | 1 << 16
        """What everybody may do: see, write, read the history."""
        self.guild_comes = True
        """Whether a new session is told of the server at once, or only by `show_guild`."""
        self.thread_listed = True
        """Whether it is told of the thread, as of one that is not archived."""
        self.api_url = ""
        self.gateway_url = ""
        self.replies: list[Posted] = []
        self.typing: list[str] = []
        """The channel of every typing indicator."""
        self.asked: list[str] = []
        """Method and path of every request."""
        self.sessions = Sessions(self._refuse_session, self._begin_session)
        self.faults: deque[Fault] = deque()
        self.forbidden: set[str] = set()
        """Channels that answer 403."""
        self.history: dict[str, list[Json]] = {GENERAL: [], SIDE: [], THREAD: [], DM: []}
        self._last_id = 0
        self._people: dict[str, Json] = {}
        self._nonces: dict[str | None, tuple[float, Json]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/gateway/", self.sessions.serve),
                web.get("/api/v10/users/@me", self._me),
                web.get("/api/v10/oauth2/applications/@me", self._application),
                web.get("/api/v10/gateway/bot", self._gateway_address),
                web.get("/api/v10/channels/{channel}", self._show_channel),
                web.get("/api/v10/channels/{channel}/messages", self._show_history),
                web.post("/api/v10/channels/{channel}/messages", self._post),
                web.post("/api/v10/channels/{channel}/typing", self._typing),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.api_url = f"http://127.0.0.1:{port}/api/v10"
        self.gateway_url = f"ws://127.0.0.1:{port}/gateway/"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.sessions.close()
        await self._runner.cleanup()

    # What people do.

    def say(
        self,
        channel: str,
        text: str,
        *,
        author: str = "ann",
        bot: bool = False,
        reply_to: str | None = None,
        attachments: Sequence[Json] = (),
    ) -> str:
        """Somebody says something; the message's id. `attachments` as Discord describes them."""
        person = self._person(author, bot=bot)
        message = self._message(self._new_id(), channel, text, person, reply_to=reply_to)
        self._keep(message | {"attachments": list(attachments)})
        return str(message["id"])

    def edit(self, message: str, text: str) -> None:
        found = self._find(message)
        found |= {"content": text, "edited_timestamp": _now(), "mentions": self._mentioned(text)}
        self._tell("MESSAGE_UPDATE", found)

    def preview(self, message: str) -> None:
        """Discord adds the preview of a link, which is an update but not an edit."""
        found = self._find(message)
        found["embeds"] = [{"type": "link", "url": "https://example.org"}]
        self._tell("MESSAGE_UPDATE", found)

    def delete(self, *messages: str) -> None:
        """Several at once must be of one channel."""
        channel = self._find(messages[0])["channel_id"]
        for message in messages:
            self.history[channel].remove(self._find(message))
        if len(messages) == 1:
            self._tell("MESSAGE_DELETE", {"id": messages[0], "channel_id": channel})
        else:
            self._tell("MESSAGE_DELETE_BULK", {"ids": list(messages), "channel_id": channel})

    def drop(self, *, forget: bool = False) -> None:
        """Cut the connection. With `forget`, its session can't be resumed."""
        self.sessions.drop(forget=forget)

    def show_guild(self) -> None:
        self.sessions.tell("GUILD_CREATE", self._guild())

    # REST

    async def _me(self, request: Request) -> Response:
        return _answer(BOT_USER) if self._allowed(request) else _refusal(401, "401: Unauthorized")

    async def _application(self, request: Request) -> Response:
        flags = CONTENT_FLAG if self.content_intent else 0
        return _answer(payloads.application(self._person("ann"), flags, self.guild_count))

    async def _gateway_address(self, request: Request) -> Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return _answer({"url": self.gateway_url, "shards": 1, "session_start_limit": limit})

    async def _show_channel(self, request: Request) -> Response:
        refusal = self._refused(request)
        return refusal or _answer(self._channel(request.match_info["channel"]))

    async def _show_history(self, request: Request) -> Response:
        """Newest first, like the real one; with `after`, the oldest of those behind it."""
        if refusal := self._refused(request):
            return refusal
        limit, after = int(request.query.get("limit", 50)), request.query.get("after")
        found = self.history[request.match_info["channel"]]
        if after is not None:
            found = [message for message in found if int(message["id"]) > int(after)][:limit]
        return _answer(found[::-1][:limit])

    async def _post(self, request: Request) -> Response:
        if refusal := self._refused(request):
            return refusal
        wanted = await request.json()
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.LIMITED:
            headers = {"Via": "1.1 fake"}
            return _refusal(429, "You are being rate limited.", headers, retry_after=77.0)
        if fault is Fault.BROKEN:
            return _refusal(503, "upstream")
        if fault is not Fault.LOST:
            message = self._take_post(request.match_info["channel"], wanted)
        if fault is not None and request.transport:
            request.transport.abort()
        return _answer(message if fault is None else {})

    def _take_post(self, channel: str, wanted: Json) -> Json:
        nonce = wanted.get("nonce")
        then, first = self._nonces.get(nonce, (-NONCE_SECONDS, {}))
        if wanted.get("enforce_nonce") and time.monotonic() - then < NONCE_SECONDS:
            return first
        answered = wanted.get("message_reference")
        posted = Posted(
            id=self._new_id(),
            channel=channel,
            content=wanted["content"].strip(),
            reference=str(answered["message_id"]) if answered else None,
            nonce=nonce,
            payload=wanted,
        )
        message = self._message(
            posted.id, channel, posted.content, BOT_USER, reply_to=posted.reference
        )
        self._nonces[nonce] = (time.monotonic(), message)
        self.replies.append(posted)
        self._keep(message)
        return message

    async def _typing(self, request: Request) -> Response:
        self.typing.append(request.match_info["channel"])
        return Response(status=204)

    def _allowed(self, request: Request) -> bool:
        self.asked.append(f"{request.method} {request.path}")
        return request.headers.get("Authorization") == f"Bot {self.token}"

    def _refused(self, request: Request) -> Response | None:
        if not self._allowed(request):
            return _refusal(401, "401: Unauthorized")
        if request.match_info["channel"] not in self.history:
            return _refusal(404, "Unknown Channel", code=10003)
        if request.match_info["channel"] in self.forbidden:
            return _refusal(403, "Missing Access", code=50001)
        return None

    # Gateway

    def _refuse_session(self, identify: Json) -> int:
        if identify["token"] != self.token:
            return 4004
        return 4014 if identify["intents"] & _CONTENT_INTENT and not self.content_intent else 0

    def _begin_session(self, session: str) -> Iterator[tuple[str, Json]]:
        yield "READY", payloads.ready(session, self.gateway_url)
        if self.guild_comes:
            yield "GUILD_CREATE", self._guild()

    def _tell(self, name: str, data: Json) -> None:
        if data["channel_id"] != DM:
            data = {**data, "guild_id": str(GUILD)}
            if "author" in data:
                data["member"] = payloads.MEMBER
        self.sessions.tell(name, data)

    # What is there

    def _guild(self) -> Json:
        return payloads.guild(
            channels=[self._channel(GENERAL), self._channel(SIDE)],
            threads=[self._channel(THREAD)] if self.thread_listed else [],
            permissions=self.permissions,
        )

    def _channel(self, channel: str) -> Json:
        messages = self.history[channel]
        last = messages[-1]["id"] if messages else None
        if channel == DM:
            return payloads.direct_channel(channel, self._person("ann"), last)
        if channel == THREAD:
            return payloads.thread(channel, GENERAL, last)
        return payloads.channel(channel, last)

    def _person(self, name: str, *, bot: bool = False) -> Json:
        number = 1000 + len(self._people)
        return self._people.setdefault(name, payloads.user(number, name.capitalize(), bot=bot))

    def _mentioned(self, text: str) -> list[Json]:
        everybody = [BOT_USER, *self._people.values()]
        return [user for user in everybody if re.search(rf"<@!?{user['id']}>", text)]

    def _new_id(self) -> str:
        self._last_id = max((int(time.time() * 1000) - _DISCORD_EPOCH) << 22, self._last_id + 1)
        return str(self._last_id)

    def _message(
        self, number: str, channel: str, text: str, author: Json, *, reply_to: str | None
    ) -> Json:
        message = payloads.message(number, channel, text, author, timestamp=_now())
        message["mentions"] = self._mentioned(text)
        if reply_to is not None:
            answered = [m for m in self.history[channel] if m["id"] == reply_to]
            message |= {
                "type": 19,
                "message_reference": {"message_id": reply_to, "channel_id": channel},
                "referenced_message": answered[0] if answered else None,
            }
        return message

    def _keep(self, message: Json) -> None:
        self.history[message["channel_id"]].append(message)
        self._tell("MESSAGE_CREATE", message)

    def _find(self, message: str) -> Json:
        return next(m for messages in self.history.values() for m in messages if m["id"] == message)


def _answer(data: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The library minds even a charset behind the content type."""
    body = json.dumps(data).encode()
    return Response(body=body, status=status, headers=headers, content_type="application/json")


def _refusal(
    status: int, message: str, headers: dict[str, str] | None = None, *, code: int = 0, **more: Any
) -> Response:
    data = {"message": message, "code": code, **more}
    return _answer(data, status=status, headers=headers)


def _now() -> str:
    return datetime.now(UTC).isoformat()
