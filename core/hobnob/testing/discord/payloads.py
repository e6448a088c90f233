"""What Discord sends, as far as discord.py insists on it: JSON objects as dictionaries.

https://docs.discord.com/developers/resources
"""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]

APPLICATION, GUILD = 12, 21
CONTENT_FLAG = 1 << 19
LONG_AGO = "2020-01-01T00:00:00+00:00"
MEMBER: Json = {"roles": [], "joined_at": LONG_AGO, "flags": 0}


def user(number: int, name: str, *, bot: bool = False) -> Json:
    return {
        "id": str(number),
        "username": name.lower(),
        "global_name": name,
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
    }


BOT_USER = user(11, "Hobnob", bot=True)


def message(
    number: str, channel: str, text: str, author: Json, *, timestamp: str = LONG_AGO
) -> Json:
    return {
        "id": number,
        "channel_id": channel,
        "type": 0,
        "content": text,
        "author": author,
        "timestamp": timestamp,
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
    }


def channel(number: str, last: str | None = None) -> Json:
    return {
        "id": number,
        "type": 0,
        "guild_id": str(GUILD),
        "name": f"channel-{number}",
        "position": 0,
        "permission_overwrites": [],
        "last_message_id": last,
    }


def thread(number: str, parent: str, last: str | None = None) -> Json:
    return {
        "id": number,
        "type": 11,
        "guild_id": str(GUILD),
        "name": f"thread-{number}",
        "parent_id": parent,
        "owner_id": "99",
        "message_count": 1,
        "member_count": 1,
        "thread_metadata": {
            "archived": False,
            "auto_archive_duration": 60,
            "archive_timestamp": LONG_AGO,
        },
        "last_message_id": last,
    }


def forum(number: str) -> Json:
    return {**channel(number), "type": 15, "available_tags": [], "default_reaction_emoji": None}


def direct_channel(number: str, person: Json, last: str | None = None) -> Json:
    return {"id": number, "type": 1, "recipients": [person], "last_message_id": last}


def guild(
    *,
    channels: Sequence[Json] = (),
    threads: Sequence[Json] = (),
    roles: Sequence[Json] = (),
    permissions: int = 0,
) -> Json:
    everyone = {"id": str(GUILD), "name": "@everyone", "permissions": str(permissions)}
    return {
        "id": str(GUILD),
        "name": "The Server",
        "owner_id": "99",
        "unavailable": False,
        "member_count": 2,
        "roles": [everyone, *roles],
        "channels": list(channels),
        "threads": list(threads),
        "members": [{"user": BOT_USER, **MEMBER}],
    }


def application(owner: Json, flags: int, guild_count: int) -> Json:
    return {
        "id": str(APPLICATION),
        "name": "hobnob",
        "icon": None,
        "description": "",
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "",
        "owner": owner,
        "flags": flags,
        "approximate_guild_count": guild_count,
    }


def ready(session: str, gateway_url: str, shard: int, shards: int) -> Json:
    return {
        "v": 10,
        "user": BOT_USER,
        "session_id": session,
        "resume_gateway_url": gateway_url,
        "shard": [shard, shards],
        "guilds": [{"id": str(GUILD), "unavailable": True}] if shard == 0 else [],
        "application": {"id": str(APPLICATION), "flags": CONTENT_FLAG},
    }
