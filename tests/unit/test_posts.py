"""Words for times, what bot.toml may say of posts, feeds, and calendars."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError, PageFailed
from hobnob.events import Media, Visibility
from hobnob.ports import Limits
from hobnob.posts import feed, when
from hobnob.posts.calendar import Entry, ics
from hobnob.posts.rule import Rule
from hobnob.posts.table import PostTable, ReviewTable, rules
from hobnob.posts.version import fingerprint, mark, parts
from hobnob.validate import check


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("every day at 9", "RRULE:FREQ=DAILY;BYHOUR=9;BYMINUTE=0"),
        (
            "Every  Weekday at 9:30",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9;BYMINUTE=30",
        ),
        ("every weekend at noon", "RRULE:FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=12;BYMINUTE=0"),
        (
            "every monday, tuesday and sunday at 9 pm",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,SU;BYHOUR=21;BYMINUTE=0",
        ),
        ("every day at 9 and 17", "RRULE:FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0"),
        ("every month on the 1st at 12 am", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=0;BYMINUTE=0"),
        (
            "every year on 24 december at 8",
            "RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24;BYHOUR=8;BYMINUTE=0",
        ),
        ("every hour", "RRULE:FREQ=HOURLY"),
        (" 0 9 * * 1-5 ", "0 9 * * 1-5"),
    ],
)
def test_words_become_a_rule(words: str, rule: str) -> None:
    assert when.rule(words) == rule


@pytest.mark.parametrize(
    "words",
    [
        "every day",
        "every day at",
        "every day at 25",
        "every day at 13 pm",
        "every day at 9:75",
        "every day at 9 and 17:30",
        "every other day at 9",
        "every munday at 9",
        "every month on the 32nd at 9",
        "every year on 24 decembre at 9",
        "on mondays",
        "tomorrow at 9",
    ],
)
def test_words_that_are_not_known_are_refused_and_nothing_is_guessed(words: str) -> None:
    with pytest.raises(ValueError):
        when.rule(words)


POST = {"name": "p", "when": "every day at 9", "to": ["fake:bot:club"], "text": "Hello!"}


def test_a_post_takes_the_bots_zone_unless_it_has_its_own() -> None:
    table = check(PostTable, {**POST, "hashtags": ["birds", "#owls"], "visibility": "public"})
    rule = table.rule("Europe/Berlin")
    assert (rule.zone, rule.hashtags) == ("Europe/Berlin", ("#birds", "#owls"))
    assert rule.visibility is Visibility.PUBLIC
    assert check(PostTable, {**POST, "zone": "Asia/Tokyo"}).rule("UTC").zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "Write."}, "needs text"),
        ({"text": " "}, "needs text"),
        ({"when": "now and then"}, "posts.when: "),
        ({"zone": "Berlin"}, "time zone"),
        ({"to": []}, "posts.to: "),
        ({"to": ["club"]}, "not a conversation"),
        ({"to": ["fake:bot:club", "fake:bot:club"]}, "twice"),
        ({"hashtags": ["#two words"]}, "no hashtag"),
        ({"hashtags": ["#" + "x" * 101]}, "more than 100"),
        ({"text": "", "feed": "file:///etc/passwd"}, "must be a link"),
        ({"late": 0}, "at least 1"),
        ({"visibility": "secret"}, "posts.visibility"),
        ({"media": [{"file": "cat.png"}]}, "posts.media.0.alt: is missing"),
        ({"media": [{"file": "cat.png", "alt": " "}]}, "posts.media.0.alt: "),
        ({"media": [{"file": "cat.png", "alt": "x" * 1501}]}, "posts.media.0.alt: "),
        ({"media": [{"file": "cat.png", "alt": "A cat."}] * 11}, "posts.media: "),
    ],
)
def test_what_a_post_can_not_be_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(PostTable, {**POST, **changes}, at="posts")


def test_files_of_posts_must_be_there_and_go_together(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\ncat")
    (tmp_path / "cat.gif").write_bytes(b"GIF89a")
    cat, film, dog = ({"file": f, "alt": "It."} for f in ("cat.png", "cat.gif", "dog.png"))
    tables = [
        check(PostTable, {**POST, "media": each}) for each in ([cat], [cat, dog], [cat, film])
    ]
    with pytest.raises(ConfigError) as wrong:
        rules(tables, "UTC", tmp_path)
    assert str(wrong.value).splitlines() == [
        "bot.toml: posts.1.media.1.file: there is no dog.png in the bot's folder.",
        "bot.toml: posts.2.media: cat.gif is image/gif: only image/png, image/jpeg, image/webp"
        " go together.",
    ]
    (rule,) = rules(tables[:1], "UTC", tmp_path)
    assert [(file.file, file.alt) for file in rule.media] == [("cat.png", "It.")]


def test_owners_are_people_on_a_platform() -> None:
    assert check(ReviewTable, {"owners": ["discord/1"]}).owners == ("discord/1",)
    with pytest.raises(ConfigError, match="no person"):
        check(ReviewTable, {"owners": ["olga"]})


RULE = Rule(
    name="p",
    when="0 9 * * *",
    zone="UTC",
    to=(ConversationKey(platform="fake", account="bot", room="club"),),
    hashtags=("#birds",),
)


@pytest.mark.parametrize("length", [10, 480, 490, 491, 499, 700, 3000])
def test_every_part_fits_and_the_hashtags_end_the_last(length: int) -> None:
    limits = Limits(max_length=500)
    body = ("word " * length)[:length].strip()
    made = parts(RULE, body, limits)
    assert all(len(part) <= 500 for part in made)
    assert [part.endswith("\n\n#birds") for part in made] == [False] * (len(made) - 1) + [True]
    assert " ".join(made).replace("#birds", "").split() == body.split()


def test_links_count_as_the_platform_counts_them() -> None:
    shortened = Limits(max_length=500, length=lambda text: 23 if "://" in text else len(text))
    assert len(parts(RULE, f"https://example.org/{'x' * 600}", shortened)) == 1


def test_a_fingerprint_tells_places_and_texts_apart() -> None:
    (key,) = RULE.to
    other = ConversationKey(platform="fake", account="bot", room="other")
    assert len({fingerprint(RULE, k, t) for k in (key, other) for t in ("a", "b")}) == 4


def test_an_approval_and_its_button_are_for_the_files_too() -> None:
    (key,) = RULE.to
    cat = Media(file="cat.png", media_type="image/png", size=1, digest="1", alt="A cat.")
    files = [(), (cat,), (replace(cat, digest="2"),), (replace(cat, alt="A dog."),), (cat, cat)]
    made = [replace(RULE, media=each) for each in files]
    assert len({fingerprint(rule, key, "a") for rule in made}) == 5
    assert len({mark(rule, "a") for rule in made}) == 5


def test_a_feed_gives_its_entries_as_plain_text_and_no_strange_links() -> None:
    atom = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>n</title>
    <entry><id>2</id><title type="html">Two &lt;b&gt;owls&lt;/b&gt;</title>
    <link href="https://example.org/2"/><summary>seen</summary></entry>
    <entry><id>1</id><title>One</title><link href="javascript:alert(1)"/></entry></feed>"""
    two, one = feed.parse(atom)
    assert two.post == "Two owls\nhttps://example.org/2"
    assert one.post == "One"
    assert feed.next_entry([two, one], set()) == two
    assert feed.next_entry([two, one], {two.id}) == one
    assert feed.next_entry([two, one], {two.id, one.id}) is None


@pytest.mark.parametrize("body", [b"", b"hello", b"<html><body>x</body></html>", b"\xff\x00" * 99])
def test_what_is_no_feed_is_told(body: bytes) -> None:
    with pytest.raises(PageFailed, match="no feed"):
        feed.parse(body)


def test_a_calendar_is_folded_and_escaped() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    made = ics([Entry(id="1@x", at=at, title="ä;b,c\\d", text="é" * 100 + "\nEND:VEVENT")], "x", at)
    lines = made.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "DTSTART:20261201T090000Z" in lines
    assert "SUMMARY:ä\\;b\\,c\\\\d" in lines
    assert lines.count("END:VEVENT") == 1
    whole = made.replace("\r\n ", "")
    assert "DESCRIPTION:" + "é" * 100 + "\\nEND:VEVENT\r\n" in whole
