"""The counts of the kill test: what is wrong with the answers on three platforms is seen."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from hobnob.testing import discord as fake_discord
from hobnob.testing import telegram as fake_telegram
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.telegram import FakeTelegram
from tests.acceptance.town import Faults, Room, faults, rooms

Answer = Callable[[str | int | None, str], Awaitable[Any]]
"""Post a reply to the message with this id; what the platform says."""
OnTelegram = Callable[..., Awaitable[Any]]
"""Call a method of Telegram's."""


class Bots:
    """A conversation on each platform, and how the bot answers in it."""

    def __init__(self, here: list[tuple[Room, Answer]], on_telegram: OnTelegram) -> None:
        self.here = here
        self.on_telegram = on_telegram

    async def answered(self, *numbers: int, of: int = 3) -> Faults:
        """Everybody says `of` things and hears answers to these, in this order."""
        for room, answer in self.here:
            for _ in range(of):
                room.say()
            ids = list(room.numbers)
            for number in numbers:
                # Whatever it says: an echo of what was recalled names other messages.
                await answer(ids[number], "echo: you remember m0 and m1")
        return faults([room for room, _ in self.here])


@pytest.fixture
async def bots() -> AsyncIterator[Bots]:
    async with (
        FakeDiscord() as discord,
        FakeTelegram() as telegram,
        FakeMastodon() as mastodon,
        aiohttp.ClientSession() as session,
    ):

        async def post(url: str, token: str = "", **body: Any) -> Any:
            async with session.post(url, headers={"Authorization": token}, **body) as response:
                assert response.status == 200, await response.text()
                return await response.json()

        async def on_discord(message: str | int | None, text: str) -> Any:
            body = {"content": text, "message_reference": {"message_id": message}}
            url = f"{discord.api_url}/channels/{fake_discord.DM}/messages"
            return await post(url, f"Bot {discord.token}", json=body)

        async def ask_telegram(method: str, **data: Any) -> Any:
            url = f"{telegram.base_url}/bot{telegram.token}/{method}"
            return await post(url, data={"chat_id": fake_telegram.ANN, **data})

        async def on_telegram(message: str | int | None, text: str) -> Any:
            return await ask_telegram(
                "sendMessage", text=text, reply_parameters=json.dumps({"message_id": message})
            )

        async def on_mastodon(message: str | int | None, text: str) -> Any:
            body = {"status": f"@ann {text}", "in_reply_to_id": message}
            url = f"{mastodon.base_url}/api/v1/statuses"
            return await post(url, f"Bearer {mastodon.access_token}", data=body)

        by_name = {room.name: room for room in rooms(discord, telegram, mastodon)}
        yield Bots(
            [
                (by_name[f"discord {fake_discord.DM}"], on_discord),
                (by_name[f"telegram {fake_telegram.ANN}"], on_telegram),
                (by_name["mastodon ann"], on_mastodon),
            ],
            ask_telegram,
        )


async def test_each_answered_once_and_in_order_is_well(bots: Bots) -> None:
    assert await bots.answered(0, 1, 2) == Faults(lost=0, doubled=0, disordered=0)


async def test_a_lost_answer_is_seen_on_each_platform(bots: Bots) -> None:
    assert await bots.answered(0, 2) == Faults(lost=3, doubled=0, disordered=0)


async def test_a_doubled_answer_is_seen_on_each_platform(bots: Bots) -> None:
    assert await bots.answered(0, 1, 1, 2) == Faults(lost=0, doubled=3, disordered=0)


async def test_answers_out_of_order_are_seen_on_each_platform(bots: Bots) -> None:
    assert await bots.answered(1, 0, 2) == Faults(lost=0, doubled=0, disordered=3)


async def test_a_message_that_grows_is_one_answer_and_none_once_it_is_taken_back(
    bots: Bots,
) -> None:
    await bots.answered(0, of=2)
    room, answer = bots.here[1]
    begun = (await answer(list(room.numbers)[1], "echo:"))["result"]["message_id"]
    await bots.on_telegram("editMessageText", message_id=begun, text="echo: this is m1")
    assert room.answers == [0, 1]
    await bots.on_telegram("deleteMessage", message_id=begun)
    assert faults([room]) == Faults(lost=1, doubled=0, disordered=0)


async def test_a_lost_answer_is_seen_beside_one_that_is_in_doubt(bots: Bots) -> None:
    await bots.answered(0, 1)
    room, _ = bots.here[1]
    answered, _, missing = map(str, room.numbers)
    assert faults([room], [missing]).lost == 0
    assert faults([room], [answered]).lost == 1
