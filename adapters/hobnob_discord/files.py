"""The bytes of what was attached. A file's address holds a signature, so no error tells of it."""

import asyncio
from collections.abc import Collection
from urllib.parse import urlsplit

import aiohttp
import discord

from hobnob.errors import FetchFailed
from hobnob.events import Attachment

HOSTS = frozenset(("cdn.discordapp.com", "media.discordapp.net"))
SECONDS = 20.0
_LAPSED = (403, 404)
"""What Discord answers where the signature is too old, after about a day."""


async def fetch(
    client: discord.Client, attachment: Attachment, most: int, origins: Collection[str] = ()
) -> bytes:
    """See `hobnob.ports.Adapter.fetch`. `origins` are those of another server than Discord's, like
    "http://127.0.0.1:8000"."""
    status, data = await _get(_checked(attachment.url, origins), most)
    if status in _LAPSED:
        url = await _signed_anew(client, attachment.id)
        status, data = await _get(_checked(url, origins), most)
    if status != 200:
        raise FetchFailed(f"Discord answers {status} instead of the file")
    return data


def _checked(url: str, origins: Collection[str]) -> str:
    """The address, if it is of a host that Discord keeps files on."""
    parts = urlsplit(url)
    ours = parts.scheme == "https" and parts.netloc in HOSTS
    if not ours and f"{parts.scheme}://{parts.netloc}" not in origins:
        raise FetchFailed("the file is not on a server of Discord's")
    return url


async def _get(url: str, most: int) -> tuple[int, bytes]:
    """The status, and as much of the file as is wanted. Nothing of ours goes along: no token."""
    data = bytearray()
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS), trust_env=True
            ) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status == 200:
                async for piece in response.content.iter_any():
                    data += piece
                    if len(data) >= most:
                        break
            return response.status, bytes(data[:most])
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchFailed(f"the file did not come whole ({type(error).__name__})") from None


async def _signed_anew(client: discord.Client, name: str) -> str:
    """The file's address as Discord gives it now."""
    try:
        channel, message, file = map(int, name.split("/"))
        async with asyncio.timeout(SECONDS):
            found = await client.get_partial_messageable(channel).fetch_message(message)
    except (ValueError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise FetchFailed(f"Discord does not give the file ({type(error).__name__})") from None
    forwarded = (each for snapshot in found.message_snapshots for each in snapshot.attachments)
    held = [*found.attachments, *forwarded]
    url = next((each.url for each in held if each.id == file), None)
    if url is None:
        raise FetchFailed("the file is gone from its message")
    return url
