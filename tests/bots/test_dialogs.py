"""Every ready bot holds the dialogs in its table, and the friend also on the real starter model."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hobnob import settings
from hobnob.engine.local import TransformersEngine
from hobnob.errors import ConfigError
from hobnob.ports import ModelOptions
from hobnob.testing import dialogs
from hobnob.testing.dialogs import Dialog, Line

BOTS = settings.ready_bots()
ALL = [
    pytest.param(folder, dialog, id=f"{name}: {dialog.name}")
    for name, folder in BOTS.items()
    for dialog in dialogs.load(folder)
]


def test_the_four_bots_are_there() -> None:
    assert set(BOTS) == {"friend", "support", "poster", "assistant"}


@pytest.mark.parametrize(("folder", "dialog"), ALL)
async def test_a_dialog_goes_as_its_table_says(folder: Path, dialog: Dialog) -> None:
    assert await dialogs.play(settings.load(folder), dialog) == []


@pytest.fixture(scope="module")
def real_dialogs() -> list[Dialog]:
    return [dialog for dialog in dialogs.load(BOTS["friend"]) if dialog.is_real]


@pytest.mark.model
async def test_the_friend_holds_its_real_dialogs_on_the_starter_model(
    real_dialogs: list[Dialog], starter: TransformersEngine
) -> None:
    assert len(real_dialogs) >= 2
    friend = settings.load(BOTS["friend"])
    greedy = replace(friend.persona.sampling, temperature=0.0)  # the same answers every time
    friend = replace(friend, persona=replace(friend.persona, sampling=greedy))
    problems = [
        problem
        for dialog in real_dialogs
        for problem in await dialogs.play(friend, dialog, starter)
    ]
    assert problems == []


@pytest.fixture
async def starter() -> AsyncIterator[TransformersEngine]:
    async with TransformersEngine(ModelOptions()) as engine:
        yield engine


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (Line(say="hello", answer="Hi!", expect="good evening"), "no match for 'good evening'"),
        (Line(say="hello", silent=True), "should have stayed silent"),
        (Line(say="hello", place=dialogs.Place.ROOM, expect="."), "it said nothing"),
        (Line(say="hello", prompt="never said"), "the prompt has no match"),
        (Line(say="hello", unseen="You are Robin"), "the prompt has a match"),
    ],
)
async def test_a_dialog_that_goes_otherwise_is_found_out(line: Line, what: str) -> None:
    friend = settings.load(BOTS["friend"])
    (problem,) = await dialogs.play(friend, Dialog(name="wrong", lines=(line,)))
    assert what in str(problem)


def test_a_table_that_is_wrong_says_where(tmp_path: Path) -> None:
    table = '[[dialogs]]\nname = "x"\nlines = [{ say = "a", expext = "b" }]\n'
    (tmp_path / "dialogs.toml").write_text(table)
    with pytest.raises(ConfigError, match=r"dialogs\.toml: .*expext: unknown key.*expect"):
        dialogs.load(tmp_path)
