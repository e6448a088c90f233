"""What `hobnob doctor` looks at, and the words for what can be wrong."""

from collections.abc import AsyncIterator

import discord

from hobnob.ports import Finding
from hobnob_discord.gateway import no_voice
from hobnob_discord.missed import LINK_FAILURES

PORTAL = "https://discord.com/developers/applications"

TOKEN_REFUSED = "Discord refuses the token"  # noqa: S105  no secret
GET_A_TOKEN = (
    f"Get a new one at {PORTAL}, your application, Bot, Reset Token, and set it as token under "
    "[platforms.discord] or as the variable named there."
)
NO_CONTENT = "Discord does not let the bot read messages: the Message Content intent is off"
SWITCH_CONTENT_ON = (
    f"Switch it on at {PORTAL}, your application, Bot, Privileged Gateway Intents, "
    "Message Content Intent."
)
TOO_MANY_SESSIONS = (
    "Something starts the bot again and again: see what its log says. By itself it waits until "
    "Discord lets it in again, at the latest in a day."
)
_PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True
)


async def examine(token: str) -> AsyncIterator[Finding]:
    """Token, the Message Content intent, sessions, and whether the bot is on any server."""
    no_voice()
    client = discord.Client(intents=discord.Intents.none())
    try:
        await client.login(token)
        _, _, sessions = await client.http.get_bot_gateway()
    except (discord.DiscordException, *LINK_FAILURES) as error:
        if is_token_refused(error):
            yield Finding(ok=False, what=TOKEN_REFUSED, fix=GET_A_TOKEN)
        else:
            fix = "Check that this machine reaches discord.com, and try again in a while."
            yield Finding(ok=False, what=f"Discord gives no answer: {reason(error)}", fix=fix)
        return
    finally:
        await client.close()
    yield Finding(ok=True, what=f"signed in as {client.user}")

    application = client.application
    if application is None:
        return
    flags = application.flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        yield Finding(ok=True, what="the bot may read messages (Message Content intent)")
    else:
        yield Finding(ok=False, what=NO_CONTENT, fix=SWITCH_CONTENT_ON)

    left = f"Discord lets the bot begin {sessions['remaining']} more sessions today"
    yield Finding(ok=sessions["remaining"] > 0, what=left, fix=TOO_MANY_SESSIONS)

    servers = application.approximate_guild_count
    if servers:
        yield Finding(ok=True, what=f"the bot is on {servers} servers")
    else:
        invite = discord.utils.oauth_url(application.id, permissions=_PERMISSIONS)
        yield Finding(ok=False, what="the bot is on no server", fix=f"Invite it: {invite}")


def is_token_refused(error: Exception) -> bool:
    return (
        isinstance(error, discord.LoginFailure)
        or (isinstance(error, discord.HTTPException) and error.status == 401)
        or (isinstance(error, discord.ConnectionClosed) and error.code == 4004)
    )


def reason(error: Exception) -> str:
    """One line for people. Never holds the token: no message of the library does."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
