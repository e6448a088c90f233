"""Skills: functions by command, and in words where nothing else can be meant."""

import asyncio
import contextlib
import logging
import operator
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from hobnob import doctor, employ, settings
from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError, MissingExtra, SkillRefused
from hobnob.events import Addressed, Event, Kind
from hobnob.jobs import Deed
from hobnob.policy import Action, Decision
from hobnob.settings import Bot
from hobnob.skills import words
from hobnob.skills.calculate import LONGEST, calculate, value
from hobnob.skills.dice import roll
from hobnob.skills.doing import Runner
from hobnob.skills.job import Skills
from hobnob.skills.skill import Context, Skill
from hobnob.skills.time_of_day import time
from hobnob.skills.units import UNITS, convert, converted
from hobnob.store.asked import SqlAsked
from hobnob.store.database import Database
from hobnob.tables import McpTable, ToolsTable
from hobnob.testing.adapter import FakeAdapter
from hobnob.testing.clock import FakeClock
from hobnob.testing.stage import Stage

NOW = datetime(2026, 1, 1, 12, 5, tzinfo=UTC)
CONTEXT = Context(now=NOW, zone="Europe/Berlin", chance=Random(1))
ANSWER = Decision(action=Action.ANSWER, reason="a direct message")


def tool(
    count: int, mood: Literal["glad", "sad"], loud: bool = False, text: str = "nothing"
) -> str:
    """Says a text so many times. More is told here."""
    return f"{count} {mood} {loud} {text}"


async def later(of: Annotated[float, Field(ge=0)] = 1.5) -> str:
    """Comes later."""
    await asyncio.sleep(0)
    return f"{of}"


class TestAFunction:
    def test_becomes_a_command(self) -> None:
        skill = Skill.of(tool, "here")
        assert skill.command.name == "tool"
        assert skill.command.description == "Says a text so many times. More is told here"
        assert skill.command.argument == "count_mood_loud_text"
        assert skill.usage == "/tool <count> <mood> [loud] [text]"
        assert Skill.of(roll, "here").usage == "/roll [dice]"

    def test_has_a_json_schema_for_models_that_call_tools(self) -> None:
        schema = Skill.of(tool, "here").schema
        assert schema["required"] == ["count", "mood"]
        assert schema["properties"]["mood"]["enum"] == ["glad", "sad"]
        assert "context" not in Skill.of(roll, "here").schema["properties"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("3 glad", "3 glad False nothing"),
            ("3 sad yes", "3 sad True nothing"),
            ("  3  sad true two  words ", "3 sad True two  words"),
        ],
    )
    async def test_gets_typed_arguments_and_the_rest_of_the_line(
        self, text: str, said: str
    ) -> None:
        skill = Skill.of(tool, "here")
        assert await skill.run(skill.arguments(text), CONTEXT) == said

    @pytest.mark.parametrize("text", ["", "3", "three glad", "3 angry", "3 glad perhaps"])
    def test_answers_a_wrong_argument_with_its_usage(self, text: str) -> None:
        with pytest.raises(SkillRefused, match=r"^Like this: /tool <count> <mood> \[loud\]"):
            Skill.of(tool, "here").arguments(text)

    @pytest.mark.parametrize("text", ["-1", "nan", "inf", "1 2", "1e999", "9" * 5000])
    def test_never_gets_what_its_types_do_not_allow(self, text: str) -> None:
        with pytest.raises(SkillRefused, match=r"^Like this: /later \[of\]$"):
            Skill.of(later, "here").arguments(text)

    async def test_may_be_async(self) -> None:
        skill = Skill.of(later, "here")
        assert await skill.run(skill.arguments(""), CONTEXT) == "1.5"
        assert await skill.run(skill.arguments("2"), CONTEXT) == "2.0"

    def test_that_cannot_be_one_is_a_clear_error(self) -> None:
        def mute(a: str) -> str:
            return a

        def many(*a: str) -> str:
            """Says all."""
            return ""

        def untyped(a) -> str:  # type: ignore[no-untyped-def]
            """Says it."""
            return ""

        def two_words() -> str:
            """Says it."""
            return ""

        functions: list[tuple[Callable[..., Any], str]] = [
            (mute, "needs a docstring"),
            (many, "may not have"),
            (untyped, "parameter a of untyped must be str"),
            (two_words, "letters from a to z"),
            (lambda: "", "letters from a to z"),
        ]
        for function, wrong in functions:
            with pytest.raises(ConfigError, match=f"here: .*{wrong}"):
                Skill.of(function, "here")


class TestCalculating:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("17 * 23", "= 391"),
            ("0.1 + 0.2", "= 0.3"),
            ("1/3", "≈ 0.333333333333 (1/3)"),
            ("20% of 80", "= 16"),
            ("200 + 10%", "= 220"),
            ("-2^2", "= -4"),
            ("2^3^2", "= 512"),
            ("2^-1", "= 0.5"),
            ("sqrt(16) + √9", "= 7"),
            ("9^1.5", "= 27"),
            ("sqrt 2", "≈ 1.41421356237"),
            ("1,000,000 × 3 ÷ 2", "= 1500000"),
            ("(-1)^99999999", "= -1"),
            ("2^200", "≈ 1.60693804426 * 10^60"),
            ("1/7^90", "≈ 8.73326017856 * 10^-77"),
        ],
    )
    def test_is_exact_and_says_so_where_it_rounds(self, asked: str, said: str) -> None:
        assert calculate(asked) == f"{asked} {said}"

    @pytest.mark.parametrize(
        "asked",
        [
            *(
                "1/0",
                "0^-1",
                "9^9^9^9",
                "2^99999999999",
                "(-1)^0.5",
                "2^0.3",
                "",
                "()",
                "1 2",
                "1.2.3",
            ),
            *("__import__('os')", "1e999", "(" * 150, "√" * 150 + "2", "2^" * 90 + "2", "-" * 200),
            *("9^3000*9^3000", "٣+٣", "1,00", "1" * (LONGEST + 1), "1/" * 90 + "0", "5!", "²"),
        ],
    )
    def test_refuses_what_has_no_answer_or_too_large_a_one(self, asked: str) -> None:
        with pytest.raises(SkillRefused):
            calculate(asked)

    @given(st.text(alphabet="0123456789.+-*/^()% ²³√sqrtof,", max_size=LONGEST))
    def test_answers_or_refuses_anything_soon(self, asked: str) -> None:
        with contextlib.suppress(SkillRefused):  # within hypothesis' deadline of 200 ms
            assert len(calculate(asked)) < 2 * LONGEST

    @given(
        st.recursive(
            st.tuples(st.integers(0, 999), st.integers(0, 99)).map(
                lambda pair: (f"{pair[0]}.{pair[1]:02}", Fraction(pair[0]) + Fraction(pair[1], 100))
            ),
            lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(
                lambda it: (f"({it[0][0]} {it[1]} {it[2][0]})", _done(it[0][1], it[1], it[2][1]))
            ),
            max_leaves=8,
        )
    )
    def test_is_the_arithmetic_of_fractions(self, case: tuple[str, Fraction | None]) -> None:
        asked, result = case
        if result is None:
            with pytest.raises(SkillRefused):
                value(asked)
        else:
            assert value(asked).value == result


def _done(left: Fraction | None, sign: str, right: Fraction | None) -> Fraction | None:
    if left is None or right is None or (sign == "/" and not right):
        return None
    signs = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
    result: Fraction = signs[sign](left, right)
    return result


class TestConverting:
    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ("5 km to miles", "5 km ≈ 3.10685596119 miles"),
            ("1,000 MB in GB", "1,000 MB = 1 GB"),
            ("1 Mb to MB", "1 Mb = 0.125 MB"),
            ("0 C to F", "0 C = 32 F"),
            ("-40 °f to °c", "-40 °f = -40 °c"),
            ("5 in in cm", "5 in = 12.7 cm"),
            ("1 acre to m2", "1 acre = 4046.8564224 m2"),
            ("100 km/h to m/s", "100 km/h ≈ 27.7777777778 m/s"),
            ("2 weeks to hours", "2 weeks = 336 hours"),
        ],
    )
    def test_is_by_exact_factors(self, asked: str, said: str) -> None:
        assert convert(asked) == said

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            ("5 kg to m", "of mass"),
            ("5 mils to km", "Did you mean mi"),
            ("5 eur to usd", "no unit"),
            ("km", "Like this"),
            ("9" * 5000 + " km to m", "Like this"),
        ],
    )
    def test_refuses_kindly(self, asked: str, why: str) -> None:
        with pytest.raises(SkillRefused, match=why):
            convert(asked)

    @given(st.fractions(), st.sampled_from(sorted(UNITS)), st.data())
    def test_there_and_back_is_where_it_began(
        self, amount: Fraction, source: str, data: st.DataObject
    ) -> None:
        same = [name for name, unit in UNITS.items() if unit.of == UNITS[source].of]
        target = data.draw(st.sampled_from(same))
        assert converted(converted(amount, source, target), target, source) == amount


class TestTimeAndDice:
    def test_the_time_is_that_of_the_place(self) -> None:
        assert time(CONTEXT) == "13:05 on Thursday 1 January 2026 (Europe/Berlin)"
        assert time(CONTEXT, "new york") == "07:05 on Thursday 1 January 2026 (America/New_York)"
        with pytest.raises(SkillRefused, match="no such city"):
            time(CONTEXT, "Atlantis")

    def test_dice_fall_by_chance_and_add_up(self) -> None:
        assert roll(CONTEXT, "2d6+1") == roll(replace(CONTEXT, chance=Random(1)), "2d6+1")
        rolls = {roll(CONTEXT) for _ in range(200)}
        assert rolls == {f"1d6: {side}" for side in range(1, 7)}

    @pytest.mark.parametrize("dice", ["0d6", "101d6", "1d1", "d9999999", "2d", "six", "1d6+" * 9])
    def test_no_more_dice_than_there_are(self, dice: str) -> None:
        with pytest.raises(SkillRefused):
            roll(CONTEXT, dice)


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("what is 17 * 23?", "calculate", "17 * 23"),
        ("What's 17×23", "calculate", "17×23"),
        ("how much is 20% of 80?", "calculate", "20% of 80"),
        ("17*23=", "calculate", "17*23"),
        ("what is 1 / 0?", "calculate", "1 / 0"),
        ("1/3 =", "calculate", "1/3"),
        ("what is sqrt 2?", "calculate", "sqrt 2"),
        ("roll 2d6", "roll", "2d6"),
        ("please roll a d20!", "roll", "d20"),
        ("roll the dice", "roll", "1d6"),
        ("how many miles are 5 km?", "convert", "5 km to miles"),
        ("how many days are there in a week?", "convert", "1 week to days"),
        ("convert 70 f to c", "convert", "70 f to c"),
        ("what is 5 km in miles?", "convert", "5 km to miles"),
        ("what time is it?", "time", ""),
        ("What time is it in Tokyo now?", "time", "Tokyo"),
        ("what is 1984 about?", "", ""),
        ("what is 1984?", "", ""),
        ("what is 42?", "", ""),
        ("7 - 1 = ?", "calculate", "7 - 1"),
        ("7 - 1", "", ""),
        ("0 9 * * 1-5", "", ""),
        ("192.168.0.1/24", "", ""),
        ("+49 30 123456", "", ""),
        ("24/7", "", ""),
        ("3/4", "", ""),
        ("2026-01-02", "", ""),
        ("555-1234", "", ""),
        ("call 555 - 1234", "", ""),
        ("what is 9/11?", "", ""),
        ("what is C++?", "", ""),
        ("what is a 4 * 4 car?", "", ""),
        ("**bold**", "", ""),
        ("- 1 egg", "", ""),
        ("I need 5 km to feel well", "", ""),
        ("how many people are 5 km away?", "", ""),
        ("how many miles are left?", "", ""),
        ("roll with it", "", ""),
        ("we roll 2d6 for that, right?", "", ""),
        ("what time is it in Narnia?", "", ""),
        ("what time is it when the film begins?", "", ""),
        ("what is the time of your life?", "", ""),
    ],
)
def test_in_words_only_what_cannot_mean_anything_else(text: str, name: str, wanted: str) -> None:
    found = {
        function.__name__: asked
        for function, reader in words.IN_WORDS.items()
        if (asked := reader(text)) is not None
    }
    assert found == ({name: wanted} if name else {})


@given(st.text(max_size=words.LONGEST))
def test_no_words_are_too_much_for_the_readers(text: str) -> None:
    for reader in words.IN_WORDS.values():
        reader(text)


class Desk:
    """The job by itself."""

    def __init__(self, *functions: Callable[..., Any], incognito: bool = False) -> None:
        async def is_incognito(key: ConversationKey) -> bool:
            return incognito

        async def zone_of(event: Event) -> str:
            return ""

        asked, clock = SqlAsked(Database("sqlite:///:memory:")), FakeClock()
        self.job = Skills(
            [replace(Skill.of(function, "here"), seconds=0.05) for function in functions],
            clock,
            asked=asked,
            runner=Runner(asked, clock, zone_of=zone_of, chance=Random(1)),
            incognito=is_incognito,
            names=("Otto",),
        )

    async def take(self, text: str, **changes: Any) -> Deed | None:
        return await self.job.take([event(text, **changes)], ANSWER)


def event(text: str, **changes: Any) -> Event:
    return FakeAdapter().event(text, **{"addressed": Addressed.DIRECT, **changes})


async def test_a_command_is_answered_and_not_remembered() -> None:
    deed = await Desk(calculate).take("/calculate 17 * 23", kind=Kind.COMMAND)
    assert deed is not None
    assert deed.said == "17 * 23 = 391"
    assert not deed.remembered


async def test_words_are_answered_and_remembered_but_where_nothing_is_kept() -> None:
    deed = await Desk(calculate).take("Otto, what is 17 * 23?")
    assert deed is not None
    assert deed.remembered == deed.said == "17 * 23 = 391"
    assert not deed.incognito
    hidden = await Desk(calculate, incognito=True).take("what is 17 * 23?")
    assert hidden is not None
    assert hidden.incognito


async def test_what_is_not_on_or_not_for_us_is_left_alone() -> None:
    desk = Desk(roll)
    assert await desk.take("what is 17 * 23?") is None
    assert await desk.take("/calculate 1+1", kind=Kind.COMMAND) is None
    assert await desk.take("/roll", addressed=Addressed.NONE) is None
    limit = Decision(action=Action.NOTICE, reason="a limit")
    assert await desk.job.take([event("/roll")], limit) is None


async def test_a_skill_that_fails_hangs_or_says_nothing_is_told_kindly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    free = threading.Event()

    def breaks() -> str:
        """Breaks."""
        raise RuntimeError("a secret of the inside")

    def leaves() -> str:
        """Leaves."""
        raise SystemExit

    def hangs() -> str:
        """Hangs."""
        free.wait()
        return "too late"

    async def sleeps() -> str:
        """Sleeps."""
        await asyncio.Event().wait()
        return "never"

    def nothing() -> None:
        """Says nothing."""

    desk = Desk(breaks, leaves, hangs, sleeps, nothing)
    said = {}
    with caplog.at_level(logging.CRITICAL, "hobnob.skills"):
        for name in ("breaks", "leaves", "hangs", "sleeps", "nothing"):
            deed = await desk.take(f"/{name}")
            said[name] = deed.said if deed else ""
    free.set()
    assert said["breaks"].startswith("Something went wrong in /breaks.")
    assert "secret" not in said["breaks"]
    assert said["leaves"].startswith("Something went wrong in /leaves.")
    assert said["hangs"] == "/hangs took too long, so I gave it up."
    assert said["sleeps"] == "/sleeps took too long, so I gave it up."
    assert said["nothing"] == "/nothing had nothing to say."


OWN = '''\
from hobnob.errors import SkillRefused

PRICES = {"small": 3, "large": 5}


def price(size: str, number: int = 1) -> str:
    """What so many coffees cost: /price large 2"""
    if size not in PRICES:
        raise SkillRefused("We have small and large.")
    return f"{number} × {size}: {number * PRICES[size]} €"


def help() -> str:
    """Mine."""
    return ""
'''


def own_bot(folder: Path, *skills: str) -> Bot:
    bot = settings.load(settings.find("assistant"))
    (folder / "shop.py").write_text(OWN)
    (folder / "broken.py").write_text("1/0")
    tools = bot.settings.model_copy(update={"tools": ToolsTable(skills=skills)})
    return replace(bot, folder=folder, settings=tools)


async def test_a_function_beside_bot_toml_is_a_command_of_the_whole_bot(tmp_path: Path) -> None:
    async with Stage(own_bot(tmp_path, "shop:price", "calculate")) as stage:

        async def hear(text: str) -> str:
            return await stage.hear(stage.platform.event(text)) or ""

        assert (await hear("/price large 2")).startswith("2 × large: 10 €\n")
        assert await hear("/price huge") == "We have small and large."
        assert await hear("/price large many") == "Like this: /price <size> [number]"
        assert "/price: What so many coffees cost" in await hear("/help")
        assert await hear("what is 17 * 23?") == "17 * 23 = 391"
        assert stage.prompt == ""
        await hear("and twice that?")
        assert "17 * 23 = 391" in stage.prompt


@pytest.mark.parametrize(
    ("skill", "wrong"),
    [
        ("dise", 'unknown skill "dise". Did you mean dice?'),
        ("shop:cost", "there is no such function"),
        ("shoop:price", "there is no shoop.py beside bot.toml"),
        ("broken:price", "cannot be read: ZeroDivisionError"),
        ("shop:help", "there is a command /help already"),
        ("shop:PRICES", "there is no such function"),
        (":x", "there is no"),
    ],
)
async def test_a_skill_that_is_not_there_is_a_clear_error(
    tmp_path: Path, skill: str, wrong: str
) -> None:
    with pytest.raises(ConfigError, match=r"^bot\.toml: tools\.skills: ") as error:
        async with Stage(own_bot(tmp_path, skill)):
            pass
    assert wrong in str(error.value)


@pytest.mark.parametrize(
    ("skill", "found"), [("dice", "ok: skills: /roll"), ("dise", "BAD: bot.toml: tools.skills")]
)
async def test_the_doctor_looks_at_skills(tmp_path: Path, skill: str, found: str) -> None:
    bot = replace(own_bot(tmp_path, skill), database_url=f"sqlite:///{tmp_path}/hobnob.db")
    echo = bot.settings.model.model_copy(update={"engine": "echo"})
    bot = replace(bot, settings=bot.settings.model_copy(update={"model": echo}))
    said = [
        f"{'ok' if finding.ok else 'BAD'}: {finding.what}"
        async for finding in doctor.examine(bot, lambda _: None)
    ]
    assert any(line.startswith(found) for line in said)


async def test_in_an_incognito_conversation_the_answer_is_told_and_not_stored() -> None:
    async with Stage(settings.load(settings.find("assistant"))) as stage:
        for text in ("/incognito on", "what is 17 * 23?"):
            said = await stage.hear(stage.platform.event(text))
        assert said == "17 * 23 = 391"
        await stage.hear(stage.platform.event("and twice that?"))
        assert "17 * 23 = 391" in stage.prompt
        await stage.hear(stage.platform.event("/incognito off"))
        await stage.hear(stage.platform.event("what did we calculate?"))
        assert "391" not in stage.prompt


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("calculate", "there is a command /calculate already"), ("help", "a command /help already")],
)
async def test_a_server_has_a_command_of_its_own(tmp_path: Path, name: str, wrong: str) -> None:
    server = McpTable(name=name, allow=("a",), command=("a",))
    bot = own_bot(tmp_path, "calculate")
    tools = ToolsTable(skills=("calculate",), mcp=(server,))
    bot = replace(bot, settings=bot.settings.model_copy(update={"tools": tools}))
    with pytest.raises(ConfigError, match=wrong):
        async with Stage(bot):
            pass


async def test_a_library_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = McpTable(name="files", allow=("a",), command=("a",))
    bot = own_bot(tmp_path)
    bot = replace(
        bot, settings=bot.settings.model_copy(update={"tools": ToolsTable(mcp=(server,))})
    )
    monkeypatch.setattr(employ, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'hobnob\[mcp\]'"):
        async with Stage(bot):
            pass
