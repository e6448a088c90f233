"""A Mastodon server in memory, for the real client library: people say something to the one account
that there is, @bot, and one looks at what it posts.

    async with FakeMastodon() as server:
        status = server.say("ann", "hello")
        ...
        server.replies[0].text

It lives in the loop of the test and does not mind who connects, how often, or how they leave; but
`server.ledger` takes note of what a real one would mind.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Self

from aiohttp import web
from multidict import MultiMapping

from tests.wire.mastodon_count import status_length
from tests.wire.mastodon_ledger import Ledger, is_write
from tests.wire.mastodon_town import BOT, MastodonTown

THUMP_SECONDS = 0.2
ERROR_PAGE = "<!doctype html><title>502</title><h1>Bad Gateway</h1>"


class Fault(Enum):
    """What happens to the next request."""

    NONE = "nothing"
    LIMITED = 429
    BROKEN = 500
    PAGE = "502, with a page of HTML"
    PAGE_200 = "a page of HTML that says that all is well"
    DROPPED = "the post is kept, and the connection closed without an answer"
    HANGS = "the post is not kept, and no answer comes until the server closes"
    BROKEN_AFTER = "the post is kept, and the answer is 500"


class FakeMastodon(MastodonTown):
    access_token = "the-token-of-the-fake"

    def __init__(
        self, *, max_characters: int = 500, bot_flag: bool = True, other: bool = False
    ) -> None:
        """`other`: it only speaks Mastodon's API. It counts every code point, makes a double where
        a key is used again, makes public what is changed, lists no other posts than public ones,
        and has no streaming, all like Takahe 0.11."""
        super().__init__(bot_flag=bot_flag)
        self.other = other
        self.max_characters = max_characters
        self.private_mentions = "accept"
        self.scopes = ["read", "write"]
        self.base_url = ""
        self.ledger = Ledger(self.access_token)
        self.faults: deque[Fault] = deque()
        """Of what is written."""
        self.read_faults: deque[Fault] = deque()
        """Of what is read, but for the stream."""
        self.answer_seconds = 0.0
        """How long a post is kept already, and not yet acknowledged."""
        self.limited_seconds = 7.0
        self.limited_until = 0.0
        """Nothing can be written before then; by the monotonic clock."""
        self.silent = False
        """The stream says nothing more, and does not end."""
        self.files: dict[str, bytes | str] = {}
        """What lies under /media, or where it is instead."""
        self.uploads: dict[str, dict[str, Any]] = {}
        """Files for posts, by their ids."""
        self.takes: dict[str, Any] = {}
        """What the server says of files for posts."""
        self.processing = 1
        """How often one is told that a file is not ready."""
        self._keys: dict[str, str] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._closed = asyncio.Event()

    @property
    def attempts(self) -> int:
        """POSTs of statuses, whatever became of them."""
        return self.ledger.requests["POST /api/v1/statuses"]

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin to serve; on the same port as before, if there was a before."""
        app = web.Application(middlewares=[self._guarded])
        app.router.add_get("/api/{version:v[12]}/instance{slash:/?}", self._instance)
        app.router.add_get("/api/v1/accounts/verify_credentials", self._credentials)
        app.router.add_get("/api/v1/apps/verify_credentials", self._application)
        app.router.add_get("/api/v1/accounts/{id}/statuses", self._account_statuses)
        app.router.add_get("/api/v1/notifications", self._list_notifications)
        app.router.add_get("/api/v2/notifications/policy", self._policy)
        app.router.add_post("/api/v1/statuses", self._post)
        app.router.add_get("/api/v1/statuses/{id}", self._status)
        app.router.add_put("/api/v1/statuses/{id}", self._change)
        app.router.add_delete("/api/v1/statuses/{id}", self._delete)
        app.router.add_get("/api/v1/statuses/{id}/source", self._source)
        app.router.add_get("/api/v1/streaming/user{kind:(/notification)?}", self._stream)
        app.router.add_get("/media/{name}", self._media)
        app.router.add_post("/api/v2/media", self._upload)
        app.router.add_get("/api/v1/media/{id}", self._uploaded)
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

    # --------------------------------------------------------------------------------- hooks

    def limit(self, seconds: float) -> None:
        self.limited_until = time.monotonic() + seconds

    def cut_streams(self) -> None:
        for stream in self.streams:
            stream.put_nowait(None)

    def forget_keys(self) -> None:
        """As an hour later: an Idempotency-Key used again makes a second post."""
        self._keys.clear()

    # ------------------------------------------------------------------------------ the wire

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.ledger.note(request)
        public = "/instance" in request.path or request.path.startswith("/media")
        if not public and request.headers.get("Authorization") != f"Bearer {self.access_token}":
            return _error(401, "The access token is invalid")
        if is_write(request) and time.monotonic() < self.limited_until:
            return self._limited(request, self.limited_until - time.monotonic())
        faults = self.faults if is_write(request) else self.read_faults
        fault = None
        if faults and "/streaming" not in request.path:
            fault = faults.popleft()
        return await self._answer(request, handler, fault)

    async def _answer(
        self, request: web.Request, handler: Any, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is Fault.LIMITED:
            return self._limited(request, self.limited_seconds)
        if fault is Fault.BROKEN:
            return _error(500, "Something went wrong")
        if fault in (Fault.PAGE, Fault.PAGE_200):
            status = 502 if fault is Fault.PAGE else 200
            return web.Response(text=ERROR_PAGE, status=status, content_type="text/html")
        if fault is Fault.HANGS:
            await self._closed.wait()
            return _error(500, "Something went wrong")
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(self.ledger.headers())
        if fault is Fault.BROKEN_AFTER:
            return _error(500, "Something went wrong")
        if fault is Fault.DROPPED and request.transport is not None:
            request.transport.abort()
        return response

    def _limited(self, request: web.Request, seconds: float) -> web.Response:
        self.ledger.closes(time.monotonic() + seconds, write=is_write(request))
        reset = datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
        headers = {"X-RateLimit-Reset": reset, "X-RateLimit-Remaining": "0"}
        return _error(429, "Too many requests", headers)

    async def _instance(self, request: web.Request) -> web.Response:
        streaming = self.base_url.replace("http", "ws")
        statuses = {"max_characters": self.max_characters, "characters_reserved_per_url": 23}
        instance: dict[str, Any] = {
            "domain": "fake.example",
            "title": "Fake",
            "version": "takahe/0.11.0" if self.other else "4.4.0",
            "urls": {"streaming_api": streaming},
            "configuration": {"urls": {"streaming": streaming}, "statuses": statuses},
        }
        if self.takes:
            instance["configuration"]["media_attachments"] = self.takes
        if not self.other:
            instance["api_versions"] = {"mastodon": 6}
        elif request.match_info["version"] == "v2":
            return web.Response(text=ERROR_PAGE, status=500, content_type="text/html")
        return web.json_response(instance)

    async def _credentials(self, request: web.Request) -> web.Response:
        return web.json_response(self.account(BOT))

    async def _application(self, request: web.Request) -> web.Response:
        return web.json_response({"id": "1", "name": "bot", "scopes": self.scopes})

    async def _policy(self, request: web.Request) -> web.Response:
        return web.json_response({"for_private_mentions": self.private_mentions})

    async def _list_notifications(self, request: web.Request) -> web.Response:
        types = request.query.getall("types[]", [])
        found = [n for n in self.notifications if not types or n["type"] in types]
        return self._page(request, found)

    async def _account_statuses(self, request: web.Request) -> web.Response:
        account = request.match_info["id"]
        found = [s for s in self.statuses.values() if s["account"]["id"] == account]
        if self.other:
            found = [s for s in found if s["visibility"] == "public"]
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
        status = self.statuses.get(request.match_info["id"])
        return web.json_response(status) if status else _error(404, "Record not found")

    async def _source(self, request: web.Request) -> web.Response:
        status = self.statuses.get(request.match_info["id"])
        if not status:
            return _error(404, "Record not found")
        return web.json_response({"id": status["id"], "text": status["_source"]})

    async def _media(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"])
        if isinstance(found, str):
            return web.Response(status=302, headers={"Location": found})
        return web.Response(body=found) if found else _error(404, "Record not found")

    async def _upload(self, request: web.Request) -> web.Response:
        """https://docs.joinmastodon.org/methods/media/#v2"""
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        file.file.close()  # aiohttp leaves it open if the client is killed
        if not file.content_type.startswith("image/"):
            return _error(422, "Validation failed: File content type is invalid")
        number = self.next_id()
        made = {"id": number, "type": "image", "description": form["description"]}
        self.uploads[number] = {**made, "url": None, "_asked": 0}
        return web.json_response(self._processed(number), status=202)

    async def _uploaded(self, request: web.Request) -> web.Response:
        made = self._processed(request.match_info["id"])
        return web.json_response(made, status=200 if made["url"] else 206)

    def _processed(self, file: str) -> dict[str, Any]:
        made = self.uploads[file]
        if made["_asked"] >= self.processing:
            made["url"] = f"{self.base_url}/media/{file}.png"
        made["_asked"] += 1
        return made

    async def _post(self, request: web.Request) -> web.Response:
        form = await request.post()
        answer = self._accept(request.headers.get("Idempotency-Key", ""), form)
        await asyncio.sleep(self.answer_seconds)
        return answer

    def _accept(self, key: str, form: MultiMapping[Any]) -> web.Response:
        if key in self._keys and not self.other:
            return web.json_response(self.statuses[self._keys[key]])
        answered = form.get("in_reply_to_id")
        if answered and answered not in self.statuses:
            return _error(404, "The post you are trying to reply to does not appear to exist")
        if refused := self._refusal(form):
            return refused
        files = [self.uploads.get(file, {}) for file in form.getall("media_ids[]", [])]
        if not all(file.get("url") for file in files):
            return _error(422, "Cannot attach files that have not finished processing")
        text, warning = str(form["status"]), str(form.get("spoiler_text", ""))
        visibility = str(form.get("visibility", "public"))
        status = self.new_status(self.account(BOT), text, visibility, warning, answered)
        status["media_attachments"] = files
        if key:
            self._keys[key] = status["id"]
        return web.json_response(status)

    async def _change(self, request: web.Request) -> web.Response:
        form = await request.post()
        status = self._own(request)
        if status is None:
            return _error(404, "Record not found")
        if refused := self._refusal(form):
            return refused
        self.change_status(status["id"], str(form["status"]))
        status["spoiler_text"] = str(form.get("spoiler_text", ""))
        status["visibility"] = "public" if self.other else status["visibility"]
        return web.json_response(status)

    async def _delete(self, request: web.Request) -> web.Response:
        status = self._own(request)
        if status is None:
            return _error(404, "Record not found")
        self.delete(status["id"])
        return web.json_response(status | {"text": status["_source"]})

    def _own(self, request: web.Request) -> dict[str, Any] | None:
        status = self.statuses.get(request.match_info["id"])
        return status if status and status["account"]["acct"] == BOT else None

    def _refusal(self, form: Mapping[str, Any]) -> web.Response | None:
        text, warning = str(form.get("status", "")), str(form.get("spoiler_text", ""))
        if not text.strip():
            return _error(422, "Validation failed: Text can't be blank")
        length = len(text) if self.other else status_length(text, warning)
        if length > self.max_characters:
            return _error(422, f"Text character limit of {self.max_characters} exceeded")
        return None

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.other:
            return _error(404, "Record not found")
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
                if not self.silent:
                    await response.write(data)
        except ConnectionError:
            return response  # they left
        finally:
            self.streams.discard(queue)


def _error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)
