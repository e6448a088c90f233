"""persona.md: what is read from it, and what its owner is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob.errors import ConfigError
from hobnob.events import Sampling
from hobnob.persona import MAX_BYTES, Example, Persona, parse

FULL = """\
+++
name = "Robin"
style = "Short."
greeting = "Hello!"

[[examples]]
user = "Who are you?"
assistant = "Robin."

[sampling]
temperature = 0.5
top_p = 1
max_new_tokens = 64
stop = ["END"]
+++

You are Robin.

+++ is no mark in the middle of a line.
"""


def refused(text: str, source: str = "persona.md") -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, source)
    return str(caught.value)


def with_front(front: str) -> str:
    return f'+++\nname = "Robin"\n{front}\n+++\nYou are Robin.\n'


def test_everything_that_stands_in_the_file_is_read() -> None:
    assert parse(FULL, "persona.md") == Persona(
        name="Robin",
        text="You are Robin.\n\n+++ is no mark in the middle of a line.",
        style="Short.",
        greeting="Hello!",
        examples=(Example(user="Who are you?", assistant="Robin."),),
        sampling=Sampling(temperature=0.5, top_p=1.0, max_new_tokens=64, stop=("END",)),
    )


def test_a_toml_file_gives_the_same_persona() -> None:
    front, text = FULL.split("+++\n", 2)[1:]
    toml = f"text = '''{text}'''\n{front}"
    assert parse(toml, "persona.toml") == parse(FULL, "persona.md")


def test_line_ends_of_windows_are_read() -> None:
    assert parse(FULL.replace("\n", "\r\n"), "persona.md") == parse(FULL, "persona.md")


def test_what_is_left_out_has_its_default() -> None:
    assert parse(with_front(""), "persona.md") == Persona(name="Robin", text="You are Robin.")


@pytest.mark.parametrize(
    ("front", "told"),
    [
        ("greetin = 'hi'", "persona.md: greetin: unknown key. Did you mean greeting?"),
        ("style = 3", "persona.md: style: must be text in quotes, not a whole number."),
        ("style = 2026-01-01", "persona.md: style: must be text in quotes, not a date or time."),
        ('greeting = "a\\u0000b"', "persona.md: greeting: holds the control character U+0000."),
        ("examples = 3", "persona.md: examples: must be tables, each begun with [[examples]]."),
        ("[[examples]]\nuser = 'a'", "persona.md: examples[1].assistant: is missing."),
        (
            "[[examples]]\nuser = 'a'\nasistant = 'b'",
            "persona.md: examples[1].asistant: unknown key. Did you mean assistant?",
        ),
        ("sampling = 3", "persona.md: sampling: must be a table, written as [sampling]"),
        ("[sampling]\ntemperature = 2.5", "sampling.temperature: must be at least 0 and at most 2"),
        ("[sampling]\ntemperature = nan", "sampling.temperature: must be at least 0 and at most 2"),
        ("[sampling]\ntemperature = true", "sampling.temperature: must be a number, not true or"),
        ("[sampling]\ntop_p = 0", "sampling.top_p: must be more than 0 and at most 1."),
        ("[sampling]\nmax_new_tokens = 1.5", "max_new_tokens: must be a whole number, not a num"),
        (f"[sampling]\nmax_new_tokens = 1{'0' * 400}", "must be at least 1 and at most 8192."),
        ("[sampling]\nstop = 'END'", "sampling.stop: must be a list of texts"),
        ("[sampling]\nstop = ['']", "sampling.stop: must be a list of texts"),
    ],
)
def test_a_wrong_key_is_named_with_what_to_do(front: str, told: str) -> None:
    assert told in refused(with_front(front))


def test_all_problems_are_told_at_once() -> None:
    told = refused("+++\nnam = 'x'\nstyle = 1\n+++\n")
    assert sorted(told.splitlines()) == [
        "persona.md: nam: unknown key. Did you mean name?",
        "persona.md: name: is missing.",
        "persona.md: style: must be text in quotes, not a whole number.",
        "persona.md: the part below the second +++ line is empty. Describe there who the bot is.",
    ]


@pytest.mark.parametrize("name", ["", "  ", "Ro\\nbin"])
def test_the_name_is_one_line_and_not_empty(name: str) -> None:
    assert "persona.md: name: " in refused(f'+++\nname = "{name}"\n+++\nYou are Robin.\n')


def test_a_syntax_error_is_told_with_its_line_in_the_whole_file() -> None:
    told = refused('+++\nname = "Robin"\nstyle = short\n+++\nYou are Robin.\n')
    assert told.startswith("persona.md: line 3, column 9: not valid TOML: Invalid value. Texts nee")


@pytest.mark.parametrize("text", ["", "You are Robin.", "\n+++\nname = 'x'\n+++\nhi"])
def test_a_file_without_front_matter_is_told_what_it_needs(text: str) -> None:
    assert refused(text).startswith("persona.md: line 1: must be +++.")


def test_front_matter_that_never_ends_is_told() -> None:
    assert "no second +++ line" in refused("+++\nname = 'x'\nYou are Robin.\n")


def test_an_empty_text_is_refused() -> None:
    assert "is empty" in refused("+++\nname = 'x'\n+++\n \n")
    assert refused("name = 'x'", "p.toml") == (
        "p.toml: text: is empty. Describe there who the bot is."
    )


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x85", "\r", "\ud800"])
def test_a_control_character_is_refused_with_its_line(bad: str) -> None:
    told = refused(with_front("").replace("are Robin", f"are{bad}Robin"))
    assert told == f"persona.md: line 5: holds the control character U+{ord(bad):04X}."


def test_a_huge_file_is_refused() -> None:
    assert parse(with_front("") + "x" * 1000, "persona.md")
    assert "larger than 256 kB" in refused(with_front("") + "ä" * (MAX_BYTES // 2))


@pytest.mark.parametrize("front", ["x = " + "[" * 100_000, "x = 1" + "0" * 5000, "x = '''"])
def test_toml_that_tires_the_parser_is_refused(front: str) -> None:
    assert "not valid TOML" in refused(with_front(front))


@given(st.text())
def test_no_text_makes_the_parser_crash(text: str) -> None:
    for whole, source in ((text, "a.md"), (with_front(text), "a.md"), (text, "a.toml")):
        try:
            parse(whole, source)
        except ConfigError as error:
            assert str(error).startswith(source)  # noqa: PT017
