"""Slash commands and buttons: acknowledged in time, answered once and in their place."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hobnob.errors import SendUnknown
from hobnob.events import Addressed, Button, Event, Kind, Reply
from hobnob.jobs import Deed, Job
from hobnob.policy import Decision
from hobnob.ports import Cursor
from hobnob.store.database import Database
from tests.wire.discord_bot import SECONDS, an_adapter, answer, heard, running, until
from tests.wire.discord_desk import Use
from tests.wire.discord_ledger import Fault
from tests.wire.discord_life import Life
from tests.wire.fake_discord import DM, GENERAL, MENTION, THREAD, FakeDiscord
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


class Waiting(RecordingReceiver):
    """A chat that has not decided yet."""

    async def settled(self, key: object) -> None:
        await asyncio.Event().wait()


async def used(server: FakeDiscord, text: str, channel: str = GENERAL) -> tuple[Use, Event]:
    """A command that was stored and acknowledged before the bot was stopped."""
    receiver = Waiting()
    async with running(server, receiver):
        use = server.use(text, channel)
        await receiver.wait_for(1, SECONDS)
        await until(lambda: use.acknowledged)
    return use, receiver.events[0]


# With everything behind it


async def test_commands_are_offered_once_and_again_when_they_change(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    for _ in range(2):
        async with running(server, receiver):
            pass
    assert server.desk.registrations == 1
    assert {"help", "forget"} <= {command["name"] for command in server.desk.registered}
    receiver.commands = receiver.commands[1:]
    async with running(server, receiver):
        pass
    assert server.desk.registrations == 2


@pytest.mark.parametrize("channel", [GENERAL, THREAD, DM])
async def test_a_command_is_acknowledged_and_answered_in_its_place(
    life: Life, server: FakeDiscord, channel: str
) -> None:
    async with life.living() as engine:
        use = server.use("/privacy", channel)
        await until(lambda: life.texts(channel))
        assert (use.kind, use.thinking, use.ephemeral) == (5, False, False)
    assert life.texts(channel) == [use.original["content"] if use.original else ""]
    assert not server.replies[0].reference
    assert not engine.prompts


async def test_what_concerns_the_asker_alone_is_shown_to_them_alone(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living():
        use = server.use("/memory", GENERAL)
        await until(lambda: use.whispers)
    assert use.ephemeral
    assert not server.history[GENERAL]


async def test_an_argument_is_completed_and_comes_as_it_would_have_been_typed(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver):
        typing = server.use("/language Ger", GENERAL, kind=4)
        await until(lambda: typing.completions)
        assert typing.completions == ["German"]
        server.use("/language German", GENERAL)
        server.use("/help", DM)
        await receiver.wait_for(2, SECONDS)
    language, helped = receiver.events
    assert (language.kind, language.text) == (Kind.COMMAND, "/language German")
    assert (language.addressed, helped.addressed) == (Addressed.MENTION, Addressed.DIRECT)
    assert (language.key.room, helped.key.room) == (GENERAL, DM)
    assert (language.author.name, language.reply_to) == ("Ann", None)


async def test_nobody_is_left_waiting_where_there_is_nothing_to_say(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living(most=1):
        uses = [server.use("/help", GENERAL) for _ in range(3)]
        await until(lambda: uses[2].acknowledged and not uses[2].thinking)
    assert [use.original is not None for use in uses] == [True, True, False]
    assert len(life.texts(GENERAL)) == 2  # an answer, and that this is too much


async def test_a_command_that_is_told_again_is_answered_once_and_stays_answered(
    life: Life, server: FakeDiscord
) -> None:
    async with life.living("Hi!", "Yes."):
        server.use("/help", DM)
        await until(lambda: life.texts(DM))
        said = life.texts(DM)
        server.say(DM, "hello")
        await until(lambda: life.texts(DM) == [*said, "Hi!"])
        server.sessions.tell_again("INTERACTION_CREATE")
        server.say(DM, "still there?")
        await until(lambda: life.texts(DM) == [*said, "Hi!", "Yes."])
    assert sum("callback" in request for request in server.asked) == 1


async def test_a_command_is_acknowledged_in_time_though_the_database_is_slow(
    server: FakeDiscord,
) -> None:
    class Slow(Waiting):
        def __init__(self) -> None:
            super().__init__()
            self.opened = asyncio.Event()

        async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
            await self.opened.wait()
            return await super().put(event, cursor)

    receiver = Slow()
    async with running(server, receiver):
        use = server.use("/help", GENERAL)
        await until(lambda: use.acknowledged)
        assert not receiver.events
        receiver.opened.set()
        await receiver.wait_for(1, SECONDS)


# After a restart


@pytest.mark.parametrize("text", ["/help", "/memory"])
async def test_after_a_restart_the_answer_still_takes_its_place_however_often_it_is_sent(
    server: FakeDiscord, receiver: RecordingReceiver, text: str
) -> None:
    use, event = await used(server, text)
    reply = answer(event, private=text == "/memory")
    async with running(server, receiver) as adapter:
        first = await adapter.send(reply)
        again = await adapter.send(replace(reply, attempted=datetime.now(UTC)))
    assert first == again
    assert use.original is not None
    assert (use.original["content"], use.thinking) == ("Hello!", False)
    assert len(server.replies) + len(use.whispers) == 1


async def test_what_is_said_later_of_a_command_does_not_take_the_place_of_its_answer(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(server, "/help")
    mine, private = await used(server, "/memory", THREAD)
    async with running(server, receiver) as adapter:
        await adapter.send(answer(event, "I shall remind you."))
        await adapter.send(answer(event, "It is time!", nonce="o" * 20))
        await adapter.send(answer(private, "Noted.", private=True))
        await adapter.send(answer(private, "It is time!", private=True, nonce="p" * 20))
    assert use.original is not None
    assert use.original["content"] == "I shall remind you."
    assert [posted.content for posted in server.replies][1:] == ["It is time!"]
    assert [whisper["content"] for whisper in mine.whispers] == ["Noted.", "It is time!"]


async def test_a_command_that_a_stop_leaves_unanswered_is_answered_in_its_place(
    life: Life, server: FakeDiscord
) -> None:
    class Away(Job):
        async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
            await asyncio.Event().wait()
            return None

    async with life.living(jobs=(Away(),)):
        use = server.use("/help", GENERAL)
        await until(lambda: use.acknowledged)
    async with life.living():
        await until(lambda: life.texts(GENERAL))
    assert use.original is not None
    assert not use.thinking


async def test_too_late_for_its_place_an_answer_comes_as_a_message(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(server, "/help")
    server.desk.expired = True
    async with running(server, receiver) as adapter:
        await adapter.send(answer(event))
        await adapter.send(answer(event, attempted=datetime.now(UTC)))  # it is found
    [posted] = server.replies
    assert (posted.channel, posted.content, posted.reference) == (GENERAL, "Hello!", None)


async def test_too_late_for_its_place_a_private_answer_goes_to_the_asker_and_nowhere_else(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(server, "/memory")
    server.desk.expired = True
    async with running(server, receiver) as adapter:
        await adapter.send(answer(event, private=True))
        with pytest.raises(SendUnknown):
            await adapter.send(answer(event, private=True, attempted=datetime.now(UTC)))
    assert [posted.channel for posted in server.replies] == [DM]


async def test_an_answer_in_its_place_is_not_given_again_as_a_message(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(server, "/help")
    _, other = await used(server, "/help")
    async with running(server, receiver) as adapter:
        sent = await adapter.send(answer(event))
        server.desk.expired = True
        found = await adapter.send(answer(event, attempted=datetime.now(UTC)))
        # The same words, but in answer to another command.
        await adapter.send(answer(other, nonce="o" * 20, attempted=datetime.now(UTC)))
    assert found == sent
    assert len(server.replies) == 2


async def test_a_command_that_discord_did_not_see_acknowledged_is_answered_by_a_message(
    life: Life, server: FakeDiscord
) -> None:
    server.desk.slow = True
    async with life.living():
        server.use("/help", GENERAL)
        await until(lambda: life.texts(GENERAL))
    assert len(server.replies) == 1


async def test_a_long_private_answer_goes_on_for_the_asker_alone(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(server, "/memory")
    async with running(server, receiver) as adapter:
        first = await adapter.send(answer(event, "one", private=True))
        rest = answer(event, "two", private=True, nonce="o" * 20, follows=first)
        await adapter.send(rest)
        with pytest.raises(SendUnknown):  # it may be there, and nobody can look
            await adapter.send(replace(rest, attempted=datetime.now(UTC)))
    assert [whisper["content"] for whisper in use.whispers] == ["one", "two"]
    assert not server.replies


# Buttons


def with_buttons(event: Event) -> Reply:
    buttons = (Button(label="Yes", command="/yes 12"), Button(label="Mine", command="/memory"))
    return answer(event, "Shall I?", buttons=buttons)


async def test_a_press_is_the_use_of_a_command_under_its_message_after_a_restart_too(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        asked = await adapter.send(with_buttons(await heard(server, receiver, f"{MENTION} hi")))
    async with running(server, receiver) as adapter:
        use = server.press(asked, "/yes 12", author="bob")
        await receiver.wait_for(2, SECONDS)
        await until(lambda: use.kind == 6)
        event = receiver.events[-1]
        await adapter.send(answer(event, "Done.", nonce="o" * 20))
    assert (event.kind, event.text, event.reply_to) == (Kind.COMMAND, "/yes 12", asked)
    assert (event.author.name, event.addressed) == ("Bob", Addressed.REPLY)
    assert (server.replies[1].content, server.replies[1].reference) == ("Done.", asked)


async def test_what_a_press_asks_for_in_private_is_shown_to_whoever_pressed(
    life: Life, server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        asked = await adapter.send(with_buttons(await heard(server, receiver, f"{MENTION} hi")))
    async with life.living():
        use = server.press(asked, "/memory", author="bob")
        await until(lambda: use.whispers)
    assert len(server.replies) == 1


async def test_buttons_go_when_the_message_changes(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        asked = await adapter.send(with_buttons(event))
        assert len(server.find(asked)["components"][0]["components"]) == 2
        await adapter.send(answer(event, "I have.", replaces=asked))
        assert not server.find(asked)["components"]


async def test_other_buttons_and_commands_are_left_alone(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(server, receiver) as adapter:
        event = await heard(server, receiver, f"{MENTION} hi")
        asked = await adapter.send(with_buttons(event))
        for row in server.find(asked)["components"]:
            for button in row["components"]:
                button["custom_id"] = "somebody:elses /yes 12"
        use = server.press(asked, "/yes 12")
        await heard(server, receiver, "later")
    assert len(receiver.events) == 2
    assert use.acknowledged is None
    server.desk.uses.clear()


async def test_a_failure_while_answering_in_place_changes_nothing_for_people(
    server: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(server, "/help")
    server.desk.faults.extend([Fault.LOST, Fault.DROPPED, Fault.BROKEN])
    async with running(server, receiver, an_adapter(server, retry_pauses=(0.0,) * 4)) as adapter:
        await adapter.send(answer(event))
    assert use.original is not None
    assert len(server.replies) == 1
