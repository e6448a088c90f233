"""Being let in by Discord, and what `doctor` finds."""

import asyncio

import pytest
from pydantic import SecretStr, ValidationError

from hobnob.errors import AdapterStopped
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from hobnob_discord.adapter import DiscordOptions
from tests.wire.discord_bot import SECONDS, an_adapter


async def test_a_wrong_token_stops_the_adapter_and_is_not_shown(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    with pytest.raises(AdapterStopped, match=r"refuses the token.*Reset Token") as stopped:
        await an_adapter(discord, "wrong-secret").run(receiver)
    assert "wrong-secret" not in str(stopped.value)


async def test_a_token_that_is_withdrawn_stops_the_adapter(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    run = asyncio.create_task(an_adapter(discord).run(receiver))
    await until(lambda: discord.sessions.connected)
    discord.token = "another"
    discord.drop(forget=True)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(AdapterStopped, match="refuses the token"):
            await run


async def test_a_missing_intent_stops_the_adapter(receiver: RecordingReceiver) -> None:
    async with FakeDiscord(content_intent=False) as discord:
        with pytest.raises(AdapterStopped, match=r"Message Content.*discord\.com/developers"):
            await an_adapter(discord).run(receiver)


async def test_check_finds_all_in_order(discord: FakeDiscord) -> None:
    findings = await an_adapter(discord).check()
    assert [finding.ok for finding in findings] == [True] * 4
    assert not discord.replies


async def test_check_says_what_to_do() -> None:
    async with FakeDiscord(content_intent=False) as discord:
        discord.guild_count = discord.sessions_left = 0
        found = [finding for finding in await an_adapter(discord).check() if not finding.ok]
        assert [bool(finding.fix) for finding in found] == [True] * 3
        assert "Message Content" in found[0].what
        assert "0 more sessions" in found[1].what
        assert "https://discord.com/oauth2/authorize" in found[2].fix
        assert "applications.commands" in found[2].fix

        [wrong] = await an_adapter(discord, "wrong-secret").check()
        assert (wrong.ok, wrong.what) == (False, "Discord refuses the token")
    [silent] = await an_adapter(discord).check()
    assert (silent.ok, "gives no answer" in silent.what) == (False, True)


def test_the_options_name_what_is_wrong_and_hide_the_token() -> None:
    with pytest.raises(ValidationError, match="tokn"):
        DiscordOptions.model_validate({"tokn": "secret"})
    assert "secret" not in repr(DiscordOptions(token=SecretStr("secret")))
