"""From answers to posts, and how much room they take."""

import time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from hobnob import text as core_text
from hobnob.ports import Limits
from hobnob.testing.mastodon.count import status_length
from hobnob_mastodon.plain import Counting, to_post


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ask @bea or @bea@there.example", "ask @\u200bbea or @\u200bbea@there.example"),
        ("@ann@far.example, yes", "@ann@far.example, yes"),
        ("@ANN@far.example.", "@ANN@far.example."),
        ("@ann is another", "@\u200bann is another"),
        ("(@bea)", "(@\u200bbea)"),
        ("½@bea, é@bea, =@bea, @@bea", "½@\u200bbea, é@\u200bbea, =@\u200bbea, @@\u200bbea"),
        ("@**bea** and [@carl](https://a.example)", "@\u200bbea and @\u200bcarl (https://a.example)"),
        ("@¹@bea", "@\u200b¹@\u200bbea"),
        ("mail bea@there.example", "mail bea@there.example"),
        ("https://there.example/@bea", "https://there.example/@bea"),
        ("`@bea`", "`@\u200bbea`"),
    ],
)  # fmt: skip
def test_only_the_one_who_asked_is_mentioned(text: str, expected: str) -> None:
    assert to_post(text, keep="@ann@far.example") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a **bold** and *soft* word", "a bold and *soft* word"),
        ("***both*** and **a *b***", "both and a *b*"),
        ("これは**重要**です", "これは重要です"),
        ("2**3 and 4**5, 2 * 3 * 4, snake_case_name", "2**3 and 4**5, 2 * 3 * 4, snake_case_name"),
        ("## Title\n#tag stays", "Title\n#tag stays"),
        ("Title\n=====\n\ntext", "Title\n\n\ntext"),
        ("[here](https://a.example/b)", "here (https://a.example/b)"),
        ('[here](https://a.example/b_(c) "why")', "here (https://a.example/b_(c))"),
        ("[`code`](https://a.example)", "`code` (https://a.example)"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("![a cat](https://a.example/cat.png)", "a cat (https://a.example/cat.png)"),
        ("<https://a.example> [me](mailto:a@b.example)", "https://a.example me (a@b.example)"),
        ("* one\n  * two\n+ three", "- one\n  - two\n- three"),
        ("> quoted\n\n1. first", "> quoted\n\n1. first"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\n\nso", "a | b\n1 | 2\n\nso"),
        ("a\\*b\\_c C:\\temp", "a*b_c C:\\temp"),
        ("one<br>two", "one\ntwo"),
        ("```py\n**kwargs, *args, # x\n* y\n```", "```py\n**kwargs, *args, # x\n* y\n```"),
        ("`a**b**`", "`a**b**`"),
        ("nul \x00 and half \ud800 pair", "nul  and half  pair"),
        ("## ", "##"),
        ("\x00", "…"),
    ],
)  # fmt: skip
def test_markdown_becomes_plain(text: str, expected: str) -> None:
    assert to_post(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/" + "x" * 200, 23),
        ("(https://example.com/" + "x" * 200 + "), so", 23 + 6),
        ("[x](https://example.com/" + "x" * 200 + ")", 23 + 4),
        ("https://a.co", 23),
        ("👩‍👩‍👧 é", 3),
        ("@bea@there.example ", 5),
        ("hi @bea@there.example", len("hi @\u200bbea@there.example")),
        ("https://nowhere.invalid/" + "x" * 100, 124 + 13),
    ],
)
def test_length_is_counted_as_mastodon_counts(text: str, expected: int) -> None:
    assert Counting().length(text) == expected


def test_other_servers_count_every_character() -> None:
    link = "https://example.com/" + "x" * 90
    assert Counting(plainly=True, link=25).length(link) == len(link)
    assert Counting(plainly=True).length("@bea@there.example ") > len("@bea@there.example")


_PIECES = st.sampled_from(
    [
        *"*_`~|#>-+[]()<>!\\ \n\t@.,:/?=&%…éß½@＠",
        *("**", "__", "```\n", "\n\n", "| a | b |\n|---|---|\n", "](https://a.com)", "[x](", "1. "),
        *("https://", "http://example.com/", "https://a.co", "gemini://a.co", "xn--", ".com", "/"),
        *("https://example.com/" + "y" * 60, "https://t.co/abc/def", "https://münchen.de/ä"),
        *("=" * 40, "https://example.com/" + "=" * 30, "@bea", "@bea@there.example", "x" * 50),
        *("नमस्ते", "क्ष", "👩‍👩‍👧", "🏳️‍🌈", "e\u0301", "\u200d", "\u200b", "\ufe0f"),
        *("\r", "\u2028", "🇩🇪"),
        *("word ", "Hello there. ", "C:\\temp", "a_b", "<br>", "&amp;", "\x00", "\ud800"),
    ]
)  # fmt: skip
nasty = st.lists(_PIECES | st.text(max_size=8), max_size=120).map("".join)


@given(nasty)
@settings(deadline=None, max_examples=300)
def test_the_server_never_counts_more_than_we_do(text: str) -> None:
    posted = to_post(text)

    assert posted.strip()
    assert status_length(posted) <= Counting().posted(posted)
    assert status_length(posted) <= max(23, Counting().length(text))


@given(nasty, st.integers(100, 300))
@settings(deadline=None, max_examples=150)
def test_no_part_of_an_answer_is_too_long(text: str, most: int) -> None:
    counting = Counting(most=most)
    limits = Limits(max_length=most, length=counting.length)

    for part in core_text.split(text, limits):
        assert status_length(to_post(part)) <= most


MENTION = regex.compile(r"(?<![=/[:word:]])@[a-z0-9_]+", regex.IGNORECASE)


@given(nasty)
@settings(deadline=None, max_examples=300)
def test_nobody_is_pinged(text: str) -> None:
    assert not MENTION.search(to_post(text, keep="@ann@far.example"))


@pytest.mark.parametrize(
    "piece", ["[", "[a](", "**a", "*", "`", "``", "|", "| - ", "\\", "<", "https://a.com/", "@a"]
)  # fmt: skip
def test_nasty_markdown_takes_no_time(piece: str) -> None:
    start = time.process_time()

    Counting().length(piece * (20_000 // len(piece)))

    assert time.process_time() - start < 4
