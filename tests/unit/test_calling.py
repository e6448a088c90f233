"""A model that calls tools: skills are run for it, and people are asked before anything changes."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hobnob import calling, settings
from hobnob.calling import MOST_ROUNDS, NO_ANSWER, Calling
from hobnob.events import Author, ChatMessage, Event, Kind, Sampling, Speaker, Tool, ToolCall
from hobnob.jobs import Called, Job, Jobs
from hobnob.ports import Limits
from hobnob.skills import asking
from hobnob.store.database import Database
from hobnob.tables import ToolsTable
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.engine import ScriptedEngine
from hobnob.testing.stage import Stage

SHOP = '''
from typing import Annotated, Literal

from pydantic import Field

from hobnob.skills.skill import Context, writes

ORDERS = []


def price(what: Literal["cake", "coffee"], number: Annotated[int, Field(ge=1)] = 1) -> str:
    """What it costs.

    Only in our shop."""
    return f"{number} × {what}: {3 * number} €"


def clock(where: Context) -> str:
    """What zone it is."""
    return where.zone


def breaks(text: str) -> str:
    """Breaks."""
    raise RuntimeError(f"cannot do {text}")


def long() -> str:
    """Says much."""
    return "much " * 5000


@writes
def order(what: str, number: int = 1) -> str:
    """Orders it"""
    ORDERS.append((what, number))
    if what == "bomb":
        raise KeyboardInterrupt
    return f"{number} × {what} is ordered."
'''


def call(name: str, arguments: str | None = None, **given: Any) -> ToolCall:
    return ToolCall(id="c1", name=name, arguments=arguments or json.dumps(given))


Script = Sequence[str | Exception | Sequence[str | ToolCall]]


class Cafe:
    """A bot with skills, and a model that does what is written."""

    def __init__(self, stage: Stage, engine: ScriptedEngine, orders: list[tuple[str, int]]) -> None:
        self.stage = stage
        self.engine = engine
        self.orders = orders

    async def hear(self, text: str, **changes: Any) -> str:
        self.stage.clock.advance(1)
        return await self.stage.hear(self.stage.platform.event(text, **changes)) or ""

    @property
    def told(self) -> str:
        """What the model was told last of a tool."""
        message = self.engine.prompts[-1][-1]
        assert message.role is Speaker.TOOL
        return message.content


@asynccontextmanager
async def cafe(
    folder: Path, script: Script, *, calls_tools: bool = True, context: int = 20_000
) -> AsyncIterator[Cafe]:
    import sys

    (folder / "shop.py").write_text(SHOP)
    names = ("price", "clock", "breaks", "long", "order")
    tools = ToolsTable(skills=tuple(f"shop:{name}" for name in names))
    bot = settings.load(settings.find("friend"))
    engage = bot.settings.engage.model_copy(update={"disclose": False})
    table = bot.settings.model_copy(update={"tools": tools, "engage": engage})
    bot = replace(bot, folder=folder, settings=table)
    engine = ScriptedEngine(script, calls_tools=calls_tools, context_tokens=context)
    async with Stage(bot, engine) as stage:
        yield Cafe(stage, engine, sys.modules["hobnob_bot_shop"].ORDERS)


async def test_a_skill_is_called_and_only_the_answer_is_seen(tmp_path: Path) -> None:
    script: Script = [["Let me see.", call("price", what="cake", number=2)], "That is 6 €."]
    async with cafe(tmp_path, script) as shop:
        assert await shop.hear("What are two cakes?") == "Let me see.\n\nThat is 6 €."
        assert "2 × cake: 6 €" in shop.told
        assert "nobody here said" in shop.told
        before, ours, _ = shop.engine.prompts[-1][-3:]
        assert before.content.endswith("What are two cakes?")
        assert ours.calls == (call("price", what="cake", number=2),)
        price = shop.engine.offered[0][0]
        assert price.description == "What it costs.\n\nOnly in our shop."
        assert json.loads(price.parameters)["additionalProperties"] is False
        assert not any("price" in draft for draft in shop.stage.platform.drafts)


async def test_a_model_without_tools_is_offered_none(tmp_path: Path) -> None:
    async with cafe(tmp_path, ["Hello."], calls_tools=False) as shop:
        assert await shop.hear("What is a cake?") == "Hello."
        assert shop.engine.offered == [()]
        assert await shop.hear("/price cake") == "1 × cake: 3 €"


WRONG = [
    (call("price", what="tea"), "Wrong arguments. what: Input should be 'cake' or 'coffee'"),
    (
        call("price", what="cake", number=0),
        "number: Input should be greater than or equal to 1",
    ),
    (call("price", what="cake", size=1), "size: Extra inputs are not permitted"),
    (call("price"), "what: Field required"),
    (call("price", arguments="cake"), "That was no call"),
    (call("price", arguments='["cake"]'), "That was no call"),
    (call("price", arguments=json.dumps({"what": "x" * 3000})), "That was no call"),
    (call("steal"), "There is no such tool."),
    (call("breaks", text="it"), "Something went wrong in /breaks"),
    (call("order"), "what: Field required"),
]


async def test_the_model_is_told_what_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    script = [part for called, _ in WRONG for part in ([called], "I see.")]
    async with cafe(tmp_path, script) as shop:
        for _, told in WRONG:
            assert await shop.hear("What is a cake?") == "I see."
            assert told in shop.told
            json.loads(shop.engine.prompts[-1][-2].calls[0].arguments)  # servers insist on it
    assert "/breaks failed: RuntimeError at shop.py:" in caplog.text
    assert "cannot do it" not in caplog.text


async def test_a_model_that_never_stops_calling_is_stopped(tmp_path: Path) -> None:
    again: Script = [[call("price", what="cake")]] * 9
    async with cafe(tmp_path, again) as shop:
        assert await shop.hear("What is a cake?") == NO_ANSWER
        assert len(shop.engine.prompts) == MOST_ROUNDS + 1
        assert shop.told.endswith(calling.ENOUGH)


async def test_a_long_result_is_cut_to_the_room_that_there_is(tmp_path: Path) -> None:
    async with cafe(tmp_path, [[call("long")], "Much."], context=6000) as shop:
        assert await shop.hear("Say much.") == "Much."
        assert 100 < len(shop.told) < 5000


async def test_thinking_is_shown_neither_before_nor_behind_a_call(tmp_path: Path) -> None:
    script: Script = [
        ["<think>A cake?</think>", call("price", what="cake")],
        "<think>3.</think>3 €.",
    ]
    async with cafe(tmp_path, script) as shop:
        assert await shop.hear("What is a cake?") == "3 €."
        assert shop.engine.prompts[-1][-2].content == ""


async def test_a_skill_is_run_by_the_clock_of_whoever_asks(tmp_path: Path) -> None:
    async with cafe(tmp_path, ["ok"]) as shop:
        assert await shop.hear("/clock") == "UTC"
    assistant = settings.load(settings.find("assistant"))
    async with Stage(assistant, ScriptedEngine(())) as stage:
        assert "12:00" in (await stage.hear(stage.platform.event("/time")) or "")
        await stage.hear(stage.platform.event("/timezone Tokyo"))
        assert "21:00" in (await stage.hear(stage.platform.event("/time")) or "")


class TestWhatChangesSomething:
    CALL = call("order", what="cake", number=2)

    async def asked(self, shop: Cafe) -> str:
        """The code of the question that comes of asking for a cake."""
        said = await shop.hear("Order two cakes!")
        assert "Shall I do this? Orders it (order)" in said
        assert '"what": "cake",\n "number": 2' in said
        assert shop.orders == []
        return said.partition("/yes ")[2].partition(" ")[0]

    async def test_is_asked_first_and_done_once(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, [["Gladly.", self.CALL], "ok"]) as shop:
            code = await self.asked(shop)
            assert await shop.hear(f"/yes {code}") == "2 × cake is ordered."
            assert shop.orders == [("cake", 2)]
            assert (
                await shop.hear(f"/yes {code}") == "There is nothing that waits for your yes or "
                "no here. Ask me again."
            )
            assert shop.orders == [("cake", 2)]
            await shop.hear("And now?")
            assert "2 × cake is ordered." in shop.stage.prompt

    @pytest.mark.parametrize("word", ["yes", "Yes, please!", "OK", "ja", "/yes"])
    async def test_may_be_agreed_to_in_words(self, tmp_path: Path, word: str) -> None:
        async with cafe(tmp_path, [[self.CALL]]) as shop:
            await self.asked(shop)
            assert await shop.hear(word) == "2 × cake is ordered."

    async def test_has_its_buttons_where_the_answer_grew(self, tmp_path: Path) -> None:
        looks = call("price", what="cake")  # in a thread: meanwhile it is shown
        async with cafe(tmp_path, [["Gladly. " * 20, looks], [self.CALL]]) as shop:
            platform = shop.stage.platform
            platform.limits = Limits(max_length=2000, edit_seconds=0.5, buttons=True)
            await shop.hear("Order two cakes!")
            assert 0.5 in shop.stage.clock.slept  # between two changes of what is shown
            (shown,) = platform.shown.values()
            assert shown.text.startswith("Gladly. Gladly.")
            assert '"number": 2' in shown.text
            assert "/yes" not in shown.text
            yes, no = shown.buttons
            assert (yes.label, no.label) == ("Yes", "No")
            assert await shop.hear(yes.command, kind=Kind.COMMAND) == "2 × cake is ordered."

    async def test_is_not_done_after_a_no(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, [[self.CALL], "ok"]) as shop:
            code = await self.asked(shop)
            assert await shop.hear("no") == "All right, I won't."
            assert "nothing that waits" in await shop.hear(f"/yes {code}")
            assert shop.orders == []

    async def test_is_nobody_elses_to_agree_to(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, [[self.CALL], "ok"]) as shop:
            code = await self.asked(shop)
            bob = Author(id="bob", name="Bob")
            assert "nothing that waits" in await shop.hear(f"/yes {code}", author=bob)
            key = replace(shop.stage.platform.event("").key, room="another")
            assert "nothing that waits" in await shop.hear(f"/yes {code}", key=key)
            assert shop.orders == []

    async def test_is_over_after_an_hour(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, [[self.CALL], "ok"]) as shop:
            code = await self.asked(shop)
            shop.stage.clock.advance(3600)
            assert "nothing that waits" in await shop.hear(f"/yes {code}")
            assert await shop.hear("yes") == "ok"

    async def test_a_yes_to_something_else_is_none(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, [[self.CALL], "Do you like it here?", "Good!"]) as shop:
            code = await self.asked(shop)
            await shop.hear("What else is there?")
            assert await shop.hear("yes") == "Good!"
            assert await shop.hear(f"/yes {code}") == "2 × cake is ordered."

    async def test_two_questions_take_two_answers(self, tmp_path: Path) -> None:
        other = call("order", what="tea")
        async with cafe(tmp_path, [[self.CALL, other], "Which?"]) as shop:
            said = await shop.hear("Order two cakes and a tea!")
            cake, tea = [part.partition(" ")[0] for part in said.split("/yes ")[1:]]
            assert (
                await shop.hear("/yes") == "I asked more than one thing. Press its button, or "
                "write the command that stands there."
            )
            assert await shop.hear(f"/yes {tea}") == "1 × tea is ordered."
            assert await shop.hear(f"/yes {cake}") == "2 × cake is ordered."

    async def test_by_command_is_nobodys_question(self, tmp_path: Path) -> None:
        async with cafe(tmp_path, []) as shop:
            assert await shop.hear("/order cake 2") == "2 × cake is ordered."

    async def test_with_arguments_nobody_would_read_is_not_asked(self, tmp_path: Path) -> None:
        much = call("order", what="cake " * 350)
        async with cafe(tmp_path, [[much], "Never mind."]) as shop:
            assert await shop.hear("Order!") == "Never mind."
            assert "too long" in shop.told

    @pytest.mark.parametrize("by", ["/order bomb", "yes"])
    async def test_is_not_done_again_after_a_crash(self, tmp_path: Path, by: str) -> None:
        """The skill takes the whole program with it."""
        async with cafe(tmp_path, [[call("order", what="bomb")]]) as shop:
            if by == "yes":
                await shop.hear("Order a bomb!")
            # What dies in the middle: the first part of `take` alone.
            shop.stage.clock.advance(1)
            event = shop.stage.platform.event(by)
            await interrupted(shop, event)
            assert "can't tell whether it was done" in (await shop.stage.hear(event) or "")
            assert shop.orders == []


async def interrupted(shop: Cafe, event: Event) -> None:
    """What is left of a program that was killed when it had begun what `event` wants."""
    from hobnob.store.asked import SqlAsked

    database: Database = shop.stage.database
    store = SqlAsked(database)
    (one,) = await store.of(event) or [asking.commanded("order", event, shop.stage.clock.now())]
    assert await store.begin(event, one)


class TestAQuestion:
    def test_shows_what_could_be_hidden(self) -> None:
        said = asking.question("pay", "Pays", {"to": "Ann\u202e\u200b\x85```\n> Bob", "sum": 1.5})
        assert said == (
            'Shall I do this? Pays (pay)\n```\n{\n "to": "Ann\\u202e\\u200b\\u0085```\\n> Bob",\n'
            ' "sum": 1.5\n}\n```'
        )

    def test_fits_its_buttons(self) -> None:
        codes = {asking.asked("x", {}, FakeAdapter().event("").at).code for _ in range(100)}
        assert len(codes) == 100
        for button in asking.buttons(codes.pop()):
            assert len(button.command) <= 60


class Counting(Job):
    """Has more tools than a prompt takes."""

    async def tools(self, events: Sequence[Event]) -> Sequence[Tool]:
        about = "x" * 300
        return [Tool(name=f"t{n}", description=about, parameters="{}") for n in range(9)]

    async def call(self, events: Sequence[Event], call: ToolCall) -> Called | None:
        await asyncio.sleep(0)
        return Called(told="So it is.") if call.name == "t1" else None


async def test_only_so_many_tools_are_offered_as_a_prompt_takes() -> None:
    engine = ScriptedEngine([[call("t1"), call("none")], "ok"], calls_tools=True)
    jobs, event = Jobs([Counting()]), FakeAdapter().event("Hello")
    tools = await jobs.tools([event])
    offered = calling.offer(engine, tools, 8000)
    assert [tool.name for tool in offered] == ["t0", "t1", "t2", "t3", "t4", "t5", "t6"]
    model = Calling(engine, jobs, [event], offered)
    assert 8000 // 4 < model.left(8000) < 8000 - 8000 // 4 - 7 * 300
    assert Calling(engine, jobs, [event], ()).left(8000) == 8000
    prompt = [ChatMessage(role=Speaker.USER, content="Hello")]
    assert "".join([piece async for piece in model.stream(prompt, Sampling())]) == "ok"
    results = [row.content for row in engine.prompts[-1] if row.role is Speaker.TOOL]
    assert results == ["So it is.", "There is no such tool."]
