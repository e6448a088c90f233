"""The fake Discord's REST API.

https://docs.discord.com/developers/resources/message
"""

import json
import time
from collections.abc import Awaitable, Callable
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.web import Request, Response

from tests.wire import discord_payloads as payloads
from tests.wire.discord_ledger import Fault, Ledger, answer, banned, limited, refusal, trouble
from tests.wire.discord_payloads import APPLICATION, BOT_USER, CONTENT_FLAG, Json

if TYPE_CHECKING:
    from tests.wire.fake_discord import FakeDiscord

NONCE_SECONDS = 180.0
_API = "/api/v10"


class Rest:
    """What is asked of the server by HTTP."""

    def __init__(self, server: "FakeDiscord") -> None:
        self._server = server
        self._ledger: Ledger = server.ledger
        self._nonces: dict[str | None, tuple[float, Json]] = {}

    def app(self) -> web.Application:
        server, desk = self._server, self._server.desk
        app = web.Application(middlewares=[self._noted])
        channel = f"{_API}/channels/{{channel}}"
        webhook = f"{_API}/webhooks/{APPLICATION}/{{token}}"
        app.add_routes(
            [
                web.get("/gateway/", server.sessions.serve),
                web.get("/files/{name}", self._file),
                web.get(f"{_API}/users/@me", self._me),
                web.post(f"{_API}/users/@me/channels", self._open_direct),
                web.get(f"{_API}/oauth2/applications/@me", self._application),
                web.get(f"{_API}/gateway/bot", self._gateway_address),
                web.get(channel, self._show_channel),
                web.get(f"{channel}/messages", self._show_history),
                web.post(f"{channel}/messages", self._post),
                web.get(f"{channel}/messages/{{message}}", self._show_message),
                web.patch(f"{channel}/messages/{{message}}", self._edit),
                web.delete(f"{channel}/messages/{{message}}", self._delete),
                web.post(f"{channel}/typing", self._typing),
                web.put(f"{_API}/applications/{APPLICATION}/commands", desk.register),
                web.post(f"{_API}/interactions/{{interaction}}/{{token}}/callback", desk.callback),
                web.post(webhook, desk.follow_up),
                web.get(f"{webhook}/messages/@original", desk.show),
                web.patch(f"{webhook}/messages/@original", desk.edit),
                web.delete(f"{webhook}/messages/@original", desk.delete),
            ]
        )
        return app

    @web.middleware
    async def _noted(
        self, request: Request, handler: Callable[[Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Every request goes through the ledger."""
        if request.path.startswith(("/gateway", "/files")):
            if request.headers.get("Authorization"):
                self._ledger.complaints.append(f"the token went to {request.path}")
            return await handler(request)
        path = request.path.removeprefix(_API)
        body = (await request.read()).decode(errors="replace")
        response: web.StreamResponse | None = self._ledger.note(request, path, body)
        by_token = path.startswith(("/webhooks", "/interactions"))
        bearer = request.headers.get("Authorization", "")
        if response is None and not by_token and bearer != f"Bot {self._server.token}":
            response = refusal(401, "401: Unauthorized")
        if response is None:
            try:
                response = await handler(request)
            except web.HTTPNotFound:
                self._ledger.complaints.append(f"no such route: {request.method} {path}")
                raise
        if response.status in (401, 403, 429):
            self._ledger.invalid += 1
        return response

    async def _me(self, request: Request) -> Response:
        return answer(BOT_USER)

    async def _application(self, request: Request) -> Response:
        flags = CONTENT_FLAG if self._server.content_intent else 0
        owner, count = self._server.person("ann"), self._server.guild_count
        return answer(payloads.application(owner, flags, count))

    async def _gateway_address(self, request: Request) -> Response:
        server = self._server
        left = server.sessions_left
        reset = int(1000 * server.sessions_reset_seconds)
        server.sessions_left = left or 999  # the next time the day is over
        limit = {"total": 1000, "remaining": left, "reset_after": reset, "max_concurrency": 1}
        return answer(
            {"url": server.gateway_url, "shards": server.shards, "session_start_limit": limit}
        )

    async def _open_direct(self, request: Request) -> Response:
        wanted = str((await request.json())["recipient_id"])
        names = (name for name, person in self._server.people.items() if person["id"] == wanted)
        return answer(self._server.channel(self._server.direct(next(names))))

    async def _file(self, request: Request) -> web.StreamResponse:
        data = self._server.files.get(request.query_string)
        if data is None:
            return Response(status=404)
        return Response(body=data)

    async def _show_channel(self, request: Request) -> Response:
        refused = self._refused(request)
        return refused or answer(self._server.channel(request.match_info["channel"]))

    async def _show_history(self, request: Request) -> Response:
        """Newest first, like the real one; with `after`, the oldest of those behind it."""
        if refused := self._refused(request):
            return refused
        limit, after = int(request.query.get("limit", 50)), request.query.get("after")
        found = self._server.history[request.match_info["channel"]]
        if after is not None:
            found = [message for message in found if int(message["id"]) > int(after)][:limit]
        return answer(found[::-1][:limit])

    async def _show_message(self, request: Request) -> Response:
        return self._refused(request) or answer(self._message(request))

    async def _post(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        wanted = await self._wanted(request)
        if wrong := trouble(wanted):
            return wrong
        if wanted.get("allowed_mentions", {}).get("parse") != []:
            self._ledger.complaints.append("a post could ping everybody")
        channel = request.match_info["channel"]
        return self._faulty(request, self._server.faults, lambda: self._once(channel, wanted))

    async def _wanted(self, request: Request) -> Json:
        """The message asked for; the files that come with it are kept."""
        body = await request.read()
        if request.content_type == "application/json":
            return dict(json.loads(body))
        head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
        parts: dict[str, Any] = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts()
        }
        wanted: Json = json.loads(parts["payload_json"])
        for each in wanted["attachments"]:
            data = parts[f"files[{each['id']}]"]
            url = self._server.keep_file(data)
            each |= {"size": len(data), "url": url, "proxy_url": url}
        return wanted

    def _once(self, channel: str, wanted: Json) -> Json:
        nonce = wanted.get("nonce")
        then, first = self._nonces.get(nonce, (-NONCE_SECONDS, {}))
        if wanted.get("enforce_nonce") and time.monotonic() - then < NONCE_SECONDS:
            return first
        message = self._server.post(channel, wanted)
        self._nonces[nonce] = (time.monotonic(), message)
        return message

    async def _edit(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        message, wanted = self._message(request), await request.json()
        if wrong := trouble(wanted):
            return wrong
        change = {"content": wanted["content"].strip(), "components": wanted.get("components", [])}

        def edit() -> Json:
            return self._server.change(message, change)

        return self._faulty(request, self._server.change_faults, edit)

    async def _delete(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        message = self._message(request)

        def delete() -> Json:
            self._server.delete(message["id"])
            return {}

        return self._faulty(request, self._server.change_faults, delete)

    async def _typing(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        self._server.typing.append(request.match_info["channel"])
        return Response(status=204)

    def _message(self, request: Request) -> Json:
        return self._server.find(request.match_info["message"])

    def _refused(self, request: Request) -> Response | None:
        channel = request.match_info["channel"]
        if channel not in self._server.history:
            return refusal(404, "Unknown Channel", code=10003)
        if channel in self._server.forbidden:
            return refusal(403, "Missing Access", code=50001)
        wanted = request.match_info.get("message")
        if wanted and all(each["id"] != wanted for each in self._server.history[channel]):
            return refusal(404, "Unknown Message", code=10008)
        return None

    def _faulty(self, request: Request, faults: "list[Fault]", act: Callable[[], Json]) -> Response:
        fault = faults.pop(0) if faults else None
        if fault is None:
            return answer(act())
        if fault is Fault.LIMITED:
            return limited(77.0)
        if fault is Fault.OLD:
            return limited(0.01, code=30046)
        if fault is Fault.BANNED:
            return banned()
        if fault is Fault.BROKEN:
            return refusal(503, "upstream")
        if fault is Fault.DROPPED:
            act()
        if request.transport:
            request.transport.abort()
        return answer({})
