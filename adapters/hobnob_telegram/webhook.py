"""Being told by Telegram what happened: a small server that only Telegram can speak to.

https://core.telegram.org/bots/webhooks. Telegram wants HTTPS, which whatever stands before us
provides (nginx, Caddy, a tunnel). It hands in the updates of one chat one after the other, and
those that were not taken again, for 24 hours.
"""

import asyncio
import hmac
import json
import logging
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, InvalidToken, TelegramError

from hobnob.errors import AdapterStopped
from hobnob.health import Pulse, State
from hobnob_telegram.incoming import Incoming
from hobnob_telegram.translate import ALLOWED

log = logging.getLogger(__name__)

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
MOST_BYTES = 1024 * 1024
"""Of an update; Telegram's own are a few thousand long."""
LOOK_SECONDS = 60.0


class Webhook:
    """`url` is where Telegram finds us, `listen` where we are ("host:port")."""

    def __init__(self, url: str, listen: str, secret: str | None) -> None:
        self._url = url
        self._listen = listen
        self._secret = secret or secrets.token_urlsafe(32)

    async def serve(self, bot: Bot, incoming: Incoming, pulse: Pulse) -> None:
        """Until cancelled. What Telegram holds for us stays there when we are gone."""

        async def take(request: web.Request) -> web.Response:
            given = request.headers.get(SECRET, "")
            if not hmac.compare_digest(given.encode(), self._secret.encode()):
                return web.Response(status=403)
            try:
                raw = json.loads(await request.read())
                number = int(raw["update_id"])
            except (ValueError, TypeError, KeyError):
                return web.Response(status=400)
            log.debug("telegram: update %d", number)
            await incoming.take(raw)  # stored, before we say that we have it
            return web.Response()

        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post(urlsplit(self._url).path or "/", take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        try:
            await self._open(runner)
            await self._tell(bot)
            await self._look_after(bot, pulse)
        finally:
            await runner.cleanup()

    async def _open(self, runner: web.AppRunner) -> None:
        host, _, port = self._listen.rpartition(":")
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port)).start()
        except OSError as error:
            raise AdapterStopped(
                f"platforms.telegram.webhook_listen: {self._listen} can't be listened at: "
                f"{error.strerror or error}. Choose another port, or stop who has it."
            ) from None

    async def _tell(self, bot: Bot) -> None:
        try:
            await bot.set_webhook(self._url, secret_token=self._secret, allowed_updates=ALLOWED)
        except BadRequest as error:
            raise AdapterStopped(
                f"Telegram does not take platforms.telegram.webhook_url: {error}. It must be an "
                "https address that can be reached from everywhere."
            ) from None

    async def _look_after(self, bot: Bot, pulse: Pulse) -> None:
        """See to it that Telegram still tells us, and note when it could not."""
        told: datetime | None = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                info = await bot.get_webhook_info()
                if info.url != self._url:
                    log.error("telegram: another program took the webhook; it is set again")
                    pulse.failed("another program took the webhook")
                    await self._tell(bot)
            except InvalidToken:
                raise
            except TelegramError as error:
                pulse.failed(f"Telegram can't be reached: {error}")
                pulse.turned(State.RECONNECTING)
                continue
            pulse.turned(State.CONNECTED)
            if info.last_error_date and info.last_error_date != told:
                told = info.last_error_date
                pulse.failed(trouble(info))
                log.warning("telegram: %s", trouble(info))


def trouble(info: WebhookInfo) -> str:
    return f"Telegram could not hand in an update: {info.last_error_message}"
