"""The methods of the Bot API by which a bot hears, as the fake of Telegram serves them.

Like the real one, it keeps an update until somebody asks with a higher offset, or until a webhook
answers 200.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from hobnob.testing.telegram.messages import TelegramMessages, error, me, ok
from hobnob.testing.telegram.rules import COMMAND, Allowed, Json
from hobnob.testing.wire import aiohttp, web

TOKEN = "123456:the-token-of-the-fake"
SECRET = "X-Telegram-Bot-Api-Secret-Token"


class TelegramApi(TelegramMessages):
    token = TOKEN

    def __init__(self, allowed: Allowed) -> None:
        super().__init__(allowed)
        self.base_url = ""
        self.offsets: list[int] = []
        """What the polls confirmed, one after the other."""
        self.webhook = ""
        self.webhook_statuses: list[int] = []
        self.strange: deque[str] = deque()
        """What the next polls get instead of an answer."""
        self.menus: list[list[Json]] = []
        self.presses_answered: list[str] = []
        self.files: dict[str, bytes] = {}
        self.lose_files = self.slow_files = False
        self._secret = ""
        self._updates: list[Json] = []
        self._more = asyncio.Event()
        self._poll: asyncio.Event | None = None
        self._pushing: asyncio.Task[None] | None = None
        self._open: list[web.Request] = []

    # ------------------------------------------------------------------------------ the wire

    async def _call(self, request: web.Request) -> web.StreamResponse:
        self._open.append(request)
        try:
            return await self._answer(request)
        finally:
            self._open = [each for each in self._open if each is not request]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return error(401, "Unauthorized")
        data: Json = dict(await request.post())
        for each in data.values():
            if isinstance(each, web.FileField):  # aiohttp leaves it open if the client is killed
                each.file.close()
        method = request.match_info["method"][0].lower() + request.match_info["method"][1:]
        methods: dict[str, Callable[[Json], Awaitable[web.StreamResponse] | web.StreamResponse]] = {
            "getMe": lambda _: ok(me(self.reads_groups)),
            "getUpdates": self._get_updates,
            "getWebhookInfo": self._get_webhook_info,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getMyCommands": lambda _: ok(self.menus[-1] if self.menus else []),
            "setMyCommands": self._set_commands,
            "answerCallbackQuery": self._answer_press,
            "getFile": self._get_file,
        }
        if method == "getMe":
            self.ledger.asked(method, 0)
        faults = self.faults_of[method]
        if method in methods and faults and (refused := self._refused(0, faults.popleft())):
            return refused
        if answer := methods.get(method):
            given = answer(data)
            return given if isinstance(given, web.StreamResponse) else await given
        if "chat_id" in data or method == "deleteBusinessMessages":
            return await self._speak(request, method, data)
        self.ledger.complaints.append(f"there is no method {method}")
        return error(404, "Not Found: method not found")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return error(401, "Unauthorized")
        name = request.match_info["path"].removeprefix("files/")
        if name not in self.files or self.lose_files:
            return web.Response(status=404)
        if not self.slow_files:
            return web.Response(body=self.files[name])
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(self.files[name])
        await asyncio.Event().wait()  # the rest never comes
        return answer

    # ------------------------------------------------------------------------------- updates

    async def _get_updates(self, data: Json) -> web.Response:
        if self.strange:
            return web.Response(text=self.strange.popleft(), content_type="application/json")
        if self.webhook:
            return error(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poll is not None:
            self._poll.set()  # the newer poll ends the older one
        mine = self._poll = asyncio.Event()
        offset = int(data.get("offset") or 0)
        if offset:
            self.offsets.append(offset)
        self._keep_allowed(data)
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
                    return error(409, "Conflict: terminated by other getUpdates request")
                self._keep_allowed(data)
            return ok(self._updates[: int(data.get("limit") or 100)])
        finally:
            if self._poll is mine:
                self._poll = None

    def _keep_allowed(self, data: Json) -> None:
        """What nobody asked for is not told."""
        allowed = json.loads(data.get("allowed_updates") or "[]")
        if allowed:
            kept = {"update_id", "poll", *allowed}
            self._updates = [each for each in self._updates if set(each) <= kept]

    def _get_webhook_info(self, _: Json) -> web.Response:
        info: Json = {"has_custom_certificate": False, "pending_update_count": len(self._updates)}
        failed = [status for status in self.webhook_statuses[-1:] if status != 200]
        if failed:
            message = f"Wrong response from the webhook: {failed[0]}"
            info |= {"last_error_date": int(time.time()), "last_error_message": message}
        return ok({"url": self.webhook, **info})

    def _set_webhook(self, data: Json) -> web.Response:
        if not data["url"].startswith("http"):
            return error(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook, self._secret = data["url"], data.get("secret_token", "")
        if self._pushing is None:
            self._pushing = asyncio.create_task(self._push(data))
        return ok(True)

    def _delete_webhook(self, _: Json) -> web.Response:
        self.webhook = ""
        self._stop_pushing()
        return ok(True)

    def _stop_pushing(self) -> None:
        if self._pushing is not None:
            self._pushing.cancel()
            self._pushing = None

    async def _push(self, data: Json) -> None:
        """Hand updates in, one after the other, again and again until they are taken."""
        async with aiohttp.ClientSession() as session:
            while True:
                self._keep_allowed(data)
                if not self._updates:
                    self._more.clear()
                    await self._more.wait()
                    continue
                update = self._updates[0]
                status = await self.hand_in(session, update, self._secret)
                if status == 200:
                    self._updates = [each for each in self._updates if each is not update]
                else:
                    await asyncio.sleep(0.05)

    async def hand_in(
        self, session: aiohttp.ClientSession, update: Json, secret: str, **more: Any
    ) -> int:
        """An update at the webhook; the status of the answer, 0 where nobody is there."""
        try:
            async with session.post(
                self.webhook, json=update, headers={SECRET: secret}, **more
            ) as answer:
                status = answer.status
        except aiohttp.ClientError:
            status = 0
        self.webhook_statuses.append(status)
        return status

    # ----------------------------------------------------------------------------- the rest

    def _set_commands(self, data: Json) -> web.Response:
        menu = json.loads(data["commands"])
        if len(menu) > 100 or not all(COMMAND.fullmatch(each["command"]) for each in menu):
            return error(400, "Bad Request: BOT_COMMAND_INVALID")
        self.menus.append(menu)
        return ok(True)

    def _answer_press(self, data: Json) -> web.Response:
        self.presses_answered.append(data["callback_query_id"])
        return ok(True)

    def _get_file(self, data: Json) -> web.Response:
        name = data["file_id"]
        if name not in self.files:
            return error(400, "Bad Request: invalid file_id")
        size = len(self.files[name])
        where = {"file_path": f"files/{name}", "file_size": size}
        return ok({"file_id": name, "file_unique_id": f"u{name}", **where})
