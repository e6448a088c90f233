"""What people may ask of their memory, and what they are told."""

from datetime import timedelta

import pytest

from hobnob.events import Author, Role, Turn
from hobnob.memory.commands import HELP
from hobnob.store.database import Database
from hobnob.testing.adapter import key
from tests.unit.test_memory_recall import ANN, ROOM, Life

BEN = Author(id="id-ben", name="Ben")
NONE = "There is nothing with number"


@pytest.fixture
async def life(database: Database) -> Life:
    """Ann told something in private, and something in the room, where Ben told something too."""
    life = Life(database)
    await life.say("My sister is called Mia.")
    await life.say("I am allergic to nuts.", place=ROOM)
    await life.say("I live in Oslo.", place=ROOM, by=BEN)
    await life.learn()
    return life


async def test_a_room_hears_nothing_of_what_was_said_in_private(life: Life) -> None:
    for text in ("/memory why 1", "/forget 1"):
        assert (await life.command(text, place=ROOM)).startswith(NONE)
    assert "Mia" in await life.command("/memory why 1")
    assert "nuts" in await life.command("/memory why 2")
    assert "nuts" in await life.command("/memory why 2", place=ROOM)


async def test_numbers_are_everybodys_own(life: Life) -> None:
    assert "1. You live in Oslo" in await life.command("/memory", place=ROOM, by=BEN)
    assert "is forgotten" in await life.command("/forget 1", place=ROOM, by=BEN)
    assert (await life.command("/forget 2", place=ROOM, by=BEN)).startswith(NONE)
    assert "Mia" in await life.command("/memory")
    assert "nuts" in await life.command("/memory")


async def test_what_is_forgotten_by_number_is_gone_from_the_conversation(life: Life) -> None:
    assert "is forgotten" in await life.command("/forget 2", place=ROOM)
    turns = (await life.memory.snapshot([life.event("hi", place=ROOM)])).turns
    assert [turn.text for turn in turns] == ["I live in Oslo.", "I see."]
    assert (await life.command("/memory why 2")).startswith(NONE)
    assert (await life.command("/forget 2")).startswith(NONE)  # done twice, it does no more


async def test_forgetting_everything_is_for_one_person_on_one_platform(life: Life) -> None:
    away = key("ann", platform="other")
    await life.say("My brother is called Max.", place=away)
    await life.learn()
    told = await life.command("/forget everything", place=ROOM)
    assert "2 messages of yours" in told
    assert "What Fake itself keeps" in told
    assert await life.command("/memory") == "I know nothing about you yet."
    assert "0 messages of yours" in await life.command("/forget everything")
    assert "Max" in await life.command("/memory", place=away)
    assert "Oslo" in await life.command("/memory", place=ROOM, by=BEN)
    turns = (await life.memory.snapshot([life.event("hi", place=ROOM)])).turns
    assert [turn.text for turn in turns] == ["I live in Oslo.", "I see."]


async def test_forgetting_everything_takes_what_was_said_incognito(life: Life) -> None:
    await life.command("/incognito on")
    event = life.event("my boat is called Petrel")
    life.memory.said(
        [Turn(role=Role.USER, author=ANN, text=event.text, at=event.at)], event, incognito=True
    )
    await life.command("/forget everything")
    snapshot = await life.memory.snapshot([event])
    assert snapshot.turns == ()
    assert snapshot.incognito  # forgetting does not end it


async def test_incognito_is_for_one_conversation_and_keeps_what_was_known(life: Life) -> None:
    assert "remember nothing" in await life.command("/incognito", place=ROOM, by=BEN)
    assert (await life.memory.snapshot([life.event("hi", place=ROOM)])).incognito
    here = await life.memory.snapshot([life.event("hi")])
    assert not here.incognito
    assert [turn.text for turn in here.turns] == ["My sister is called Mia.", "I see."]
    for _ in range(2):
        assert "remember again" in await life.command("/incognito off", place=ROOM)
    assert not (await life.memory.snapshot([life.event("hi", place=ROOM)])).incognito
    assert "nuts" in await life.command("/memory", place=ROOM)


async def test_something_that_is_over_by_itself_says_until_when(life: Life) -> None:
    event = await life.say("I have an exam tomorrow.")
    await life.learn()
    end = event.at + timedelta(days=2)
    assert "It holds until" not in await life.command("/memory why 1")
    assert f"It holds until {end:%-d %B %Y}." in await life.command("/memory why 3")


async def test_any_number_is_answered(life: Life) -> None:
    for number in ("0", "7", "9" * 9, "9" * 10, "9" * 19, "9" * 40, "9" * 9000):
        for command in ("/forget", "/memory why"):
            told = await life.command(f"{command} {number}")
            assert told.startswith(NONE) or told == HELP


async def test_a_command_is_understood_however_a_platform_writes_it(life: Life) -> None:
    for text in ("/memory@robin", "/MEMORY", "  /memory  ", "@Robin /memory"):
        assert "Mia" in await life.command(text)


async def test_what_makes_no_sense_does_nothing_and_is_explained(life: Life) -> None:
    nonsense = (
        "/forget -1",
        "/forget 1 2",
        "/forget ²",
        "/forget 1.5",
        "/memory why",
        "/memory why me",
        "/forget everything now",
        "/incognito on off",
    )
    for text in nonsense:
        assert await life.command(text) == HELP
    listed = await life.command("/memory")
    assert "Mia" in listed
    assert "nuts" in listed


async def test_a_very_long_message_is_quoted_in_part(life: Life) -> None:
    await life.say("I am allergic to cats. " + "miaow " * 2000)
    await life.learn()
    assert len(await life.command("/memory why 3")) < 700
