"""No text that a model can write makes a send to Discord fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hobnob import text
from hobnob.testing.discord.ledger import trouble
from hobnob_discord.adapter import DiscordAdapter
from hobnob_discord.content import NOTHING, content

NASTY = (
    *("**", "*", "_", "__", "`", "```", "```python\n", "~~", "||", "# ", "> ", ">>> ", "- ", "-# "),
    *("@everyone", "@here", "<@1>", "<@&2>", "<#3>", "<:a:4>", "<t:5:R>", "</help:6>", "[a](b)"),
    *("\n", "\n\n", " ", "\t", "\r\n", "\r", "\x0b", "\x1b[31m", "\0", "\x7f", "\x85", "\u2028"),
    *("\u200b", "\u200d", "\u202e", "\ufeff", "\u00a0", "\u3000", "\u2800", "\u3164", "\u115f"),
    *(
        "\ud800",
        "\udc00",
        "\ud83d",
        "\ude42",
        "🙂",
        "👩‍👧",
        "e\u0301",
        "\ufe0f",
        "\U000e0041",
        "\uffff",
    ),
    *("word", "x" * 700, "🙂" * 700),
)
nasty = st.lists(st.sampled_from(NASTY), max_size=40).map("".join)
anything = st.text(st.characters(exclude_categories=()), max_size=300)  # surrogates too


@given(nasty | anything)
def test_discord_takes_every_part_of_every_text(whole: str) -> None:
    parts = text.split(whole, DiscordAdapter.limits)
    for part in parts:
        assert trouble({"content": content(part)}) is None
    assert bool(parts) == bool(whole.strip())


@given(nasty | anything)
def test_nothing_is_changed_twice_and_nothing_grows(whole: str) -> None:
    kept = content(whole)
    assert content(kept) == kept
    assert len(kept) <= max(len(whole), len(NOTHING))


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("  hello\n", "hello"),
        ("a\0b\x1b[31mc", "ab[31mc"),
        ("one\r\ntwo\tthree", "one\ntwo\tthree"),
        ("\ud83d\ude42", "🙂"),  # the two halves of one character
        ("half \ud83d", "half \ufffd"),
        ("\u200b\u2060 \n", NOTHING),
        ("\u2800\u3164", NOTHING),
        ("\ufe0f", NOTHING),
        ("\U0001fae8", "\U0001fae8"),  # an emoji that this Python has not heard of
        ("**", "**"),
        ("@everyone <@1>", "@everyone <@1>"),  # pings nobody: see allowed_mentions
    ],
)
def test_what_is_sent(written: str, sent: str) -> None:
    assert content(written) == sent


def test_the_limit_counts_code_points_as_discord_does() -> None:
    assert text.split("🙂" * 2000, DiscordAdapter.limits) == ["🙂" * 2000]
    assert trouble({"content": "🙂" * 2000}) is None
    assert trouble({"content": "🙂" * 2001}) is not None
