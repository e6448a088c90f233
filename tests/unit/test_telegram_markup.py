"""From a model's Markdown to Telegram's text and entities."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob import text
from hobnob.ports import Limits
from hobnob.testing.telegram.rules import trouble
from hobnob_telegram.adapter import TelegramAdapter
from hobnob_telegram.markup import NOTHING, plain, render, units

NASTY = (
    *("**", "*", "_", "__", "`", "```", "```python\n", "~~", "||", "# ", "> ", ">", "- ", "1. "),
    *("[a](http://x.y)", "[", "](", "![i](u)", "[x](tg://user?id=1)", "[](http://x.y)", "<b>"),
    *(
        "\n",
        "\n\n",
        "    ",
        "\t",
        "---\n",
        "a|b\n-|-\n1|2\n",
        "|",
        "\\",
        "&amp;",
        "&#0;",
        "<http://q.r>",
    ),
    *(
        "🙂",
        "👩‍👧",
        "é",
        "\u200b",
        "\u202e",
        "\0",
        "\ud800",
        "\u2800",
        "[r]: http://x.y\n",
        "$x$",
        "{}",
    ),
    *(" a", "b ", "word", "snake_case"),
)
nasty = st.lists(st.sampled_from(NASTY), max_size=40).map("".join) | st.text(max_size=300)


def shown(source: str) -> tuple[str, list[tuple[str, str]]]:
    """The text, and what of it is marked how."""
    rendered = render(source)
    raw = rendered.text.encode("utf-16-le")
    marked = [
        (str(e.type), raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le"))
        for e in rendered.entities
    ]
    return rendered.text, marked


@pytest.mark.parametrize(
    ("source", "seen", "marked"),
    [
        ("plain words", "plain words", []),
        ("**bold** and *it*", "bold and it", [("bold", "bold"), ("italic", "it")]),
        ("***both***", "both", [("italic", "both"), ("bold", "both")]),
        ("~~gone~~ `a_b`", "gone a_b", [("strikethrough", "gone"), ("code", "a_b")]),
        ("🙂🙂 **é**", "🙂🙂 é", [("bold", "é")]),
        ("# Title\n\ntext", "Title\n\ntext", [("bold", "Title")]),
        ("# A **b** c", "A b c", [("bold", "A b c")]),
        ("- a\n  - b\n- c", "• a\n  • b\n• c", []),
        ("1. x\n2. y\n\nz", "1. x\n2. y\n\nz", []),
        ("- a\n\n  more\n- b", "• a\n\n  more\n• b", []),
        ("> said\n> so\n\nI", "said\nso\n\nI", [("blockquote", "said\nso")]),
        ("> a\n>> b", "a\nb", [("blockquote", "a\nb")]),
        ("> `c`", "c", [("blockquote", "c"), ("code", "c")]),
        ("**a `b` c**", "a b c", [("bold", "a "), ("code", "b"), ("bold", " c")]),
        ("```py\nx = 1\n```\nok", "x = 1\nok", [("pre", "x = 1")]),
        ("```a b\nx\n```", "a b\nx", [("pre", "a b\nx")]),
        ("see [it](https://x.org/a_b)", "see it", [("text_link", "it")]),
        ("[**b**](https://x.org)", "b", [("text_link", "b"), ("bold", "b")]),
        ("[no](tg://user?id=1)", "no (tg://user?id=1)", []),
        ("[](https://x.org)", "https://x.org", [("text_link", "https://x.org")]),
        ("<https://x.org>", "https://x.org", []),
        ("![cat](https://x.org/c.png)", "cat", [("text_link", "cat")]),
        ("a <b>x</b> & 3 < 4", "a <b>x</b> & 3 < 4", []),
        ("snake_case_name 3 * 4 * 5", "snake_case_name 3 * 4 * 5", []),
        ("one\ntwo", "one\ntwo", []),
        ("text\n---\nmore", "text\n———\nmore", []),
        ("|a|b|\n|-|-|\n|1|2|", "|a|b|\n|-|-|\n|1|2|", [("pre", "|a|b|\n|-|-|\n|1|2|")]),
        ("    indented", "indented", []),
        ("[r]: https://x.org", "[r]: https://x.org", []),
    ],
)
def test_markdown_is_shown_as_it_is_meant(
    source: str, seen: str, marked: list[tuple[str, str]]
) -> None:
    assert shown(source) == (seen, marked)


def test_a_code_block_knows_its_language() -> None:
    assert render("```python\nx\n```").entities[0].language == "python"


@pytest.mark.parametrize("source", ["", " \n", "\u200b", "\u2800", "\0", "\u202e"])
def test_a_text_with_nothing_to_see_is_something(source: str) -> None:
    assert render(source).text == plain(source) == NOTHING


@given(nasty)
def test_nothing_that_a_model_writes_is_against_telegrams_rules(source: str) -> None:
    rendered = render(source)
    entities: list[dict[str, Any]] = [entity.to_dict() for entity in rendered.entities]
    assert trouble(rendered.text, entities) is None
    assert trouble(plain(source), []) is None


@given(nasty)
def test_what_is_shown_is_never_longer_than_what_was_written(source: str) -> None:
    assert units(render(source).text) <= max(units(source), 1)


@given(st.lists(st.sampled_from([n for n in NASTY if "&" not in n]), max_size=30).map("".join))
def test_no_word_is_lost(source: str) -> None:
    """But an address, which is behind its words, and the language of code."""
    kept = re.sub(r"http://\S\.\S|python\n", "", source)
    seen = re.sub(r"http://\S\.\S|python\n", "", render(source).text)
    for word in ("word", "snake", "case"):
        assert kept.count(word) == seen.count(word)


def test_quotes_in_quotes_without_end_are_plain_text() -> None:
    assert render(">" * 4000 + " hello").text.endswith("hello")


@given(st.lists(st.sampled_from(NASTY), max_size=400).map("".join))
def test_each_part_of_a_long_text_fits(source: str) -> None:
    limits = Limits(max_length=200, length=TelegramAdapter.limits.length)
    for part in text.split(source, limits):
        assert units(render(part).text) <= 200


def test_bold_that_is_cut_is_bold_in_both_parts() -> None:
    limits = Limits(max_length=200, length=units)
    parts = text.split(f"Now **{'all of this is bold ' * 20}here** and this is not.", limits)
    assert len(parts) > 2
    bold = "".join(
        f"{words} " for part in parts for kind, words in shown(part)[1] if kind == "bold"
    )
    assert bold.split() == f"{'all of this is bold ' * 20}here".split()
