"""Slash commands and buttons: acknowledged in time, answered once and in their place."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hobnob import replies
from hobnob.errors import SendRefused, SendUnknown
from hobnob.events import Addressed, Button, Event, Kind, Reply
from hobnob.jobs import Deed, Job
from hobnob.policy import Decision
from hobnob.ports import Cursor
from hobnob.replies import CAREFUL
from hobnob.testing.discord import DM, GENERAL, MENTION, THREAD, FakeDiscord
from hobnob.testing.discord.desk import Use
from hobnob.testing.discord.ledger import Fault
from hobnob.testing.live import until
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_bot import SECONDS, an_adapter, answer, heard, running
from tests.wire.discord_life import Life


class Waiting(RecordingReceiver):
    """A chat that has not decided yet."""

    async def settled(self, key: object) -> None:
        await asyncio.Event().wait()


async def used(discord: FakeDiscord, text: str, channel: str = GENERAL) -> tuple[Use, Event]:
    """A command that was stored and acknowledged before the bot was stopped."""
    receiver = Waiting()
    async with running(discord, receiver):
        use = discord.use(text, channel)
        await receiver.wait_for(1, SECONDS)
        await until(lambda: use.acknowledged)
    return use, receiver.events[0]


# With everything behind it


async def test_commands_are_offered_once_and_again_when_they_change(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    for _ in range(2):
        async with running(discord, receiver):
            pass
    assert discord.desk.registrations == 1
    assert {"help", "forget"} <= {command["name"] for command in discord.desk.registered}
    receiver.commands = receiver.commands[1:]
    async with running(discord, receiver):
        pass
    assert discord.desk.registrations == 2


@pytest.mark.parametrize("channel", [GENERAL, THREAD, DM])
async def test_a_command_is_acknowledged_and_answered_in_its_place(
    life: Life, discord: FakeDiscord, channel: str
) -> None:
    async with life.living() as engine:
        use = discord.use("/privacy", channel)
        await until(lambda: life.texts(channel))
        assert (use.kind, use.thinking, use.ephemeral) == (5, False, False)
    assert life.texts(channel) == [use.original["content"] if use.original else ""]
    assert not discord.replies[0].reference
    assert not engine.prompts


async def test_what_concerns_the_asker_alone_is_shown_to_them_alone(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living():
        use = discord.use("/memory", GENERAL)
        await until(lambda: use.whispers)
    assert use.ephemeral
    assert not discord.history[GENERAL]


async def test_an_argument_is_completed_and_comes_as_it_would_have_been_typed(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver):
        typing = discord.use("/language Ger", GENERAL, kind=4)
        await until(lambda: typing.completions)
        assert typing.completions == ["German"]
        discord.use("/language German", GENERAL)
        discord.use("/help", DM)
        await receiver.wait_for(2, SECONDS)
    language, helped = receiver.events
    assert (language.kind, language.text) == (Kind.COMMAND, "/language German")
    assert (language.addressed, helped.addressed) == (Addressed.MENTION, Addressed.DIRECT)
    assert (language.key.room, helped.key.room) == (GENERAL, DM)
    assert (language.author.name, language.reply_to) == ("Ann", None)


async def test_nobody_is_left_waiting_where_there_is_nothing_to_say(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living(most=1):
        uses = [discord.use("/help", GENERAL) for _ in range(3)]
        await until(lambda: uses[2].acknowledged and not uses[2].thinking)
    assert [use.original is not None for use in uses] == [True, True, False]
    assert len(life.texts(GENERAL)) == 2  # an answer, and that this is too much


async def test_a_command_that_is_told_again_is_answered_once_and_stays_answered(
    life: Life, discord: FakeDiscord
) -> None:
    async with life.living("Hi!", "Yes."):
        discord.use("/help", DM)
        await until(lambda: life.texts(DM))
        said = life.texts(DM)
        discord.say(DM, "hello")
        await until(lambda: life.texts(DM) == [*said, "Hi!"])
        discord.sessions.tell_again("INTERACTION_CREATE")
        discord.say(DM, "still there?")
        await until(lambda: life.texts(DM) == [*said, "Hi!", "Yes."])
    assert sum("callback" in request for request in discord.asked) == 1


async def test_a_command_is_acknowledged_in_time_though_the_database_is_slow(
    discord: FakeDiscord,
) -> None:
    class Slow(Waiting):
        def __init__(self) -> None:
            super().__init__()
            self.opened = asyncio.Event()

        async def put(self, event: Event, cursor: Cursor | None = None) -> bool:
            await self.opened.wait()
            return await super().put(event, cursor)

    receiver = Slow()
    async with running(discord, receiver):
        use = discord.use("/help", GENERAL)
        await until(lambda: use.acknowledged)
        assert not receiver.events
        receiver.opened.set()
        await receiver.wait_for(1, SECONDS)


# After a restart


@pytest.mark.parametrize("text", ["/help", "/memory"])
async def test_after_a_restart_the_answer_still_takes_its_place_however_often_it_is_sent(
    discord: FakeDiscord, receiver: RecordingReceiver, text: str
) -> None:
    use, event = await used(discord, text)
    reply = answer(event, private=text == "/memory")
    async with running(discord, receiver) as adapter:
        first = await adapter.send(reply)
        again = await adapter.send(replace(reply, attempted=datetime.now(UTC)))
    assert first == again
    assert use.original is not None
    assert (use.original["content"], use.thinking) == ("Hello!", False)
    assert len(discord.replies) + len(use.whispers) == 1


async def test_what_is_said_later_of_a_command_does_not_take_the_place_of_its_answer(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(discord, "/help")
    mine, private = await used(discord, "/memory", THREAD)
    async with running(discord, receiver) as adapter:
        await adapter.send(answer(event, "I shall remind you."))
        await adapter.send(answer(event, "It is time!", nonce="o" * 20))
        await adapter.send(answer(private, "Noted.", private=True))
        await adapter.send(answer(private, "It is time!", private=True, nonce="p" * 20))
    assert use.original is not None
    assert use.original["content"] == "I shall remind you."
    assert [posted.content for posted in discord.replies][1:] == ["It is time!"]
    assert [whisper["content"] for whisper in mine.whispers] == ["Noted.", "It is time!"]


async def test_a_command_that_a_stop_leaves_unanswered_is_answered_in_its_place(
    life: Life, discord: FakeDiscord
) -> None:
    class Away(Job):
        async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
            await asyncio.Event().wait()
            return None

    async with life.living(jobs=(Away(),)):
        use = discord.use("/help", GENERAL)
        await until(lambda: use.acknowledged)
    async with life.living():
        await until(lambda: life.texts(GENERAL))
    assert use.original is not None
    assert not use.thinking


async def test_too_late_for_its_place_an_answer_comes_as_a_message(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(discord, "/help")
    discord.desk.expired = True
    async with running(discord, receiver) as adapter:
        await adapter.send(answer(event))
        await adapter.send(answer(event, attempted=datetime.now(UTC)))  # it is found
    [posted] = discord.replies
    assert (posted.channel, posted.content, posted.reference) == (GENERAL, "Hello!", None)


async def test_too_late_for_its_place_a_private_answer_goes_to_the_asker_and_nowhere_else(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(discord, "/memory")
    discord.desk.expired = True
    async with running(discord, receiver) as adapter:
        await adapter.send(answer(event, private=True))
        with pytest.raises(SendUnknown):
            await adapter.send(answer(event, private=True, attempted=datetime.now(UTC)))
    assert [posted.channel for posted in discord.replies] == [DM]


async def test_a_private_command_that_was_written_is_answered_in_private(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} /memory")
        reply = answer(event, private=True, mention=event.author.handle)
        await adapter.send(reply)
        await adapter.send(replace(reply, attempted=datetime.now(UTC)))  # the nonce tells
        direct = await heard(discord, receiver, "/memory", DM)
        own = answer(direct, private=True, mention=direct.author.handle, nonce="o" * 20)
        await adapter.send(own)
    where = [(posted.channel, posted.reference) for posted in discord.replies]
    assert where == [(DM, None), (DM, direct.message)]


@pytest.mark.parametrize("used_as", ["written", "slash, too late"])
async def test_who_takes_no_direct_messages_is_told_that_and_nothing_else(
    discord: FakeDiscord, receiver: RecordingReceiver, used_as: str
) -> None:
    discord.forbidden.add(DM)
    discord.desk.expired = True
    event = (await used(discord, "/memory"))[1]
    async with running(discord, receiver) as adapter:
        if used_as == "written":
            event = await heard(discord, receiver, f"{MENTION} /memory")
        buttons = (Button(label="Why", command="/memory why 1"),)
        reply = answer(event, private=True, mention=event.author.handle, buttons=buttons)
        hint = await adapter.send(reply)
        with pytest.raises(SendRefused):  # it was told once
            await adapter.send(replace(reply, follows=hint, nonce="o" * 20))
    (posted,) = discord.replies
    assert posted.channel == GENERAL
    assert "direct messages" in posted.content
    assert "Hello!" not in posted.content
    assert not posted.payload.get("components")


async def test_an_answer_in_its_place_is_not_given_again_as_a_message(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(discord, "/help")
    _, other = await used(discord, "/help")
    async with running(discord, receiver) as adapter:
        sent = await adapter.send(answer(event))
        discord.desk.expired = True
        found = await adapter.send(answer(event, attempted=datetime.now(UTC)))
        # The same words, but in answer to another command.
        await adapter.send(answer(other, nonce="o" * 20, attempted=datetime.now(UTC)))
    assert found == sent
    assert len(discord.replies) == 2


async def test_a_command_that_discord_did_not_see_acknowledged_is_answered_by_a_message(
    life: Life, discord: FakeDiscord
) -> None:
    discord.desk.slow = True
    async with life.living():
        discord.use("/help", GENERAL)
        await until(lambda: life.texts(GENERAL))
    assert len(discord.replies) == 1


async def test_what_a_private_command_brings_much_later_goes_to_the_asker_and_nowhere_else(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    _, event = await used(discord, "/memory", GENERAL)
    rung = replace(event, kind=Kind.SCHEDULED, message="", reply_to=None)
    (reply,) = replies.to(rung, Deed(reason="due", said="It is time!", private=True), CAREFUL)
    async with running(discord, receiver) as adapter:
        await adapter.send(reply)
    assert [(posted.channel, posted.content) for posted in discord.replies] == [(DM, "It is time!")]


async def test_a_long_private_answer_goes_on_for_the_asker_alone(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(discord, "/memory")
    async with running(discord, receiver) as adapter:
        first = await adapter.send(answer(event, "one", private=True))
        rest = answer(event, "two", private=True, nonce="o" * 20, follows=first)
        await adapter.send(rest)
        with pytest.raises(SendUnknown):  # it may be there, and nobody can look
            await adapter.send(replace(rest, attempted=datetime.now(UTC)))
    assert [whisper["content"] for whisper in use.whispers] == ["one", "two"]
    assert not discord.replies


# Buttons


def with_buttons(event: Event) -> Reply:
    buttons = (Button(label="Yes", command="/yes 12"), Button(label="Mine", command="/memory"))
    return answer(event, "Shall I?", buttons=buttons)


async def test_a_press_is_the_use_of_a_command_under_its_message_after_a_restart_too(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        asked = await adapter.send(with_buttons(await heard(discord, receiver, f"{MENTION} hi")))
    async with running(discord, receiver) as adapter:
        use = discord.press(asked, "/yes 12", author="bob")
        await receiver.wait_for(2, SECONDS)
        await until(lambda: use.kind == 6)
        event = receiver.events[-1]
        await adapter.send(answer(event, "Done.", nonce="o" * 20))
    assert (event.kind, event.text, event.reply_to) == (Kind.COMMAND, "/yes 12", asked)
    assert (event.author.name, event.addressed) == ("Bob", Addressed.REPLY)
    assert (discord.replies[1].content, discord.replies[1].reference) == ("Done.", asked)


async def test_what_a_press_asks_for_in_private_is_shown_to_whoever_pressed(
    life: Life, discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        asked = await adapter.send(with_buttons(await heard(discord, receiver, f"{MENTION} hi")))
    async with life.living():
        use = discord.press(asked, "/memory", author="bob")
        await until(lambda: use.whispers)
    assert len(discord.replies) == 1


async def test_buttons_go_when_the_message_changes(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        asked = await adapter.send(with_buttons(event))
        assert len(discord.find(asked)["components"][0]["components"]) == 2
        await adapter.send(answer(event, "I have.", replaces=asked))
        assert not discord.find(asked)["components"]


async def test_other_buttons_and_commands_are_left_alone(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    async with running(discord, receiver) as adapter:
        event = await heard(discord, receiver, f"{MENTION} hi")
        asked = await adapter.send(with_buttons(event))
        for row in discord.find(asked)["components"]:
            for button in row["components"]:
                button["custom_id"] = "somebody:elses /yes 12"
        use = discord.press(asked, "/yes 12")
        await heard(discord, receiver, "later")
    assert len(receiver.events) == 2
    assert use.acknowledged is None
    discord.desk.uses.clear()


async def test_a_failure_while_answering_in_place_changes_nothing_for_people(
    discord: FakeDiscord, receiver: RecordingReceiver
) -> None:
    use, event = await used(discord, "/help")
    discord.desk.faults.extend([Fault.LOST, Fault.DROPPED, Fault.BROKEN])
    async with running(discord, receiver, an_adapter(discord, retry_pauses=(0.0,) * 4)) as adapter:
        await adapter.send(answer(event))
    assert use.original is not None
    assert len(discord.replies) == 1
