"""The client library as we use it, and what its errors mean."""

import logging
from collections.abc import Coroutine
from typing import Any

import httpx
from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from hobnob.errors import AdapterError, SendLater, SendRefused, SendUnknown

SERVER = "https://api.telegram.org"
REFUSED = "Telegram refuses the token"
WHERE_FROM = "Copy the token that @BotFather shows for your bot into platforms.telegram.token."
TOKEN_PAUSE = 60.0
NET_PAUSE = 5.0
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before the first byte of a request has left."""


def connect(token: str, base_url: str | None) -> Bot:
    """A client that is not connected yet: entering it asks who we are."""
    # Its lines about requests show the URL, which holds the token.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    root = (base_url or SERVER).rstrip("/")
    return Bot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=HTTPXRequest(connection_pool_size=32),
    )


def failure(error: TelegramError, *, again: bool = False) -> AdapterError:
    """What a failed send means. `again`: it may be done twice, so no doubt remains."""
    if isinstance(error, RetryAfter):
        return SendLater("Telegram asks us to slow down", retry_after=seconds(error))
    if isinstance(error, InvalidToken):
        return SendLater(REFUSED, retry_after=TOKEN_PAUSE)
    if isinstance(error, (Forbidden, BadRequest, ChatMigrated)):
        return SendRefused(f"Telegram does not take it: {error}")
    if again:
        return SendLater(f"Telegram gave no clear answer: {error}", retry_after=NET_PAUSE)
    if isinstance(error.__cause__, NOT_SENT):
        return SendLater(f"Telegram can't be reached: {error}", retry_after=NET_PAUSE)
    if isinstance(error, NetworkError):
        return SendUnknown(f"the connection failed while sending: {error}")
    return SendUnknown(f"Telegram's answer can't be understood: {error}")


def seconds(error: RetryAfter) -> float:
    span = error.retry_after
    return float(span) if isinstance(span, int) else span.total_seconds()


def said(error: TelegramError) -> str:
    """For logs: the library puts the token into the text of one error."""
    return REFUSED if isinstance(error, InvalidToken) else str(error)


async def quietly(request: Coroutine[Any, Any, Any]) -> bool:
    """Whether it worked. For what nobody misses: an indicator, an acknowledgement."""
    try:
        await request
    except (TelegramError, RuntimeError):  # RuntimeError: the connection closes just now
        return False
    return True
