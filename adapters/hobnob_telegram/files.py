"""The bytes of what was attached. A file's URL holds the token, so no error here tells of it."""

import httpx
from telegram import Bot
from telegram.error import TelegramError

from hobnob.errors import FetchFailed
from hobnob.events import Attachment
from hobnob_telegram.client import said

SECONDS = 20.0


async def fetch(bot: Bot, attachment: Attachment, most: int) -> bytes:
    """See `hobnob.ports.Adapter.fetch`."""
    try:
        file = await bot.get_file(attachment.id)
    except TelegramError as error:
        raise FetchFailed(f"Telegram does not give the file: {said(error)}") from None
    url = file.file_path or ""
    if not url.startswith(("https://", "http://")):
        raise FetchFailed("Telegram's server keeps the file in a place of its own")
    data = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=SECONDS) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise FetchFailed(f"Telegram answers {response.status_code} instead of the file")
            async for piece in response.aiter_raw():
                data += piece
                if len(data) >= most:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchFailed(f"the file did not come whole ({type(error).__name__})") from None
    return bytes(data[:most])
