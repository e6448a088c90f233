"""What every adapter promises, each over its own client library and a platform that misbehaves.

The chat, the database and the clock are real; the model says what the scenario needs.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from hobnob import notices
from hobnob.memory.commands import NOTHING
from hobnob.store.database import Database
from hobnob.store.schema import reaction
from hobnob.testing.live import until
from tests.contract.world import Place, World
from tests.contract.worlds import PATIENCE, WORLDS, Town, everywhere, over


@pytest.fixture
async def town(world: World, sqlite: Database, tmp_path: Path) -> AsyncIterator[Town]:
    yield Town(world=world, database=sqlite, folder=tmp_path)
    assert list(world.complaints()) == []


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with WORLDS[request.param]() as entered:
        yield entered


# ------------------------------------------------------------------------------------- talking


@everywhere()
async def test_who_speaks_to_us_is_answered_there_and_nowhere_else(
    town: Town, place: Place
) -> None:
    async with town.living("Hi Ann!"):
        await town.world.say("hello", place=place)
        await town.said("Hi Ann!", place=place)
    for other in town.world.places - {place}:
        assert town.texts(other) == []


@over(place=Place.ROOM)
async def test_what_is_not_said_to_us_is_not_answered(town: Town) -> None:
    async with town.living("At one.") as engine:
        await town.world.say("lunch?", place=Place.ROOM, to_us=False)
        await town.world.say("when do you eat?", place=Place.ROOM)
        await town.said("At one.", place=Place.ROOM)
    assert "when do you eat?" in engine.prompts[0][-1].content


@over("online")
async def test_two_people_have_a_conversation_each(town: Town) -> None:
    async with town.living("Hi!", "Hi!") as engine:
        await town.world.say("I am Ann.", by="ann")
        await town.world.say("I am Ben.", by="ben")
        await town.said("Hi!", by="ann")
        await town.said("Hi!", by="ben")
    assert all(len(prompt) == 2 for prompt in engine.prompts)


@over("reply", place=Place.ROOM)
async def test_an_answer_shows_what_it_answers_and_a_reply_to_it_needs_no_mention(
    town: Town,
) -> None:
    async with town.living("Robin.", "I am.") as engine:
        asked = await town.world.say("who are you?", place=Place.ROOM)
        (ours,) = await town.said("Robin.", place=Place.ROOM)
        assert ours.reply_to == asked
        again = await town.world.say("really?", place=Place.ROOM, to_us=False, reply_to=ours.id)
        _, second = await town.said("Robin.", "I am.", place=Place.ROOM)
        assert second.reply_to == again
    assert "really?" in engine.prompts[1][-1].content


@over()
async def test_messages_in_a_row_are_answered_in_order(town: Town) -> None:
    numbers = [str(number) for number in range(5)]
    async with town.living(*(f"answer {number}" for number in numbers)) as engine:
        for number in numbers:
            await town.world.say(f"message {number}")
        await town.said(*(f"answer {number}" for number in numbers))
    assert [prompt[-1].content for prompt in engine.prompts] == [f"message {n}" for n in numbers]


@over("online")
async def test_a_burst_is_answered_once(town: Town) -> None:
    async with town.living("I'm here.", burst=1.2) as engine:
        for text in ("hey", "are you", "there?"):
            await town.world.say(text)
        await town.said("I'm here.")
    assert engine.prompts[0][-1].content == "hey\nare you\nthere?"


@over("attach")
async def test_a_picture_is_described_to_a_model_that_does_not_see(town: Town) -> None:
    async with town.living("Nice bike.") as engine:
        await town.world.say("look", picture="a red bicycle")
        await town.said("Nice bike.")
    assert "a red bicycle" in engine.prompts[0][-1].content
    assert not engine.prompts[0][-1].images


@over("command")
async def test_commands_are_answered_without_a_model(town: Town) -> None:
    async with town.living() as engine:
        await town.world.command("/help")
        await until(lambda: "/forget" in "".join(town.texts()), town.texts)
        await town.world.command("/privacy")
        await until(lambda: "/forget everything deletes" in "".join(town.texts()), town.texts)
    assert "Hello, I am Robin, an AI." in town.texts()[0]
    assert engine.prompts == []


@over("command", place=Place.ROOM)
async def test_what_is_for_one_alone_is_not_seen_in_the_room(town: Town) -> None:
    async with town.living():
        await town.world.say("/memory", place=Place.ROOM)
        await until(lambda: town.texts() == [NOTHING], town.texts)
    assert town.texts(Place.ROOM) == []


@over("command", "edit", place=Place.ROOM)
async def test_what_is_for_one_alone_takes_the_place_of_nothing_that_all_see(town: Town) -> None:
    async with town.living("Hi!"):
        message = await town.world.say("hello", place=Place.ROOM)
        await town.said("Hi!", place=Place.ROOM)
        await town.world.edit(message, "/memory")
        await town.said(place=Place.ROOM)
        await until(lambda: town.texts() == [NOTHING], town.texts)
    assert town.texts(Place.ROOM) == []


@over("command", "shut", place=Place.ROOM)
async def test_who_takes_nothing_in_private_is_told_so_in_the_room_and_nothing_else(
    town: Town,
) -> None:
    async with town.living("Hi!"):
        await town.world.shut("ann")
        await town.world.say("/memory", place=Place.ROOM)
        await until(lambda: town.texts(Place.ROOM), lambda: town.texts(Place.ROOM))
        await town.world.say("hello", place=Place.ROOM)
        await until(lambda: len(town.texts(Place.ROOM)) == 2, lambda: town.texts(Place.ROOM))
    assert town.texts(Place.ROOM)[0].startswith(notices.for_one("").rstrip())
    assert town.texts(Place.ROOM)[1] == "Hi!"
    assert town.texts() == []


@everywhere("react")
async def test_a_reaction_to_us_is_kept(town: Town, place: Place) -> None:
    async def kept() -> list[tuple[str, str]]:
        query = sa.select(reaction.c.message, reaction.c.emoji)
        return await town.database.read(
            lambda connection: [(row.message, row.emoji) for row in connection.execute(query)]
        )

    async with town.living("Hi!"):
        await town.world.say("hello", place=place)
        (ours,) = await town.said("Hi!", place=place)
        await town.world.react(ours.id, "👍")
        async with asyncio.timeout(PATIENCE):
            while await kept() != [(ours.id, "👍")]:
                await asyncio.sleep(0.01)


# ---------------------------------------------------------------------------- edits, deletions


@over("edit")
async def test_an_edit_begins_the_answer_again(town: Town) -> None:
    hold = asyncio.Event()
    async with town.living("All about cats.", "All about dogs.", hold=hold) as engine:
        message = await town.world.say("tell me of cats")
        await until(lambda: len(engine.prompts) == 1)
        await town.world.edit(message, "tell me of dogs")
        await until(lambda: len(engine.prompts) == 2)
        hold.set()
        await town.said("All about dogs.")
    assert engine.prompts[1][-1].content == "tell me of dogs"


@over("edit")
async def test_a_sent_answer_to_an_edited_message_is_written_anew_in_its_place(town: Town) -> None:
    async with town.living("All about cats.", "All about dogs."):
        message = await town.world.say("tell me of cats")
        (before,) = await town.said("All about cats.")
        await town.world.edit(message, "tell me of dogs")
        (after,) = await town.said("All about dogs.")
    assert after.id == before.id


@over("delete")
async def test_a_deletion_cancels_the_answer(town: Town) -> None:
    hold = asyncio.Event()
    async with town.living("Never to be seen.", "Here.", hold=hold) as engine:
        message = await town.world.say("forget that I said this")
        await until(lambda: len(engine.prompts) == 1)
        await town.world.delete(message)
        await until(lambda: engine.closed == 1)
        hold.set()
        await town.world.say("are you there?")
        await town.said("Here.")


@over("delete")
async def test_a_sent_answer_to_a_deleted_message_is_deleted(town: Town) -> None:
    async with town.living("Hi!"):
        message = await town.world.say("hello")
        await town.said("Hi!")
        await town.world.delete(message)
        await town.said()


# -------------------------------------------------------------------------------- what is shown


@everywhere()
async def test_a_long_answer_comes_whole_and_in_order(town: Town, place: Place) -> None:
    story = " ".join(f"This is sentence {number} of the story." for number in range(400))
    async with town.living():
        longest = town.world.adapter.limits.max_length
    whole = story[: story.rindex(".", 0, longest * 5 // 2) + 1]
    async with town.living(whole):
        await town.world.say("tell me a story", place=place)
        await until(lambda: " ".join(town.texts(place)) == whole, lambda: town.texts(place))
    assert len(town.texts(place)) > len(whole) // longest


MARKDOWN = """\
# The heading

A **bold** and an *italic* and a ~~struck~~ word,
`inline_code(1 < 2)` and [a link](https://example.org/page_a_b).

- first point
- second point with **bold** inside
  - a point below

1. number one
2. number two

> quoted words

```python
def snake_case(a_b):
    return a_b * 2 if a_b < 3 & a_b > 1 else "<b>"
```

| name | age |
|------|-----|
| Ann  | 41  |

||hidden words|| 3 * 4 * 5 = 60, snake_case_name, 1. a_b_c, AT&T, <3, C:\\temp, last."""
SAID = """heading bold italic struck inline_code(1 < 2) link first second bold inside below
number one number two quoted snake_case(a_b): a_b * 2 a_b < 3 & a_b > 1 "<b>" name age Ann 41
hidden 3 * 4 * 5 snake_case_name 1. a_b_c AT&T <3 C:\\temp last"""


@everywhere()
async def test_all_that_markdown_says_is_seen(town: Town, place: Place) -> None:
    async with town.living(MARKDOWN):
        await town.world.say("show me everything", place=place)
        await until(lambda: "last" in " ".join(town.texts(place)), lambda: town.texts(place))
        shown, at = " ".join(" ".join(town.texts(place)).split()), 0
    for word in SAID.split():
        found = shown.find(word, at)
        assert found >= 0, f"{word!r} is not in {shown[at:]!r}"
        at = found + len(word)


@everywhere("grow")
async def test_an_answer_is_seen_while_it_grows_and_is_one_message_at_the_end(
    town: Town, place: Place
) -> None:
    hold = asyncio.Event()
    whole = "Once upon a time there was a bot."
    async with town.living(whole, hold=hold):
        await town.world.say("tell me a story", place=place)
        await until(lambda: town.texts(place) == [whole[:8].strip()], lambda: town.texts(place))
        hold.set()
        await town.said(whole, place=place)


# ------------------------------------------------------------------------------------- trouble


@over("online")
async def test_a_message_that_is_told_twice_is_answered_once(town: Town) -> None:
    async with town.living("one", "two") as engine:
        await town.world.say("first")
        await town.world.tell_again()
        await town.said("one")
        await town.world.tell_again()
        await town.world.say("second")
        await town.said("one", "two")
    assert [prompt[-1].content for prompt in engine.prompts] == ["first", "second"]


@everywhere("online")
async def test_what_is_said_while_the_connection_is_cut_is_answered_once_and_in_order(
    town: Town, place: Place
) -> None:
    async with town.living("zero", "one", "two", "three"):
        await town.world.say("before", place=place)
        await town.said("zero", place=place)
        await town.world.cut()
        await town.world.say("first", place=place)
        await town.world.say("second", place=place)
        await town.said("zero", "one", "two", place=place)
        await town.world.say("third", place=place)
        await town.said("zero", "one", "two", "three", place=place)


@everywhere("online")
async def test_what_is_said_while_the_bot_is_off_is_answered_at_its_next_start(
    town: Town, place: Place
) -> None:
    async with town.living("zero"):
        await town.world.say("before", place=place)
        await town.said("zero", place=place)
    await town.world.say("first", place=place)
    await town.world.say("second", place=place)
    async with town.living("one", "two"):
        await town.said("zero", "one", "two", place=place)
    async with town.living("three") as engine:
        await town.world.say("third", place=place)
        await town.said("zero", "one", "two", "three", place=place)
    assert len(engine.prompts) == 1


@over("online")
async def test_what_a_stop_leaves_unanswered_is_answered_by_the_next_start(town: Town) -> None:
    async with town.living("Cut off in the middle.", hold=asyncio.Event()) as engine:
        await town.world.say("first")
        await until(lambda: len(engine.prompts) == 1)
        await town.world.say("second")
    async with town.living("one", "two") as engine:
        await town.said("one", "two")
    assert [prompt[-1].content for prompt in engine.prompts] == ["first", "second"]


@over("online")
async def test_a_limit_is_waited_for_and_nothing_is_sent_too_early(town: Town) -> None:
    async with town.living("zero", "one", "two"):
        await town.world.say("before")
        await town.said("zero")
        await town.world.limit(1.0)
        await town.world.say("first")
        await town.world.say("second")
        await town.said("zero", "one", "two")
