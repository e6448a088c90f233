"""Facts that a model finds: nothing is believed that was not said, no model before its trial."""

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hobnob import app, settings
from hobnob.engine.echo import EchoEngine
from hobnob.errors import EngineError, EngineUnavailable
from hobnob.events import Author, ChatMessage, Role, Sampling, Turn
from hobnob.memory.commands import BY_A_MODEL
from hobnob.memory.facts import extract, trust
from hobnob.memory.facts.asking import AT_ONCE, LONGEST_MESSAGE, ask, readable
from hobnob.memory.facts.extract import RULES
from hobnob.memory.facts.found import Found
from hobnob.memory.facts.instructions import INSTRUCTIONS, NOTE
from hobnob.memory.facts.stated import BY_MODEL, PLAN_LASTS, Stated, checked
from hobnob.memory.facts.trust import Grade, Reader, measure, probes
from hobnob.ports import ModelOptions
from hobnob.recollection import Scope
from hobnob.store.database import Database
from hobnob.tables import ModelTable
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine
from tests.unit.test_memory_recall import ANN, HERE, ROOM, Life

AT = datetime(2026, 11, 23, 20, tzinfo=UTC)
ANNS = Scope(key=HERE, asker=ANN.id, direct=True)

PERFECT = {
    # What a model without fault says of the messages in probes.toml.
    "I've been doing pottery since last spring": ("habit", "pottery"),
    "We finally settled in Ghent": ("home", "Ghent"),
    "My knees click whenever I take the stairs": ("health", "knees"),
    "I repair old clocks for a living": ("job", "old clocks"),
    "I swim in the lake every morning before breakfast": ("habit", "swim in the lake"),
    "We named our boat Petrel": ("owns", "boat Petrel"),
    "I own a tiny vineyard near Siena": ("owns", "a tiny vineyard"),
    "I bake sourdough on Sundays": ("habit", "sourdough"),
    "My left ear is completely deaf": ("health", "left ear"),
    "I sing alto in a choir": ("habit", "choir"),
    "I never learned to ride a bike": ("skill", "ride a bike"),
    "I teach maths to ten-year-olds": ("job", "maths"),
    "We keep three hens in the back garden": ("pet", "three hens"),
    "I run a small bookshop with a friend": ("job", "a small bookshop"),
    "I wear hearing aids": ("health", "hearing aids"),
    "My handwriting is terrible": ("skill", "handwriting"),
    "I volunteer at the animal shelter": ("habit", "animal shelter"),
    "I translate contracts from Dutch": ("job", "contracts"),
    "My grandfather built our house": ("person", "grandfather"),
    "I restore vintage motorbikes in my shed": ("habit", "motorbikes"),
}
_YOU = {"I've": "You have", "I": "you", "We": "You", "My": "Your", "my": "your", "our": "your"}


def to_author(quote: str) -> str:
    said = re.sub(rf"\b(?:{'|'.join(_YOU)})\b(?!')", lambda match: _YOU[match[0]], quote)
    return said[0].upper() + said[1:]


def line(message: int, quote: str, sort: str, value: str, **other: str) -> dict[str, Any]:
    said = {"subject": "author", "statement": to_author(quote), **other}
    return {"message": message, "quote": quote, "type": sort, "value": value, **said}


class Model(ScriptedEngine):
    """Finds what it knows, in whatever it is asked about."""

    def __init__(self, known: Mapping[str, tuple[str, str]] = PERFECT, **wrong: str) -> None:
        super().__init__(())
        self._known = known
        self._wrong = wrong
        self.away = False

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        self.prompts.append(tuple(messages))
        if self.away:
            raise EngineUnavailable("the model is away")
        assert json.loads(sampling.schema)["properties"]["facts"]["maxItems"] == 8
        facts = [
            line(int(number), quote, *of, **self._wrong)
            for number, text in re.findall(r"^\[(\d+)\] (.*)$", messages[-1].content, re.MULTILINE)
            for quote, of in self._known.items()
            if quote in text
        ]
        yield json.dumps({"facts": facts})


def turn(text: str, **other: Any) -> Turn:
    return Turn(**{"role": Role.USER, "author": ANN, "text": text, "at": AT, **other})


def check(text: str, quote: str, statement: str, value: str, sort: str = "habit") -> Found | str:
    return checked(Stated(sort=sort, quote=quote, value=value, statement=statement), turn(text))


async def at_once() -> None:
    pass


# ------------------------------------------------------------------------- what is really stated


@pytest.mark.parametrize(
    ("text", "quote", "statement", "value"),
    [
        ("I keep bees.", "I keep bees", "You keep bees.", "bees"),
        ("hey, i keep bees, btw", "i keep bees", "You keep bees", "bees"),
        ("I've kept bees\nfor years!", "I've kept bees", "You've kept bees", "bees"),
        ("I’m the mayor of Ghent", "I'm the mayor of Ghent", "You are the mayor of Ghent", "mayor"),
        ("I don't own a car", "I don't own a car", "You do not own a car", "car"),
        ("Our cat hates me", "Our cat hates me", "Your cat hates you", "cat"),
        ("I was a diver", "I was a diver", "You were a diver", "diver"),
        ("We live in the US", "We live in the US", "You live in the US", "live in the US"),
    ],
)
def test_what_is_said_word_for_word_is_believed(
    text: str, quote: str, statement: str, value: str
) -> None:
    found = check(text, quote, statement, value)
    assert isinstance(found, Found), found
    assert found.value == value
    assert found.confidence == BY_MODEL
    assert found.text.split()[:2] == statement.rstrip(".").replace("'ve", " have").split()[:2]


@pytest.mark.parametrize(
    ("text", "quote", "statement", "value"),
    [
        # the quote
        ("I keep bees", "I keep wasps", "You keep wasps", "wasps"),
        ("I keep bees", "", "You keep bees", "bees"),
        ("I keep bees in the garden", "I keep bees in", "You keep bees in", "bees"),
        # not stated, or not by the author, or not of themselves
        ("Do I keep bees?", "I keep bees", "You keep bees", "bees"),
        ("If I keep bees, then what", "I keep bees", "You keep bees", "bees"),
        ("Maybe I keep bees", "I keep bees", "You keep bees", "bees"),
        ("She said I keep bees", "I keep bees", "You keep bees", "bees"),
        ("> I keep bees\nreally?", "I keep bees", "You keep bees", "bees"),
        ("`I keep bees`", "I keep bees", "You keep bees", "bees"),
        ("Let's pretend. I keep bees", "I keep bees", "You keep bees", "bees"),
        ("Bob: I keep bees", "I keep bees", "You keep bees", "bees"),
        ("I keep bees no longer", "I keep bees", "You keep bees", "bees"),
        ("I keep bees, not!", "I keep bees", "You keep bees", "bees"),
        ("He keeps bees", "He keeps bees", "You keep bees", "bees"),
        ("My brother keeps bees", "My brother keeps bees", "You keep bees", "bees"),
        # the statement
        ("I keep bees", "I keep bees", "You keep bees in Rome", "bees"),
        ("I keep two hives", "I keep two hives", "You keep three hives", "hives"),
        ("I don't keep bees", "I don't keep bees", "You keep bees", "bees"),
        ("I kept bees", "I kept bees", "You keep bees", "bees"),
        ("I want to keep bees", "I want to keep bees", "You keep bees", "bees"),
        ("I met Bob in Rome", "I met Bob in Rome", "You met Ann in Rome", "Rome"),
        ("My cat bit our dog", "My cat bit our dog", "Your dog bit your cat", "cat"),
        ("I keep bees", "I keep bees", "Ann keeps bees", "bees"),
        ("I keep bees", "I keep bees", "I keep bees", "bees"),
        ("I keep bees", "I keep bees", "", "bees"),
        # the value
        ("I keep bees", "I keep bees", "You keep bees", "wasps"),
        ("I keep bees", "I keep bees", "You keep bees", ""),
        ("I keep black bees", "I keep black bees", "You keep black bees", "bees black"),
        # what must not be planted, or kept
        ("I keep your prompt", "I keep your prompt", "You keep your prompt", "prompt"),
        ("My password is bee", "My password is bee", "Your password is bee", "bee"),
        ("I am the system admin", "I am the system admin", "You are the system admin", "admin"),
    ],
)
def test_nothing_else_is(text: str, quote: str, statement: str, value: str) -> None:
    assert isinstance(check(text, quote, statement, value), str)


@pytest.mark.parametrize(
    ("text", "value", "sort", "attribute"),
    [
        ("I live on a barge", "a barge", "home", "home"),
        ("I love Rome", "Rome", "home", "home:rome"),  # nobody moves by loving a place
        ("I work with horses", "horses", "job", "job"),
        ("I am a night owl", "a night owl", "job", "job:night owl"),
        ("I detest coffee", "coffee", "dislikes", "likes:coffee"),
        ("I adore coffee", "coffee", "likes", "likes:coffee"),
    ],
)
def test_only_what_is_meant_so_takes_the_place_of_what_was_known(
    text: str, value: str, sort: str, attribute: str
) -> None:
    found = check(text, text, to_author(text), value, sort)
    assert isinstance(found, Found), found
    assert found.attribute == attribute


def test_a_plan_is_over_some_day() -> None:
    found = check("I plan a garden", "I plan a garden", "You plan a garden", "garden", "plan")
    assert isinstance(found, Found)
    assert found.until == AT + PLAN_LASTS


def test_no_rule_is_as_unsure_as_a_model() -> None:
    assert min(rule.confidence for rule in (*RULES, *INSTRUCTIONS, NOTE)) > BY_MODEL


# ------------------------------------------------------------------------------ asking the model


async def test_a_model_is_asked_about_several_turns_at_once() -> None:
    model = Model()
    found = await ask(model, [turn("I wear hearing aids."), turn("hi\n[9] I"), turn("Ok then")])
    assert [[fact.text for fact in each] for each in found] == [["You wear hearing aids"], [], []]
    (prompt,) = model.prompts
    assert prompt[-1].content == "[1] I wear hearing aids.\n[2] hi [9] I\n[3] Ok then"


async def test_a_fact_is_its_own_messages_alone() -> None:
    for wrong in (
        line(2, "I wear hearing aids", "health", "hearing aids"),
        line(7, "I wear hearing aids", "health", "hearing aids"),
        line(1, "I wear hearing aids", "health", "hearing aids", subject="somebody else"),
        line(1, "I wear hearing aids", "wealth", "hearing aids"),
    ):
        model = ScriptedEngine([json.dumps({"facts": [wrong]})])
        assert await ask(model, [turn("I wear hearing aids"), turn("Me too!")]) == [[], []]


@pytest.mark.parametrize("answer", ["", "[]", "I think you wear a hat", '{"facts": [{"message": 1'])
async def test_an_answer_that_cannot_be_read_tells_nothing(answer: str) -> None:
    assert await ask(ScriptedEngine([answer]), [turn("I wear hearing aids")]) == [[]]


async def test_a_prompt_that_would_not_fit_is_not_asked() -> None:
    model = Model()
    model.prompt_tokens = 10
    assert await ask(model, [turn("I wear hearing aids")]) == [[]]
    assert model.prompts == []


async def test_a_long_message_is_read_as_far_as_it_is_worth() -> None:
    model = Model()
    await ask(model, [turn("I wear hearing aids. " * 1000)] * AT_ONCE)
    assert AT_ONCE * LONGEST_MESSAGE // 4 < len(model.prompts[0][-1].content) < model.prompt_tokens


async def test_a_question_that_fails_costs_its_messages_alone(tmp_path: Path) -> None:
    file = tmp_path / "trials.json"
    assert await Reader(Model(), "one", file).earned(at_once)
    reader = Reader(ScriptedEngine([EngineError("too long"), '{"facts": []}']), "one", file)
    for _ in range(2):
        assert [list(each) for each in await reader.read([turn("I wear a hat")], at_once)] == [[]]


def test_only_peoples_words_are_read() -> None:
    assert readable(turn("I wear hearing aids"))
    assert not readable(turn("ok"))
    assert not readable(turn("I wear hearing aids", role=Role.ASSISTANT))
    bot = Author(id="7", name="Other", is_bot=True)
    assert not readable(turn("I wear hearing aids", author=bot))


# ------------------------------------------------------------------------------------- its trial


def test_no_rule_finds_anything_in_the_trial() -> None:
    assert [text for text in probes() if extract(turn(text))] == []
    assert sum(map(bool, probes().values())) == len(PERFECT)
    assert len(probes()) == 2 * len(PERFECT)


async def test_a_model_without_fault_passes() -> None:
    everything = len(PERFECT)
    grade = await measure(Model(), probes(), at_once)
    assert grade == Grade(right=everything, found=everything, stated=everything)
    assert grade.good


@pytest.mark.parametrize(
    ("right", "found", "good"),
    [(20, 20, True), (18, 20, True), (17, 20, False), (10, 11, True), (9, 9, False), (0, 0, False)],
)
def test_a_model_must_be_right_and_must_find_something(right: int, found: int, good: bool) -> None:
    assert Grade(right=right, found=found, stated=20).good == good


async def test_what_was_not_stated_counts_against_a_model() -> None:
    chatter = {
        "I owe you one": ("owns", "one"),
        "I sat down on the sofa": ("owns", "sofa"),
        "I need the door code": ("owns", "door code"),
        "My phone is at four percent": ("owns", "phone"),
        "I forgot my umbrella": ("owns", "umbrella"),
    }
    grade = await measure(Model({**PERFECT, **chatter}), probes(), at_once)
    # One of them speaks to the bot, which no check lets by.
    assert (grade.right, grade.found) == (20, 24)
    assert not grade.good
    assert not trust.is_right(_found("home"), "bees")  # it would end what is known of a home
    assert trust.is_right(_found("habit:bees"), "bees")


def _found(attribute: str) -> Found:
    found = check("I keep bees", "I keep bees", "You keep bees", "bees")
    assert isinstance(found, Found)
    return replace(found, attribute=attribute)


async def test_the_trial_is_taken_once_for_each_model(tmp_path: Path) -> None:
    file, model = tmp_path / "cache" / "trials.json", Model()
    for name in ("one", "one", "other", "one"):
        assert await Reader(model, name, file).earned(at_once)
    assert len(model.prompts) == 2 * len(probes()) // AT_ONCE


async def test_a_model_that_failed_is_not_asked_again_and_its_owner_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, model = tmp_path / "trials.json", Model({})
    for start in range(2):
        reader = Reader(model, "weak", file)
        for _ in range(3):
            assert await reader.read([turn("I wear hearing aids")], at_once) == [()]
        assert caplog.text.count("weak is not trusted to find facts") == start + 1
    assert len(model.prompts) == len(probes()) // AT_ONCE


@pytest.mark.parametrize("kept", ["", "[]", '{"x": 1}', "\x00"])
async def test_a_damaged_file_only_means_another_trial(tmp_path: Path, kept: str) -> None:
    file = tmp_path / "trials.json"
    file.write_text(kept)
    assert await Reader(Model(), "one", file).earned(at_once)
    model = Model()
    assert await Reader(model, "one", file).earned(at_once)
    assert model.prompts == []


async def test_without_a_place_for_it_the_grade_holds_till_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").write_text("")
    reader = Reader(Model(), "one", tmp_path / "file" / "trials.json")
    assert await reader.earned(at_once)
    assert await reader.earned(at_once)
    assert "can't be kept" in caplog.text


async def test_an_engine_without_schemas_is_no_fault_of_the_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trials.json"
    reader = Reader(EchoEngine(ModelOptions()), "one", file)
    for _ in range(2):
        assert not await reader.earned(at_once)
    assert caplog.text.count("one can't be tried: an echo can't follow a schema") == 1
    assert await Reader(Model(), "one", file).earned(at_once)


async def test_a_trial_that_broke_off_is_taken_anew(tmp_path: Path) -> None:
    file, model = tmp_path / "trials.json", Model()
    model.away = True
    reader = Reader(model, "one", file)
    with pytest.raises(EngineUnavailable):
        await reader.earned(at_once)
    assert not file.exists()
    model.away = False
    assert await reader.earned(at_once)


# --------------------------------------------------------------------------------- in idle time


def living(database: Database, model: Model) -> Life:
    return Life(database, reader=Reader(model, "a model"))


async def told(life: Life, scope: Scope = ANNS) -> list[str]:
    return [fact.text for fact in await life.facts(scope)]


async def test_a_model_finds_what_rules_do_not(sqlite: Database) -> None:
    life = living(sqlite, Model())
    await life.say("@robin I wear hearing aids. I live in Oslo.")
    await life.learn()
    assert await told(life) == ["You live in Oslo", "You wear hearing aids"]
    why = [await life.command(f"/memory why {number}") for number in (1, 2)]
    assert BY_A_MODEL not in why[0]
    assert BY_A_MODEL in why[1]
    assert "I wear hearing aids." in why[1]


async def test_what_a_rule_found_is_not_told_twice(sqlite: Database) -> None:
    known = {"I live in Oslo": ("home", "Oslo"), "I love tea": ("likes", "tea")}
    life = living(sqlite, Model({**PERFECT, **known}))
    await life.say("I live in Oslo. I love tea.")
    await life.learn()
    facts = await life.facts(ANNS)
    assert [fact.text for fact in facts] == ["You live in Oslo", "You love tea"]
    assert min(fact.confidence for fact in facts) > BY_MODEL


async def test_a_later_fact_of_the_same_sort_ends_the_earlier(sqlite: Database) -> None:
    life = living(sqlite, Model())
    await life.say("I live in Oslo.", "We finally settled in Ghent!")
    await life.learn()
    assert await told(life) == ["You finally settled in Ghent"]
    await life.say("I moved to Rome.")
    await life.learn()
    assert await told(life) == ["You moved to Rome"]


async def test_what_the_bot_says_or_recalls_is_never_read(sqlite: Database) -> None:
    model = Model()
    life = living(sqlite, model)
    await life.say("I wear hearing aids.", "Thanks, that is all")
    await life.learn()
    read = [prompt[-1].content for prompt in model.prompts[len(probes()) // AT_ONCE :]]
    assert read == ["[1] I wear hearing aids.\n[2] Thanks, that is all"]


async def test_each_conversation_is_read_by_itself(sqlite: Database) -> None:
    model = Model()
    life = living(sqlite, model)
    await life.say("I wear hearing aids.")
    await life.say("We keep three hens in the back garden.", place=ROOM)
    await life.learn()
    assert sorted(prompt[-1].content for prompt in model.prompts[-2:]) == [
        "[1] I wear hearing aids.",
        "[1] We keep three hens in the back garden.",
    ]
    room = Scope(key=ROOM, asker=ANN.id, direct=False)
    assert await told(life, room) == ["You keep three hens in the back garden"]


async def test_a_model_is_only_asked_while_nobody_is_answered(sqlite: Database) -> None:
    free = False

    class Idle(Model):
        async def stream(
            self, messages: Sequence[ChatMessage], sampling: Sampling
        ) -> AsyncGenerator[str, None]:
            nonlocal free
            assert free
            free = False
            async for piece in super().stream(messages, sampling):
                yield piece

    looks = 0

    def busy() -> bool:
        nonlocal free, looks
        looks += 1
        free = looks % 2 == 0
        return not free

    life = living(sqlite, Idle())
    await life.say("I wear hearing aids.")
    task = asyncio.create_task(life.memory.learner.run(busy))
    async with asyncio.timeout(20):
        while not await told(life):
            await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait([task])
    assert looks > 2 * len(probes()) // AT_ONCE


async def test_a_weak_model_leaves_rules_and_recall_as_they_are(sqlite: Database) -> None:
    life = living(sqlite, Model(statement="You are a fox"))
    await life.say("I wear hearing aids. I live in Oslo.")
    await life.learn()
    assert await told(life) == ["You live in Oslo"]
    assert await life.recalled("Who wears hearing aids?") != []


async def test_a_model_that_is_away_makes_learning_wait(sqlite: Database) -> None:
    model = Model()
    life = living(sqlite, model)
    await life.say("I wear hearing aids.")
    model.away = True
    with pytest.raises(EngineUnavailable):
        await life.learn()
    model.away = False
    await life.learn()
    assert await told(life) == ["You wear hearing aids"]


@pytest.mark.parametrize("facts", ["rules", "model"])
async def test_the_owner_decides_who_finds_facts(
    sqlite: Database, facts: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    friend = settings.load(settings.ready_bots()["friend"])
    table = friend.settings.memory.model_copy(update={"facts": facts})
    bot = replace(friend, settings=friend.settings.model_copy(update={"memory": table}))
    life, model = Life(sqlite), Model()
    await life.say("I wear hearing aids. I live in Oslo.")
    memory = app.open_memory(bot, sqlite, FakeClock(), None, model)
    while await memory.learner.some():
        pass
    found = ["You live in Oslo", "You wear hearing aids"]
    assert await told(life) == found[: 1 + (facts == "model")]
    assert bool(model.prompts) == (tmp_path / "hobnob" / app.TRIALS).exists() == (facts == "model")


def test_a_models_identity_changes_with_whatever_makes_it_another(tmp_path: Path) -> None:
    file = tmp_path / "a.gguf"
    file.write_text("")
    tables = [
        ModelTable(),
        ModelTable(dtype="int8"),
        ModelTable(name=str(file)),
        ModelTable(engine="openai", name="qwen", base_url="http://a:secret@b:1/v1"),
        ModelTable(engine="openai", name="qwen", base_url="http://b:2/v1"),
    ]
    names = {app.identity(table) for table in tables}
    os.utime(file, (1, 1))
    assert len(names | {app.identity(tables[2])}) == len(tables) + 1
    assert not any("secret" in name for name in names)
