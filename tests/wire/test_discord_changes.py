"""Messages of ours that are changed or deleted, and answers that grow."""

import asyncio
from contextlib import suppress

import pytest

from hobnob.errors import SendLater, SendRefused
from hobnob.testing.discord import DM, GENERAL, MENTION, FakeDiscord
from hobnob.testing.discord.ledger import Fault
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_bot import answer, heard, running
from tests.wire.discord_life import Life


async def test_a_message_is_changed_and_deleted_as_often_as_one_likes(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event, "Hel"))
        for _ in range(2):
            assert await adapter.send(answer(event, "Hello @everyone!", replaces=ours)) == ours
        assert discord.find(ours)["content"] == "Hello @everyone!"
        assert len(discord.replies) == 1
        for _ in range(2):
            assert await adapter.send(answer(event, "", replaces=ours)) == ours
    assert [message["id"] for message in discord.history[GENERAL]] == [event.message]


async def test_a_change_of_what_is_gone_is_refused(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        discord.delete(ours)
        with pytest.raises(SendRefused, match="Unknown Message"):
            await adapter.send(answer(event, "Hello again", replaces=ours))


async def test_an_old_message_that_was_edited_too_often_refuses_more(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        discord.change_faults.extend([Fault.OLD] * 5)
        with pytest.raises(SendRefused, match="30046"):
            await adapter.send(answer(event, "Hello again", replaces=ours))


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.LOST, Fault.DROPPED])
@pytest.mark.parametrize("text", ["new", ""])
async def test_a_change_without_an_answer_is_made_again_later(
    discord: FakeDiscord, receiver: RecordingReceiver, fault: Fault, text: str
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        discord.change_faults.append(fault)
        with suppress(SendLater):  # a deletion is repeated by the library
            await adapter.send(answer(event, text, replaces=ours))
        await adapter.send(answer(event, text, replaces=ours))
        assert not discord.change_faults
    assert len(discord.history[GENERAL]) == (2 if text else 1)


async def test_whoever_stands_before_discord_is_left_alone_for_as_long_as_it_says(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        discord.faults.append(Fault.BANNED)
        with pytest.raises(SendLater) as later:
            await adapter.send(answer(event))
    assert later.value.retry_after == 600


async def test_no_text_of_ours_shows_a_page_that_it_links_to(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        await adapter.send(answer(event, "See https://example.org/?all=you+said"))
    assert discord.replies[0].payload["flags"] & 1 << 2


# Answers that grow, with everything behind it


async def test_an_answer_comes_whole_though_its_beginning_was_deleted(
    life: Life, discord: FakeDiscord
) -> None:
    hold = asyncio.Event()
    async with life.living("Once upon a time.", hold=hold):
        discord.say(DM, "a story, please")
        await until(lambda: life.texts(DM))
        discord.delete(discord.replies[0].id)
        hold.set()
        await until(lambda: life.texts(DM) == ["Once upon a time."])
    assert await life.states() == ["sent"]


async def test_an_answer_comes_whole_though_every_change_is_refused(
    life: Life, discord: FakeDiscord
) -> None:
    hold = asyncio.Event()
    async with life.living("Once upon a time.", hold=hold):
        discord.say(DM, "a story, please")
        await until(lambda: life.texts(DM))
        discord.change_faults.extend([Fault.OLD] * 50)
        hold.set()
        await until(lambda: "Once upon a time." in life.texts(DM))
    assert await life.states() == ["sent"]


async def test_a_stop_in_the_middle_leaves_no_half_answer(life: Life, discord: FakeDiscord) -> None:
    async with life.living("Once upon a time.", hold=asyncio.Event()):
        discord.say(DM, "a story, please")
        await until(lambda: life.texts(DM) == ["Once upo"])
    async with life.living("There was a bot."):
        await until(lambda: life.texts(DM) == ["There was a bot."])
    assert len(discord.replies) == 1


async def test_the_deletion_of_a_question_takes_its_answer_away(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living("Once upon a time.", "Here."):
        question = discord.say(GENERAL, f"{MENTION} a story, please")
        await until(lambda: life.texts(GENERAL) == ["Once upon a time."])
        discord.delete(question)
        await until(lambda: life.texts(GENERAL) == [])
