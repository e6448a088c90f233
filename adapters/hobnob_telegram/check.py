"""What `hobnob doctor` looks at."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from telegram import Bot, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from hobnob.ports import Finding
from hobnob_telegram import webhook
from hobnob_telegram.client import REFUSED, WHERE_FROM

RECENT = timedelta(hours=1)
MANY = 100


async def examine(client: Bot, server: str, url: str | None) -> AsyncIterator[Finding]:
    """`url`: the webhook that bot.toml asks for."""
    try:
        async with client as bot:
            me = await bot.get_me()
            info = await bot.get_webhook_info()
    except InvalidToken:
        yield Finding(ok=False, what=REFUSED, fix=WHERE_FROM)
        return
    except TelegramError as error:
        fix = "Check the network and platforms.telegram.base_url."
        yield Finding(ok=False, what=f"{server} can't be asked: {error}", fix=fix)
        return
    seen = (
        "every message in groups"
        if me.can_read_all_group_messages
        else "in groups only what is addressed to it (privacy mode, switched by @BotFather)"
    )
    yield Finding(ok=True, what=f"the token is @{me.username}'s; it sees {seen}")
    for finding in _webhook(info, url):
        yield finding


def _webhook(info: WebhookInfo, url: str | None) -> list[Finding]:
    if url is None:
        if not info.url:
            return []
        fix = "If another program uses it, stop that one: `hobnob run` removes the webhook."
        return [Finding(ok=False, what="a webhook is set, and bot.toml names none", fix=fix)]
    if info.url != url:
        what = "another webhook is set" if info.url else "the webhook is not set yet"
        return [Finding(ok=not info.url, what=what, fix=f"`hobnob run` sets it to {url}.")]
    findings = [Finding(ok=True, what=f"Telegram hands updates in at {url}")]
    since = info.last_error_date
    if since and datetime.now(UTC) - since < RECENT:
        fix = "Check that the address reaches platforms.telegram.webhook_listen."
        findings.append(Finding(ok=False, what=webhook.trouble(info), fix=fix))
    if info.pending_update_count > MANY:
        what = f"{info.pending_update_count} updates wait at Telegram"
        findings.append(Finding(ok=False, what=what, fix="Start the bot: `hobnob run`."))
    return findings
