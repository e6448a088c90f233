"""Reminders and to-dos, as people ask for them and get them: the whole bot on a stage."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from hobnob import settings
from hobnob.assistant import job
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Author, Event, Kind
from hobnob.ports import Limits
from hobnob.settings import Bot
from hobnob.testing.stage import Stage

HOUR = 1 / 24


def bot(zone: str = "Europe/Berlin") -> Bot:
    found = settings.load(settings.find("assistant"))
    table = found.settings.bot.model_copy(update={"timezone": zone})
    return replace(found, settings=found.settings.model_copy(update={"bot": table}))


class Talk:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.platform.limits = Limits(max_length=2000, buttons=True)

    async def say(self, text: str, by: str = "Ann", room: str = "ann", **changes: Any) -> str:
        self.stage.clock.advance(1)
        event = self.event(text, by, room, **changes)
        said = await self.stage.hear(event)
        return said or ""

    def event(self, text: str, by: str = "Ann", room: str = "ann", **changes: Any) -> Event:
        values: dict[str, Any] = {
            "at": self.stage.clock.now(),
            "key": ConversationKey(platform="fake", account="bot", room=room),
            "addressed": Addressed.DIRECT if room == by.casefold() else Addressed.MENTION,
        }
        return self.stage.platform.event(text, by=by, **{**values, **changes})

    async def command(self, text: str, **changes: Any) -> str:
        return await self.say(text, kind=Kind.COMMAND, **changes)

    async def wait(self, days: float) -> str:
        return await self.stage.later(days)


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with Stage(bot()) as stage:
        yield Talk(stage)


async def test_a_reminder_is_echoed_with_its_time_and_comes_at_it_once(talk: Talk) -> None:
    said = await talk.say("remind me at 3pm to call the dentist")
    assert said.startswith(
        "I'll remind you (number 1): call the dentist\n"
        "Thursday 1 January 2026, 15:00 (Europe/Berlin)"
    )
    assert await talk.wait(1.9 * HOUR) == ""
    assert await talk.wait(0.1 * HOUR) == "Reminder: call the dentist"
    assert await talk.wait(10) == ""


async def test_the_time_zone_is_asked_for_once_and_kept_for_each_person(talk: Talk) -> None:
    assert "/timezone" in await talk.say("remind me at 3pm to eat")
    assert "/timezone" not in await talk.say("remind me at 4pm to eat")
    assert "Asia/Tokyo, where it is Thursday 1 January 2026, 21:00" in await talk.command(
        "/timezone tokyo"
    )
    assert "1 January 2026, 22:00 (Asia/Tokyo)" in await talk.say("remind me at 10pm to sleep")
    assert "(Europe/Berlin)" in await talk.say("remind me at 10pm", by="Ben", room="ben")
    assert "I know no such time zone" in await talk.command("/timezone Atlantis")


async def test_what_may_mean_two_things_is_asked_back_and_a_button_decides(talk: Talk) -> None:
    said = await talk.say("remind me on Friday at 7 to pay the rent")
    assert "1. Friday 2 January 2026, 07:00\n2. Friday 2 January 2026, 19:00" in said
    assert await talk.wait(0) == ""
    said = await talk.command("/snooze 1 2026-01-02 19:00")
    assert said.startswith("I'll remind you (number 1): pay the rent\nFriday 2 January 2026, 19:00")


@pytest.mark.parametrize("answer", ["2", "in the evening", "7pm", "at 19:00"])
async def test_or_an_answer_in_words_decides(talk: Talk, answer: str) -> None:
    await talk.say("remind me on Friday at 7 to pay the rent")
    said = await talk.say(answer)
    assert said.startswith("I'll remind you (number 1): pay the rent\nFriday 2 January 2026, 19:00")


@pytest.mark.parametrize(
    ("asked", "answer", "due"),
    [
        ("remind me on Saturday at 9am or 10am to eat", "10am", ""),
        (
            "remind me on Saturday at 9am or 10am to eat",
            "Saturday at 10am",
            "3 January 2026, 10:00",
        ),
        ("remind me on Saturday between 3 and 4 to eat", "at 3pm", "3 January 2026, 15:00"),
        ("remind me today at 9am to eat", "at 5pm", "1 January 2026, 17:00"),
        ("remind me every Saturday at 7 to eat", "in the evening", "10 January 2026, 19:00"),
    ],
)
async def test_an_answer_never_moves_the_day_that_was_said(
    talk: Talk, asked: str, answer: str, due: str
) -> None:
    await talk.say(asked)
    said = await talk.say(answer)
    assert (due in said) if due else said.startswith("When that is, I did not quite")


async def test_a_missing_time_is_asked_for(talk: Talk) -> None:
    assert (await talk.say("remind me to pay the rent")).startswith("When shall I remind you?")
    assert (await talk.say("how are you?")).startswith("ok")
    said = await talk.say("tomorrow at 5pm")
    assert said.startswith("I'll remind you (number 1): pay the rent\nFriday 2 January 2026, 17:00")


async def test_the_next_message_can_correct_it(talk: Talk) -> None:
    await talk.say("remind me tomorrow at 9:00 am to eat")
    assert "number 1): eat\nFriday 2 January 2026, 10:00" in await talk.say("no, at 10 am")
    assert "number 1): eat\nSaturday 3 January 2026, 10:00" in await talk.say("sorry, on Saturday")
    assert (await talk.command("/reminders")).count("eat") == 1
    talk.stage.clock.advance(600)
    assert (await talk.say("no, at 11 am")).startswith("ok")


async def test_what_comes_again_keeps_its_rule_when_it_is_corrected(talk: Talk) -> None:
    said = await talk.say("remind me every Friday at 9:00 am to pay")
    assert "Then again Friday 9 January 2026, 09:00, and so on." in said
    assert "Then again Friday 9 January 2026, 10:00" in await talk.say("no, at 10 am")
    for _ in range(3):
        assert (await talk.wait(7)).startswith("Reminder: pay")
    await talk.command("/cancel 1")
    assert await talk.wait(30) == ""


async def test_snoozed_once_more_while_it_comes_again(talk: Talk) -> None:
    await talk.say("remind me every Friday at 9:00 am to pay")
    await talk.wait(20 * HOUR)
    assert "(number 2): pay\nFriday 2 January 2026, 10:00" in await talk.command("/snooze 1 1h")
    assert await talk.wait(HOUR) == "Reminder: pay"
    assert "1. pay (Friday 9 January 2026, 09:00 ↻)" in await talk.command("/reminders")


async def test_a_reminder_that_rang_can_ring_once_more(talk: Talk) -> None:
    await talk.say("remind me in 10 minutes to turn it off")
    assert await talk.wait(0.2 * HOUR) == "Reminder: turn it off"
    assert "no reminders" in await talk.command("/reminders")
    assert "13:22" in await talk.command("/snooze 1 10m")
    assert await talk.wait(0.17 * HOUR) == "Reminder: turn it off"


async def test_what_is_late_says_for_when_it_was(talk: Talk) -> None:
    await talk.say("remind me at 3pm to call")
    assert await talk.wait(1) == (
        "Reminder: call\n(This was for Thursday 1 January 2026, 15:00. I was away.)"
    )


async def test_the_buttons_do_what_the_commands_do(talk: Talk) -> None:
    await talk.stage.hear(talk.event("remind me tomorrow at 9:00 am to call"))
    talk.stage.platform.sent.clear()
    talk.stage.clock.advance(1)
    await talk.stage._chat.receive(talk.event("remind me tomorrow at 8:00 am to eat"), None)
    await talk.stage._chat.settled(talk.event("").key)
    (reply,) = talk.stage.platform.sent
    assert [button.command for button in reply.buttons] == [
        "/cancel 2",
        "/snooze 2 1h",
        "/snooze 2 1d",
    ]
    assert "Friday 2 January 2026, 09:00" in await talk.command("/snooze 2 1h")
    assert "Saturday 3 January 2026, 09:00" in await talk.command("/snooze 2 1d")


async def test_a_list_of_things_to_do(talk: Talk) -> None:
    assert "number 1: buy milk\nFriday 2 January" in await talk.command("/todo buy milk by Friday")
    assert "number 2: eggs" in await talk.say("add eggs to my list")
    assert await talk.say("what's on my list?") == (
        "Your list:\n1. buy milk (Friday 2 January 2026, 09:00)\n2. eggs"
    )
    assert await talk.wait(20 * HOUR) == "Reminder: buy milk"
    assert "1. buy milk\n" in await talk.command("/todos")  # done only when somebody says so
    assert await talk.command("/done 1") == "Done: buy milk"
    assert await talk.say("2 is done") == "Done: eggs"
    assert await talk.command("/todos") == "There is nothing on your list."


async def test_a_date_that_is_not_clear_stays_in_the_words_of_a_to_do(talk: Talk) -> None:
    said = await talk.command("/todo buy 2 hours of parking between 3 and 4")
    assert "buy 2 hours of parking between 3 and 4\n" in said
    assert "it has no date" in said


async def test_nobody_touches_what_is_anothers(talk: Talk) -> None:
    await talk.say("remind me tomorrow at 9:00 am to call", room="room")
    assert "nothing with number 1" in await talk.command("/cancel 1", by="Ben", room="room")
    assert "no reminders" in await talk.command("/reminders", by="Ben", room="room")
    assert "1. call" in await talk.command("/reminders", room="room")


async def test_a_room_hears_nothing_of_what_was_said_in_private(talk: Talk) -> None:
    await talk.say("remind me tomorrow at 9:00 am of the surprise")
    assert "no reminders" in await talk.command("/reminders", room="room")
    assert "nothing with number 1" in await talk.command("/cancel 1", room="room")
    assert "surprise" in await talk.command("/reminders")


async def test_what_a_command_asked_for_in_a_room_comes_to_them_alone(talk: Talk) -> None:
    for said in ("/remind in 1 hour call", "remind me in 1 hour to call"):
        await talk.stage.hear(talk.event(said, room="room"))
    await talk.wait(HOUR)
    *_, by_command, by_words = talk.stage.platform.shown.values()
    assert (by_command.private, by_words.private) == (True, False)


async def test_in_a_room_it_comes_in_the_room_by_name(talk: Talk) -> None:
    await talk.say("remind me in 10 minutes to stretch", room="room")
    assert await talk.wait(0.17 * HOUR) == "Ann: Reminder: stretch"


async def test_called_by_name_in_a_room(talk: Talk) -> None:
    said = await talk.say(
        "Otto, remind me in 10 minutes to stretch", room="room", addressed=Addressed.NONE
    )
    assert "(number 1): stretch" in said
    assert await talk.say("remind me in 5 minutes", room="room", addressed=Addressed.NONE) == ""


async def test_other_bots_and_other_peoples_talk_set_nothing(talk: Talk) -> None:
    robot = Author(id="robot", name="Robot", is_bot=True)
    assert await talk.say("remind me in 10 minutes to stretch", author=robot) == ""
    assert (
        await talk.command("/remind in 10 minutes x", room="room", addressed=Addressed.NONE) == ""
    )
    assert await talk.wait(1) == ""


async def test_forgetting_everything_deletes_them_with_the_time_zone(talk: Talk) -> None:
    await talk.command("/timezone tokyo")
    await talk.say("remind me tomorrow at 9:00 am to call")
    await talk.command("/todo buy milk")
    await talk.command("/forget everything")
    assert "no reminders" in await talk.command("/reminders")
    assert await talk.command("/todos") == "There is nothing on your list."
    assert await talk.wait(3) == ""
    assert "(Europe/Berlin)" in await talk.say("remind me tomorrow at 9:00 am to call")


async def test_incognito_keeps_the_reminder_and_nothing_else(talk: Talk) -> None:
    await talk.command("/incognito on")
    said = await talk.say("remind me in 10 minutes of my secret")
    assert "I keep this reminder, and nothing else" in said
    await talk.command("/incognito off")
    assert await talk.wait(0.17 * HOUR) == "Reminder: my secret"
    await talk.say("what did I say?")
    assert "secret" not in talk.stage.prompt


async def test_each_language_is_answered_in_itself(talk: Talk) -> None:
    for said, answer in (
        ("erinnere mich morgen um 17 Uhr an Bob", "Ich erinnere dich (Nummer 1): Bob\nFreitag, 2."),
        ("recuérdame mañana a las 17:00 llamar", "Te lo recordaré (número 2): llamar\nviernes 2"),
        ("rappelle-moi demain à 17h d'appeler", "Je vous le rappelle (numéro 3) : appeler\nven"),
        ("明天下午五点提醒我开会", "到时我会提醒你（4号）：开会\n2026年1月2日星期五 17:00"),
    ):
        assert answer in await talk.say(said)
    rung = await talk.wait(28 * HOUR)
    rang = ["Erinnerung: Bob", "Recordatorio: llamar", "Rappel : appeler", "提醒：开会"]
    assert [line for line in rung.splitlines() if line] == rang


async def test_the_model_is_told_what_is_to_come_where_a_time_is_spoken_of(talk: Talk) -> None:
    await talk.say("remind me tomorrow at 9:00 am to call the dentist")
    await talk.say("what do I have to do tomorrow?")
    assert "1. call the dentist (Friday 2 January 2026, 09:00)" in talk.stage.prompt
    await talk.say("do you like tea?")
    assert "1. call the dentist (" not in talk.stage.prompt


async def test_nobody_has_more_than_the_bot_keeps(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "MOST", 2)
    await talk.command("/todo x")
    await talk.command("/todo y")
    assert "which is the most that I keep" in await talk.command("/todo z")


async def test_a_wrong_command_says_how_it_is_written(talk: Talk) -> None:
    assert (await talk.command("/snooze")).startswith("Write it like this: /snooze 2 10m\n")
    assert await talk.command("/snooze 9 1h") == (
        "You have nothing with number 9 here. /reminders and /todos list what you have."
    )
    assert "/remind tomorrow" in await talk.command("/remind")


async def test_without_the_table_no_bot_reminds() -> None:
    async with Stage(settings.load(settings.find("friend"))) as stage:
        talk = Talk(stage)
        assert (await talk.say("remind me in 10 minutes to eat")).startswith("ok")
        assert await talk.wait(1) == ""
