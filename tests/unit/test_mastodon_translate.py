"""From notifications to events."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hobnob.commands import COMMANDS
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Attachment, Author, Event, Kind, Quote, Visibility
from hobnob_mastodon.markup import LONGEST, to_text
from hobnob_mastodon.translate import Me, to_deletion, to_edit, to_event

ME = Me(id="1", acct="robin", url="https://here.example/@robin")
US = {"id": "1", "acct": "robin", "url": "https://here.example/@robin"}
BEA = {"id": "9", "acct": "bea@there.example", "url": "https://there.example/@bea"}


def mention(person: dict[str, str]) -> str:
    name = person["acct"].partition("@")[0]
    return (
        f'<span class="h-card" translate="no"><a href="{person["url"]}" class="u-url mention">'
        f"@<span>{name}</span></a></span>"
    )


def notification(content: str = "", **status: Any) -> dict[str, Any]:
    return {
        "id": "77",
        "type": "mention",
        "status": {
            "id": "500",
            "created_at": "2026-10-01T12:00:00.000+02:00",
            "edited_at": None,
            "content": content or f"<p>{mention(US)} hello</p>",
            "visibility": "public",
            "spoiler_text": "",
            "in_reply_to_id": None,
            "in_reply_to_account_id": None,
            "mentions": [US],
            "media_attachments": [],
            "account": {
                "id": "5",
                "acct": "ann@far.example",
                "display_name": "Ann ☀",
                "bot": False,
            },
            **status,
        },
    }


def event(content: str = "", **status: Any) -> Event:
    found = to_event(notification(content, **status), ME)
    assert found is not None
    return found


def test_a_mention_becomes_an_event() -> None:
    assert event() == Event(
        id="m500",
        kind=Kind.MESSAGE,
        key=ConversationKey(platform="mastodon", account="1", room="5", thread="public"),
        author=Author(id="5", name="Ann ☀", handle="@ann@far.example"),
        at=datetime(2026, 10, 1, 10, tzinfo=UTC),
        message="500",
        text="hello",
        addressed=Addressed.MENTION,
        visibility=Visibility.PUBLIC,
    )


@pytest.mark.parametrize(
    ("visibility", "expected", "thread", "addressed"),
    [
        ("public", Visibility.PUBLIC, "public", Addressed.MENTION),
        ("unlisted", Visibility.UNLISTED, "public", Addressed.MENTION),
        ("private", Visibility.FOLLOWERS, "followers", Addressed.MENTION),
        ("direct", Visibility.DIRECT, "direct", Addressed.DIRECT),
        ("a fork's own", Visibility.DIRECT, "direct", Addressed.DIRECT),
    ],
)
def test_what_is_said_privately_is_another_conversation(
    visibility: str, expected: Visibility, thread: str, addressed: Addressed
) -> None:
    found = event(visibility=visibility)

    assert (found.visibility, found.key.thread, found.addressed) == (expected, thread, addressed)


def test_an_answer_to_a_post_of_ours_is_a_reply() -> None:
    found = event(in_reply_to_id="400", in_reply_to_account_id="1")

    assert (found.addressed, found.reply_to) == (Addressed.REPLY, "400")


def test_an_answer_to_somebody_else_only_mentions_us() -> None:
    assert event(in_reply_to_id="4", in_reply_to_account_id="5").addressed is Addressed.MENTION


def test_bots_warnings_and_attachments_are_seen() -> None:
    account = {"id": "5", "acct": "ann", "display_name": " ", "bot": True}
    media = [
        {"id": "8", "type": "image", "url": "https://x.example/a.png?2", "description": "A cat"},
        {"type": "gifv", "url": None, "remote_url": "https://x.example/b", "description": None},
        {"type": "image", "url": "https://x.example/c", "remote_url": "https://x.example/c"},
    ]

    found = event(account=account, spoiler_text="food", media_attachments=media)

    assert found.author == Author(id="5", name="ann", is_bot=True, handle="@ann")
    assert found.warning == "food"
    assert found.attachments == (
        Attachment(media_type="image/png", alt="A cat", url="https://x.example/a.png?2", id="8"),
        Attachment(media_type="video/mp4"),
        Attachment(media_type="image/*"),
    )


@pytest.mark.parametrize("other", ["follow", "poll", "update", "reblog", "quote", "status"])
def test_other_notifications_are_no_events(other: str) -> None:
    assert to_event(notification() | {"type": other}, ME) is None


def test_a_favourite_of_an_answer_belongs_to_whom_it_answers() -> None:
    fan = {"id": "6", "acct": "carl", "display_name": "Carl"}
    ours = notification(mentions=[BEA], account=US, id="600")["status"]
    favourite = {"id": "78", "type": "favourite", "account": fan, "status": ours}

    found = to_event(favourite, ME)

    assert found is not None
    assert (found.kind, found.message, found.text) == (Kind.REACTION, "600", "⭐")
    assert (found.author.id, found.key.room, found.key.thread) == ("6", "9", "public")


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ("/forget everything", "/forget everything"),
        ("forget everything", "/forget everything"),
        ("Forget everything!", "/forget everything"),
        ("/help", "/help"),
        ("help", "/help"),
        ("memory why 2", "/memory why 2"),
        ("/language Klingon", "/language Klingon"),
        ("help me with my homework", ""),
        ("forget it", ""),
        ("memory is a funny thing", ""),
        ("/etc/hosts is what?", ""),
        ("/me waves", ""),
    ],
)
def test_commands_are_words(said: str, command: str) -> None:
    found = to_event(notification(f"<p>{mention(US)} {said}</p>"), ME, COMMANDS)

    assert found is not None
    assert (found.kind, found.text) == (
        (Kind.COMMAND, command) if command else (Kind.MESSAGE, said)
    )


def quoting(quoted_visibility: str, account: dict[str, str], **status: Any) -> Quote | None:
    quoted = notification("<p>the moon is made of cheese</p>", account=account)["status"]
    quote = {"state": "accepted", "quoted_status": quoted | {"visibility": quoted_visibility}}
    return event(quote=quote, **status).quoted


def test_what_is_quoted_comes_along_unless_it_is_ours_or_more_private() -> None:
    bea = BEA | {"display_name": "Bea"}
    cheese = Quote(author="Bea", text="the moon is made of cheese")

    assert quoting("public", bea) == cheese
    assert quoting("unlisted", bea) == cheese
    assert quoting("private", bea, visibility="private") == cheese
    assert quoting("private", bea) is None
    assert quoting("direct", bea, visibility="private") is None
    assert quoting("public", US) is None
    assert event(quote={"state": "pending", "quoted_status": None}).quoted is None


def test_only_an_edit_that_mentions_us_is_handed_in() -> None:
    status = notification(edited_at="2026-10-01T13:00:00Z")["status"]

    found = to_edit(status, ME)

    assert found is not None
    assert (found.kind, found.message, found.text) == (Kind.EDIT, "500", "hello")
    assert found.at == datetime(2026, 10, 1, 13, tzinfo=UTC)
    assert to_edit(status | {"mentions": [BEA]}, ME) is None
    assert to_edit(status | {"edited_at": None}, ME) is None


def test_each_edit_has_an_id_of_its_own_that_stays_the_same() -> None:
    def edit_at(time: object) -> str:
        found = to_edit(notification(edited_at=time)["status"], ME)
        assert found is not None
        return found.id

    same = datetime(2026, 10, 1, 13, tzinfo=UTC)
    assert edit_at("2026-10-01T13:00:00Z") == edit_at(same) != edit_at("2026-10-01T13:00:01Z")


def test_a_deletion_names_the_message() -> None:
    said = event()

    found = to_deletion("500", said.key, said.author, said.at)

    assert (found.kind, found.message, found.key) == (Kind.DELETE, "500", said.key)


# --------------------------------------------------------------------------------- what comes in


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"<p>{mention(US)} hello</p>", "hello"),
        (f"<p>{mention(US)}, hello</p>", "hello"),
        (f"<p>{mention(BEA)} {mention(US)} hello</p>", "@bea@there.example hello"),
        (f"<p>hello {mention(US)}</p>", "hello @robin"),
        (f"<p>{mention(US)}</p>", ""),
        (f"<p>{mention(US)}</p><p>hello</p>", "hello"),
        ("<p>@robin@here.example hello</p>", "hello"),
        ("<p>@robinson hello</p>", "@robinson hello"),
    ],
)
def test_our_mention_at_the_beginning_is_left_out(content: str, expected: str) -> None:
    assert event(content, mentions=[US, BEA]).text == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<p>one</p><p>two<br/>three</p>", "one\n\ntwo\nthree"),
        ("<p>a &lt;b&gt; &amp;amp; &#39;c&#39;</p>", "a <b> &amp; 'c'"),
        ("<p>very\n  <strong>loud</strong> and <em>soft</em></p>", "very **loud** and *soft*"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("<blockquote><p>said</p></blockquote><p>so</p>", "> said\n\nso"),
        ("<blockquote><p>a</p><p>b<br>c</p></blockquote>", "> a\n>\n> b\n> c"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n>\n> > b\n\nc"),
        ("<ol><li>a</li><li><p>b</p></li></ol><p>c</p>", "1. a\n2. b\n\nc"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ('<p class="quote-inline">RE: <a href="https://a.example/1">a</a></p><p>hi</p>', "hi"),
        ("<pre><code>if x:\n    y</code></pre>", "```\nif x:\n    y\n```"),
        (
            '<p>see <a href="https://a.example/long/path"><span class="invisible">https://</span>'
            '<span class="ellipsis">a.example/lo</span><span class="invisible">ng/path</span></a>',
            "see https://a.example/long/path",
        ),
        ('<a href="https://a.example/b">the page</a>', "[the page](https://a.example/b)"),
        ('<a href="https://a.example/tags/x" class="hashtag">#<span>x</span></a>', "#x"),
    ],
)
def test_html_becomes_text(content: str, expected: str) -> None:
    assert to_text(content, {}) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<script>alert(1)</script>hi", "hi"),
        ("hi<script>alert(1)", "hi"),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ("<p>one<p>two</p></div></p></p>", "one\n\ntwo"),
        ('<p title="a>b">hi</p>', "hi"),
        ('<p>hi <a href="https://a.example', "hi"),
        ("<![CDATA[x]]>hi<!-- there -->", "hi"),
        ("<![hi", ""),
        ('<a href="https://a.example/b">unclosed', "[unclosed](https://a.example/b)"),
        ("nul \x00 and half \ud800 pair", "nul and half pair"),
        ("&#0;&#xD800;hi", "\ufffd\ufffdhi"),
    ],
)
def test_hostile_html_leaves_no_tags(content: str, expected: str) -> None:
    assert to_text(content, {}) == expected


@given(st.text(alphabet="<>/!?-[]\"'= abipré\n", max_size=200))
@settings(deadline=None)
def test_nothing_that_looks_like_html_crashes_or_leaks(content: str) -> None:
    assert "<" not in to_text(content, {})


@pytest.mark.parametrize(
    "piece",
    [
        "<a ",
        "<",
        "<!--",
        '<a b="',
        "</a",
        "<p>",
        "<script>",
        "<a href='x'>",
        "&",
        "<a>x",
        "<li>",
        "<ul>",
        "<blockquote>x",
    ],
)
def test_hostile_html_takes_no_time(piece: str) -> None:
    start = time.perf_counter()

    found = to_text(piece * (LONGEST // len(piece)), {})

    assert len(found) <= LONGEST
    assert time.perf_counter() - start < 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
@settings(deadline=None)
def test_an_unexpected_value_is_no_crash(value: Any) -> None:
    found = event(
        spoiler_text=value, content=value, visibility=value, created_at=value, quote=value
    )

    assert "\x00" not in found.text + found.warning
