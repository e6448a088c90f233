"""Messages of ours that are changed or deleted, and answers that grow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from hobnob.errors import SendLater, SendRefused
from hobnob.store.database import Database
from tests.wire.discord_bot import answer, heard, running, until
from tests.wire.discord_ledger import Fault
from tests.wire.discord_life import Life
from tests.wire.fake_discord import DM, GENERAL, MENTION, FakeDiscord
from tests.wire.receiver import RecordingReceiver


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    """Whatever happens: nothing that Discord would mind."""
    async with FakeDiscord() as opened:
        yield opened
        assert opened.complaints() == []


@pytest.fixture
def life(server: FakeDiscord, sqlite: Database, tmp_path: Path) -> Life:
    return Life(server, sqlite, tmp_path)


async def test_a_message_is_changed_and_deleted_as_often_as_one_likes(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event, "Hel"))
        for _ in range(2):
            assert await adapter.send(answer(event, "Hello @everyone!", replaces=ours)) == ours
        assert server.find(ours)["content"] == "Hello @everyone!"
        assert len(server.replies) == 1
        for _ in range(2):
            assert await adapter.send(answer(event, "", replaces=ours)) == ours
    assert [message["id"] for message in server.history[GENERAL]] == [event.message]


async def test_a_change_of_what_is_gone_is_refused(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        server.delete(ours)
        with pytest.raises(SendRefused, match="Unknown Message"):
            await adapter.send(answer(event, "Hello again", replaces=ours))


async def test_an_old_message_that_was_edited_too_often_refuses_more(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        server.change_faults.extend([Fault.OLD] * 5)
        with pytest.raises(SendRefused, match="30046"):
            await adapter.send(answer(event, "Hello again", replaces=ours))


@pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.LOST, Fault.DROPPED])
@pytest.mark.parametrize("text", ["new", ""])
async def test_a_change_without_an_answer_is_made_again_later(
    server: FakeDiscord, receiver: RecordingReceiver, fault: Fault, text: str
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        ours = await adapter.send(answer(event))
        server.change_faults.append(fault)
        with suppress(SendLater):  # a deletion is repeated by the library
            await adapter.send(answer(event, text, replaces=ours))
        await adapter.send(answer(event, text, replaces=ours))
        assert not server.change_faults
    assert len(server.history[GENERAL]) == (2 if text else 1)


async def test_whoever_stands_before_discord_is_left_alone_for_as_long_as_it_says(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        server.faults.append(Fault.BANNED)
        with pytest.raises(SendLater) as later:
            await adapter.send(answer(event))
    assert later.value.retry_after == 600


async def test_no_text_of_ours_shows_a_page_that_it_links_to(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        await adapter.send(answer(event, "See https://example.org/?all=you+said"))
    assert server.replies[0].payload["flags"] & 1 << 2


# Answers that grow, with everything behind it


async def test_an_answer_comes_whole_though_its_beginning_was_deleted(
    life: Life, server: FakeDiscord
) -> None:
    hold = asyncio.Event()
    async with life.living("Once upon a time.", hold=hold):
        server.say(DM, "a story, please")
        await until(lambda: life.texts(DM))
        server.delete(server.replies[0].id)
        hold.set()
        await until(lambda: life.texts(DM) == ["Once upon a time."])
    assert await life.states() == ["sent"]


async def test_an_answer_comes_whole_though_every_change_is_refused(
    life: Life, server: FakeDiscord
) -> None:
    hold = asyncio.Event()
    async with life.living("Once upon a time.", hold=hold):
        server.say(DM, "a story, please")
        await until(lambda: life.texts(DM))
        server.change_faults.extend([Fault.OLD] * 50)
        hold.set()
        await until(lambda: "Once upon a time." in life.texts(DM))
    assert await life.states() == ["sent"]


async def test_a_stop_in_the_middle_leaves_no_half_answer(life: Life, server: FakeDiscord) -> None:
    async with life.living("Once upon a time.", hold=asyncio.Event()):
        server.say(DM, "a story, please")
        await until(lambda: life.texts(DM) == ["Once upo"])
    async with life.living("There was a bot."):
        await until(lambda: life.texts(DM) == ["There was a bot."])
    assert len(server.replies) == 1


async def test_the_deletion_of_a_question_takes_its_answer_away(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living("Once upon a time.", "Here."):
        question = server.say(GENERAL, f"{MENTION} a story, please")
        await until(lambda: life.texts(GENERAL) == ["Once upon a time."])
        server.delete(question)
        await until(lambda: life.texts(GENERAL) == [])
