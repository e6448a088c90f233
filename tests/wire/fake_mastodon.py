"""A Mastodon server in memory, for the real client library: people say something to the one account
that there is, @bot, and one looks at what it posts.

    async with FakeMastodon() as server:
        status = server.say("ann", "hello")
        ...
        server.replies[0].text

It lives in the loop of the test and does not mind who connects, how often, or how they leave.
"""

import asyncio
import html
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Self

from aiohttp import web
from mastodon import Mastodon

BOT = "bot"
THUMP_SECONDS = 0.2
_MENTION = re.compile(r"(?<![=/\w])@(\w+(?:@[\w.-]+\w)?)")


class Fault(Enum):
    """What happens to the next post."""

    LIMITED = 429
    BROKEN = 500
    DROPPED = "the post is kept, and the connection closed without an answer"
    HANGS = "the post is not kept, and no answer comes until the server closes"
    BROKEN_AFTER = "the post is kept, and the answer is 500"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A post of the bot's. `visibility` in Mastodon's words."""

    id: str
    text: str
    in_reply_to: str | None
    visibility: str
    warning: str


class FakeMastodon:
    access_token = "the-token-of-the-fake"

    def __init__(self, *, max_characters: int = 500, bot_flag: bool = True) -> None:
        self.max_characters = max_characters
        self.private_mentions = "accept"
        self.base_url = ""
        self.replies: list[Posted] = []
        self.faults: deque[Fault] = deque()
        self.attempts = 0
        """POSTs of statuses, whatever became of them."""
        self.answer_seconds = 0.0
        """How long a post is kept already, and not yet acknowledged."""
        self.limited_seconds = 7
        self.streams: set[asyncio.Queue[bytes | None]] = set()
        self._statuses: dict[str, dict[str, Any]] = {}
        self._notifications: list[dict[str, Any]] = []
        self._hidden: deque[dict[str, Any]] = deque()
        self._keys: dict[str, str] = {}
        self._accounts: dict[str, dict[str, Any]] = {}
        self._ids = iter(range(1000, 10**9))
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._closed = asyncio.Event()
        self._account(BOT, bot_flag)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin to serve; on the same port as before, if there was a before."""
        app = web.Application(middlewares=[self._authorised])
        app.router.add_get("/api/{version:v[12]}/instance{slash:/?}", self._instance)
        app.router.add_get("/api/v1/accounts/verify_credentials", self._credentials)
        app.router.add_get("/api/v1/accounts/{id}/statuses", self._account_statuses)
        app.router.add_get("/api/v1/notifications", self._list_notifications)
        app.router.add_get("/api/v2/notifications/policy", self._policy)
        app.router.add_post("/api/v1/statuses", self._post)
        app.router.add_get("/api/v1/statuses/{id}", self._status)
        app.router.add_get("/api/v1/statuses/{id}/source", self._source)
        app.router.add_get("/api/v1/streaming/user{kind:(/notification)?}", self._stream)
        self._closed.clear()
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}"

    async def close(self) -> None:
        """Stop serving; what was said and posted is kept."""
        self.cut_streams()
        self._closed.set()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------------ what people do

    def say(
        self,
        author: str,
        text: str,
        *,
        visibility: str = "public",
        warning: str = "",
        in_reply_to: str | None = None,
        attachments: tuple[Mapping[str, Any], ...] = (),
        bot: bool = False,
        hidden: bool = False,
    ) -> str:
        """Somebody ("ann" is local, "ann@other.example" is not) says something to the bot; returns
        the id of the status. "@bot " is put in front unless it stands in the text. `hidden`:
        neither list nor stream know of it until `reveal`, as while its transaction is open."""
        text = text if f"@{BOT}" in text else f"@{BOT} {text}"
        status = self._new_status(
            self._account(author, bot), text, visibility, warning, in_reply_to
        )
        status["media_attachments"] = list(attachments)
        notification = {
            "id": self._next_id(),
            "type": "mention",
            "created_at": status["created_at"],
            "account": status["account"],
            "status": status,
        }
        if hidden:
            self._hidden.append(notification)
        else:
            self._notify(notification)
        return str(status["id"])

    def reveal(self) -> None:
        while self._hidden:
            self._notify(self._hidden.popleft())

    def edit(self, status_id: str, text: str) -> None:
        """As the followed see it: the stream tells."""
        status = self._statuses[status_id]
        text = text if f"@{BOT}" in text else f"@{BOT} {text}"
        status |= {"content": self._html(text), "edited_at": _now(), "_source": text}
        self._push("status.update", status)

    def delete(self, status_id: str) -> None:
        del self._statuses[status_id]
        self._notifications = [n for n in self._notifications if n["status"]["id"] != status_id]
        self._push("delete", status_id)

    def favourite(self, author: str) -> None:
        """A notification that is no mention."""
        account = self._account(author)
        notification = {
            "id": self._next_id(), "type": "favourite", "created_at": _now(), "account": account,
        }  # fmt: skip
        self._notify(notification)

    # --------------------------------------------------------------------------------- hooks

    def cut_streams(self) -> None:
        for stream in self.streams:
            stream.put_nowait(None)

    def forget_keys(self) -> None:
        """As an hour later: an Idempotency-Key used again makes a second post."""
        self._keys.clear()

    def backdate(self, status_id: str, by: timedelta) -> None:
        """Make a post that much older than it is."""
        status = self._statuses[status_id]
        status["created_at"] = (datetime.fromisoformat(status["created_at"]) - by).isoformat()

    # ------------------------------------------------------------------------------ the wire

    @web.middleware
    async def _authorised(self, request: web.Request, handler: Any) -> web.StreamResponse:
        public = "/instance" in request.path
        if not public and request.headers.get("Authorization") != f"Bearer {self.access_token}":
            return _error(401, "The access token is invalid")
        response: web.StreamResponse = await handler(request)
        return response

    async def _instance(self, request: web.Request) -> web.Response:
        streaming = self.base_url.replace("http", "ws")
        statuses = {"max_characters": self.max_characters, "characters_reserved_per_url": 23}
        return web.json_response(
            {
                "domain": "fake.example",
                "title": "Fake",
                "version": "4.4.0",
                "api_versions": {"mastodon": 6},
                "urls": {"streaming_api": streaming},
                "configuration": {"urls": {"streaming": streaming}, "statuses": statuses},
            }
        )

    async def _credentials(self, request: web.Request) -> web.Response:
        return web.json_response(self._account(BOT))

    async def _policy(self, request: web.Request) -> web.Response:
        return web.json_response({"for_private_mentions": self.private_mentions})

    async def _list_notifications(self, request: web.Request) -> web.Response:
        types = request.query.getall("types[]", [])
        found = [n for n in self._notifications if not types or n["type"] in types]
        return self._page(request, found)

    async def _account_statuses(self, request: web.Request) -> web.Response:
        account = request.match_info["id"]
        found = [s for s in self._statuses.values() if s["account"]["id"] == account]
        return self._page(request, found)

    def _page(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        """As https://docs.joinmastodon.org/api/guidelines/#pagination says: newest first; min_id
        asks for the rows next to it, since_id for the newest of all behind it."""
        query = {name: int(request.query.get(name, 0)) for name in ("min_id", "since_id", "max_id")}
        limit = min(int(request.query.get("limit", 40)), 80)
        after = max(query["min_id"], query["since_id"])
        before = query["max_id"] or 10**18
        rows = sorted(
            (r for r in rows if after < int(r["id"]) < before), key=lambda r: int(r["id"])
        )
        rows = rows[:limit] if query["min_id"] or "min_id" in request.query else rows[-limit:]
        rows.reverse()
        headers = {}
        if rows:
            url = f"{self.base_url}{request.path}?limit={limit}"
            headers["Link"] = (
                f'<{url}&max_id={rows[-1]["id"]}>; rel="next", '
                f'<{url}&min_id={rows[0]["id"]}>; rel="prev"'
            )
        return web.json_response(rows, headers=headers)

    async def _status(self, request: web.Request) -> web.Response:
        status = self._statuses.get(request.match_info["id"])
        return web.json_response(status) if status else _error(404, "Record not found")

    async def _source(self, request: web.Request) -> web.Response:
        status = self._statuses.get(request.match_info["id"])
        if not status:
            return _error(404, "Record not found")
        return web.json_response({"id": status["id"], "text": status["_source"]})

    async def _post(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.attempts += 1
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.LIMITED:
            reset = datetime.fromtimestamp(time.time() + self.limited_seconds, UTC).isoformat()
            headers = {"X-RateLimit-Reset": reset, "X-RateLimit-Remaining": "0"}
            return _error(429, "Too many requests", headers)
        if fault is Fault.BROKEN:
            return _error(500, "Something went wrong")
        if fault is Fault.HANGS:
            await self._closed.wait()
            return _error(500, "Something went wrong")
        answer = self._accept(request.headers.get("Idempotency-Key", ""), form)
        await asyncio.sleep(self.answer_seconds)
        if fault is Fault.BROKEN_AFTER:
            return _error(500, "Something went wrong")
        if fault is Fault.DROPPED and request.transport is not None:
            request.transport.abort()
        return answer

    def _accept(self, key: str, form: Mapping[str, Any]) -> web.Response:
        if key in self._keys:
            return web.json_response(self._statuses[self._keys[key]])
        text, warning = str(form.get("status", "")), str(form.get("spoiler_text", ""))
        answered = form.get("in_reply_to_id")
        if answered and answered not in self._statuses:
            return _error(404, "The post you are trying to reply to does not appear to exist")
        if not text or Mastodon.get_status_length(text, warning) > self.max_characters:
            return _error(422, f"Text character limit of {self.max_characters} exceeded")
        visibility = str(form.get("visibility", "public"))
        status = self._new_status(self._account(BOT), text, visibility, warning, answered)
        if key:
            self._keys[key] = status["id"]
        self.replies.append(
            Posted(
                id=status["id"],
                text=text,
                in_reply_to=answered,
                visibility=visibility,
                warning=warning,
            )
        )
        return web.json_response(status)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.streams.add(queue)
        try:
            await response.write(b":)\n")
            while True:
                try:
                    data = await asyncio.wait_for(queue.get(), THUMP_SECONDS)
                except TimeoutError:
                    data = b":thump\n"
                if data is None:
                    if request.transport is not None:
                        request.transport.abort()
                    return response
                await response.write(data)
        except ConnectionError:
            return response  # they left
        finally:
            self.streams.discard(queue)

    def _notify(self, notification: dict[str, Any]) -> None:
        self._notifications.append(notification)
        self._push("notification", notification)

    def _push(self, event: str, payload: Any) -> None:
        data = payload if isinstance(payload, str) else json.dumps(payload)
        for stream in self.streams:
            stream.put_nowait(f"event: {event}\ndata: {data}\n\n".encode())

    # ------------------------------------------------------------------------------ entities

    def _new_status(
        self,
        account: Mapping[str, Any],
        text: str,
        visibility: str,
        warning: str,
        in_reply_to: Any,
    ) -> dict[str, Any]:
        answered = self._statuses.get(in_reply_to or "")
        status = {
            "id": self._next_id(),
            "created_at": _now(),
            "edited_at": None,
            "account": account,
            "content": self._html(text),
            "visibility": visibility,
            "spoiler_text": warning,
            "in_reply_to_id": in_reply_to,
            "in_reply_to_account_id": answered["account"]["id"] if answered else None,
            "media_attachments": [],
            "mentions": [self._account(name) for name in dict.fromkeys(_MENTION.findall(text))],
            "_source": text,
        }
        self._statuses[status["id"]] = status
        return status

    def _account(self, acct: str, bot: bool = False) -> dict[str, Any]:
        if acct not in self._accounts:
            username, _, domain = acct.partition("@")
            self._accounts[acct] = {
                "id": self._next_id(),
                "username": username,
                "acct": acct,
                "url": f"https://{domain or 'fake.example'}/@{username}",
                "display_name": username.capitalize(),
                "bot": bot,
            }
        return self._accounts[acct]

    def _html(self, text: str) -> str:
        def link(match: re.Match[str]) -> str:
            account = self._account(match[1])
            return (
                f'<span class="h-card"><a href="{account["url"]}" class="u-url mention">'
                f"@<span>{account['username']}</span></a></span>"
            )

        paragraphs = _MENTION.sub(link, html.escape(text)).split("\n\n")
        return "".join(f"<p>{p}</p>" for p in paragraphs).replace("\n", "<br>")

    def _next_id(self) -> str:
        return str(next(self._ids))


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)
