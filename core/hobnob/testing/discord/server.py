"""A Discord in memory, for the real client library: people say something in a server, a thread or
privately, and one looks at what the bot posts.

    async with FakeDiscord() as server:
        message = server.say(GENERAL, f"{MENTION} hello", author="ann")
        ...
        server.replies[0].content

It lives in the loop of the test and does not mind who connects, how often, or how they leave: what
it minds is in its ledger (`complaints`). One session at a time for each shard: an IDENTIFY begins a
fresh one, which hears only of what is said from then on. Everything said is in the history, which
REST shows.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from hobnob.testing.discord import payloads
from hobnob.testing.discord.desk import Desk, Use
from hobnob.testing.discord.ledger import EVERYWHERE, Fault, Ledger
from hobnob.testing.discord.payloads import BOT_USER, GUILD, Json
from hobnob.testing.discord.rest import Rest
from hobnob.testing.discord.sessions import Sessions
from hobnob.testing.wire import web

GENERAL, SIDE, THREAD, DM = "31", "32", "33", "34"
"""Two channels of the server, a thread of GENERAL, and Ann's direct channel."""
FORUM, POST = "35", "36"
"""A forum and a post in it."""
MENTION = f"<@{BOT_USER['id']}>"
TOKEN = "the-token-of-the-fake"
_DISCORD_EPOCH = 1_420_070_400_000
_CONTENT_INTENT = 1 << 15
_THREADS = {THREAD: GENERAL, POST: FORUM}


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
    platform = "discord"

    def __init__(self, *, content_intent: bool = True, shards: int = 1) -> None:
        self.token = TOKEN
        self.content_intent = content_intent
        self.shards = shards
        self.sessions_left = 999
        self.sessions_reset_seconds = 0.0
        self.guild_count = 1
        self.permissions = 1 << 10 | 1 << 11 | 1 << 16
        """What everybody may do: see, write, read the history."""
        self.guild_comes = True
        """Whether a new session is told of the server at once, or only by `show_guild`."""
        self.thread_listed = True
        """Whether it is told of the threads, as of ones that are not archived."""
        self.api_url = ""
        self.gateway_url = ""
        self.replies: list[Posted] = []
        self.typing: list[str] = []
        """The channel of every typing indicator."""
        self.files: dict[str, bytes] = {}
        """By the signature in their address."""
        self.ledger = Ledger(token=TOKEN)
        self.sessions = Sessions(self._refuse_session, self._begin_session)
        self.faults: list[Fault] = []
        """For the next posts."""
        self.change_faults: list[Fault] = []
        """For the next edits and deletions."""
        self.forbidden: set[str] = set()
        """Channels that answer 403."""
        self.history: dict[str, list[Json]] = {
            channel: [] for channel in (GENERAL, SIDE, THREAD, DM, POST)
        }
        self.people: dict[str, Json] = {}
        self._direct: dict[str, str] = {}
        self._last_id = 0
        self.desk = Desk(self._new_id, self.channel, self.sessions.tell, self.post, self.delete)
        self._rest = Rest(self)

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._rest.app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.api_url = f"http://127.0.0.1:{port}/api/v10"
        self.gateway_url = f"ws://127.0.0.1:{port}/gateway/"
        self.direct("ann")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.sessions.close()
        await self._runner.cleanup()

    @property
    def table(self) -> Mapping[str, str]:
        """Of bot.toml (`hobnob.testing.live.Server`)."""
        urls = {"api_url": self.api_url, "gateway_url": self.gateway_url}
        return {"token": self.token, **urls}

    @property
    def asked(self) -> list[str]:
        """Method and path of every request."""
        return self.ledger.asked

    @property
    def complaints(self) -> list[str]:
        """What the real one would mind."""
        return [*self.ledger.found(self.sessions.identified), *self.desk.complaints()]

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
        **more: Any,
    ) -> str:
        """Somebody says something; the message's id. `attachments` as Discord describes them."""
        person = self.person(author, bot=bot)
        message = self._message(self._new_id(), channel, text, person, reply_to=reply_to)
        self._keep(message | {"attachments": list(attachments)} | more)
        return str(message["id"])

    def edit(self, message: str, text: str) -> None:
        self.change(self.find(message), {"content": text})

    def preview(self, message: str) -> None:
        """Discord adds the preview of a link, which is an update but not an edit."""
        found = self.find(message)
        found["embeds"] = [{"type": "link", "url": "https://example.org"}]
        self._tell("MESSAGE_UPDATE", found)

    def delete(self, *messages: str) -> None:
        """Several at once must be of one channel."""
        channel = self.find(messages[0])["channel_id"]
        for message in messages:
            self.history[channel].remove(self.find(message))
        if len(messages) == 1:
            self._tell("MESSAGE_DELETE", {"id": messages[0], "channel_id": channel})
        else:
            self._tell("MESSAGE_DELETE_BULK", {"ids": list(messages), "channel_id": channel})

    def react(self, message: str, emoji: Json, *, author: str = "ann", added: bool = True) -> None:
        found, person = self.find(message), self.person(author)
        reaction: Json = {
            "user_id": person["id"],
            "channel_id": found["channel_id"],
            "message_id": message,
            "emoji": {"id": None, **emoji},
            "type": 0,
        }
        if added:
            reaction["message_author_id"] = found["author"]["id"]
            if found["channel_id"] not in self._direct.values():
                reaction["member"] = {**payloads.MEMBER, "user": person}
        self._tell(f"MESSAGE_REACTION_{'ADD' if added else 'REMOVE'}", reaction)

    def use(self, text: str, channel: str, *, author: str = "ann", kind: int = 2) -> Use:
        direct = channel in self._direct.values()
        return self.desk.use(text, channel, self.person(author), direct=direct, kind=kind)

    def press(self, message: str, command: str, *, author: str = "ann") -> Use:
        found = self.find(message)
        direct = found["channel_id"] in self._direct.values()
        return self.desk.press(found, command, self.person(author), direct=direct)

    def drop(self, *, forget: bool = False) -> None:
        """Cut the connections. With `forget`, their sessions can't be resumed."""
        self.sessions.drop(forget=forget)

    def limit(self, seconds: float, scope: str = EVERYWHERE) -> None:
        self.ledger.limit(seconds, scope)

    def keep_file(self, data: bytes) -> str:
        """Its address, which is signed."""
        signature = f"ex={len(self.files)}&hm=secret"
        self.files[signature] = data
        return f"{self.api_url.removesuffix('/api/v10')}/files/file?{signature}"

    def show_guild(self) -> None:
        self.sessions.tell("GUILD_CREATE", self._guild())

    # What is there

    def person(self, name: str, *, bot: bool = False) -> Json:
        number = 1000 + len(self.people)
        return self.people.setdefault(name, payloads.user(number, name.capitalize(), bot=bot))

    def direct(self, name: str) -> str:
        """The direct channel of somebody."""
        self.person(name)
        channel = self._direct.setdefault(name, str(int(DM) + 100 * len(self._direct)))
        self.history.setdefault(channel, [])
        return channel

    def channel(self, channel: str) -> Json:
        messages = self.history.get(channel)
        last = messages[-1]["id"] if messages else None
        for name, direct in self._direct.items():
            if direct == channel:
                return payloads.direct_channel(channel, self.person(name), last)
        if channel in _THREADS:
            return payloads.thread(channel, _THREADS[channel], last)
        return payloads.forum(channel) if channel == FORUM else payloads.channel(channel, last)

    def find(self, message: str) -> Json:
        return next(m for messages in self.history.values() for m in messages if m["id"] == message)

    def post(self, channel: str, wanted: Json, **more: Any) -> Json:
        """The bot posts something."""
        answered = wanted.get("message_reference")
        posted = Posted(
            id=self._new_id(),
            channel=channel,
            content=wanted["content"].strip(),
            reference=str(answered["message_id"]) if answered else None,
            nonce=wanted.get("nonce"),
            payload=wanted,
        )
        message = self._message(
            posted.id, channel, posted.content, BOT_USER, reply_to=posted.reference
        )
        whole = {key: wanted.get(key, []) for key in ("components", "attachments")}
        kept = message | whole | more
        self.replies.append(posted)
        self._keep(kept)
        return kept

    def change(self, message: Json, change: Json) -> Json:
        message |= {**change, "edited_timestamp": _now()}
        message["mentions"] = self._mentioned(message["content"])
        self._tell("MESSAGE_UPDATE", message)
        return message

    # Gateway

    def _refuse_session(self, identify: Json) -> int:
        if identify["token"] != self.token:
            return 4004
        return 4014 if identify["intents"] & _CONTENT_INTENT and not self.content_intent else 0

    def _begin_session(self, session: str, shard: int) -> Iterator[tuple[str, Json]]:
        yield "READY", payloads.ready(session, self.gateway_url, shard, self.shards)
        if self.guild_comes and shard == 0:
            yield "GUILD_CREATE", self._guild()

    def _tell(self, name: str, data: Json) -> None:
        if data["channel_id"] not in self._direct.values():
            data = {**data, "guild_id": str(GUILD)}
            if "author" in data:
                data["member"] = payloads.MEMBER
        self.sessions.tell(name, data)

    def _guild(self) -> Json:
        return payloads.guild(
            channels=[self.channel(each) for each in (GENERAL, SIDE, FORUM)],
            threads=[self.channel(each) for each in _THREADS] if self.thread_listed else [],
            permissions=self.permissions,
        )

    def _mentioned(self, text: str) -> list[Json]:
        everybody = [BOT_USER, *self.people.values()]
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


def _now() -> str:
    return datetime.now(UTC).isoformat()
