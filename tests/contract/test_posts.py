"""Posts on a schedule: drafted ahead, approved by an owner, published once; on both databases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hobnob.chat import Chat, Stores
from hobnob.conversation import ConversationKey
from hobnob.errors import EngineError
from hobnob.events import Addressed, Author, Event, Kind, Media, Visibility
from hobnob.jobs import Jobs
from hobnob.media import MOST, describe
from hobnob.memory.recall import Remembering
from hobnob.persona import Persona
from hobnob.policy import Rules
from hobnob.ports import Limits
from hobnob.posts.owner import Review
from hobnob.posts.poster import Poster
from hobnob.posts.review import preview
from hobnob.posts.rule import Rule
from hobnob.store import upkeep
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.inbox import SqlInbox
from hobnob.store.memory import SqlMemory
from hobnob.store.outbox import SqlOutbox
from hobnob.store.posts import Post, SqlPosts
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine

CLUB = key("club")
TIMELINE = key("timeline", platform="birds")
DESK = key("desk")
OWNER = Author(id="owner", name="Olga")
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOON = START + timedelta(days=1)


def rule(**values: Any) -> Rule:
    given = {
        "name": "daily",
        "when": "0 12 * * *",
        "zone": "UTC",
        "to": (CLUB, TIMELINE),
        "prompt": "Write about birds.",
    }
    return Rule(**{**given, **values})


class World:
    """A bot on two platforms, whose owner sits at a desk on one of them."""

    def __init__(
        self,
        database: Database,
        *rules: Rule,
        answers: Sequence[str | Exception] = (),
        folder: Path = Path(),
    ) -> None:
        self.folder = folder
        self.database = database
        self.clock = FakeClock(START)
        self.engine = ScriptedEngine(answers or [f"Draft {n}." for n in range(1, 9)])
        buttons = Limits(max_length=2000, buttons=True, media=MOST)
        self.here = FakeAdapter(limits=buttons)
        self.birds = FakeAdapter("birds", limits=Limits(max_length=500, media=MOST))
        self.feed = b""
        self.start(*rules)

    def start(self, *rules: Rule) -> None:
        """Also again, after a kill, with what bot.toml says now."""
        self.posts = SqlPosts(self.database)
        self.poster = Poster(
            rules,
            review=Review(where=DESK, owners=frozenset({"fake/owner"})),
            posts=self.posts,
            persona=Persona(name="Quill", text="You are Quill."),
            engine=self.engine,
            adapters={"fake": self.here, "birds": self.birds},
            clock=self.clock,
            fetch=self._fetch,
            folder=self.folder,
        )
        self.chat = Chat(
            persona=Persona(name="Quill", text="You are Quill."),
            rules=Rules(burst_seconds=0),
            engine=self.engine,
            memory=Remembering(SqlMemory(self.database, self.clock)),
            stores=Stores(
                inbox=SqlInbox(self.database, self.clock),
                outbox=SqlOutbox(self.database),
                history=SqlHistory(self.database),
            ),
            adapters={"fake": self.here, "birds": self.birds},
            clock=self.clock,
            jobs=Jobs([self.poster]),
            folder=self.folder,
        )

    async def _fetch(self, url: str) -> bytes:
        return self.feed

    async def tick(self, to: datetime | None = None) -> None:
        """What the bot does by itself, once, when it is this late."""
        if to:
            self.clock.advance((to - self.clock.now()).total_seconds())
        await self.poster.plan()
        for where in [*await self.poster.publish(), *(await self.poster.draft() or ())]:
            self.chat.wake(where)
            await self.chat.settled(where)

    async def decide(self, text: str, **changes: Any) -> str:
        """What the owner says at the desk, and what they are told."""
        values = {"author": OWNER, "key": DESK, "kind": Kind.COMMAND, "addressed": Addressed.NONE}
        event: Event = replace(self.here.event(text), **{**values, **changes})
        before = len(self.here.sent)
        await self.chat.receive(event, None)
        await self.chat.settled(event.key)
        return "\n".join(reply.text for reply in self.here.sent[before:])

    def limits(self, where: ConversationKey) -> Limits:
        return (self.here if where.platform == "fake" else self.birds).limits

    def at(self, where: ConversationKey) -> list[str]:
        platform = self.here if where.platform == "fake" else self.birds
        return [reply.text for reply in platform.sent if reply.key == where]

    async def states(self) -> list[tuple[int, str]]:
        found = [*await self.posts.open(), *await self.posts.over(100)]
        return sorted((post.number, post.state) for post in found)


async def test_a_fixed_text_goes_out_at_its_time_everywhere_once(database: Database) -> None:
    world = World(database, rule(prompt="", text="Good morning!", visibility=Visibility.PUBLIC))
    await world.tick()
    await world.tick(NOON - timedelta(seconds=1))
    assert world.at(CLUB) == []
    for _ in range(3):
        await world.tick(NOON)
    assert world.at(CLUB) == world.at(TIMELINE) == ["Good morning!"]
    assert world.birds.sent[0].visibility is Visibility.PUBLIC
    await world.tick(NOON + timedelta(days=1))
    assert len(world.at(CLUB)) == 2


async def test_what_the_model_wrote_goes_out_only_when_an_owner_approved(
    database: Database,
) -> None:
    world = World(database, rule())
    await world.tick()
    (shown,) = world.at(DESK)
    assert "Draft 1." in shown
    assert "Fri 02 Jan 2026, 12:00 (UTC)" in shown
    (approve, *_) = world.here.sent[-1].buttons
    assert (await world.decide(approve.command)).startswith("Approved: post 1")
    await world.tick(NOON)
    assert world.at(CLUB) == world.at(TIMELINE) == ["Draft 1."]
    acts = [(act.what, act.who) for _, act in await world.posts.acts(1)]
    assert acts[:3] == [("planned", "hobnob"), ("drafted", "hobnob"), ("approved", "fake/owner")]
    assert [what for what, _ in acts[3:]] == ["posted", "posted"]


async def test_what_nobody_approved_is_not_posted_and_the_owner_is_told(
    database: Database,
) -> None:
    world = World(database, rule())
    await world.tick()
    await world.tick(NOON)
    assert world.at(CLUB) == world.at(TIMELINE) == []
    assert "nobody had approved it" in world.at(DESK)[1]
    await world.tick(NOON)
    assert sum("Not posted" in text for text in world.at(DESK)) == 1
    assert (1, "skipped") in await world.states()
    assert await world.decide("/approve 1") == "Post 1 is skipped already."


async def test_approval_is_switched_off_for_one_rule_by_name(database: Database) -> None:
    world = World(database, rule(name="free", approve=False), rule(name="held"))
    await world.tick()
    await world.tick()
    await world.tick(NOON)
    assert len(world.at(CLUB)) == 1


async def test_an_edit_voids_the_approval(database: Database) -> None:
    world = World(database, rule())
    await world.tick()
    await world.decide("/approve 1")
    shown = await world.decide("/edit 1 Birds  are\nback.")
    assert "> Birds  are\n> back." in shown
    await world.tick(NOON)
    assert world.at(CLUB) == []


async def test_an_edited_text_goes_out_as_it_was_approved(database: Database) -> None:
    world = World(database, rule())
    await world.tick()
    await world.decide("/edit 1 Birds are back.")
    await world.decide("/approve 1")
    await world.tick(NOON)
    assert world.at(CLUB) == ["Birds are back."]


async def test_a_button_under_an_older_draft_approves_nothing(database: Database) -> None:
    world = World(database, rule())
    await world.tick()
    (approve, *_) = world.here.sent[-1].buttons
    await world.decide("/redraft 1 shorter")
    await world.tick()
    assert "shorter" in world.engine.prompts[-1][-1].content
    assert "Draft 2." in world.at(DESK)[-1]
    assert "an older draft" in await world.decide(approve.command)
    await world.tick(NOON)
    assert world.at(CLUB) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"visibility": Visibility.PUBLIC},
        {"warning": "birds"},
        {"hashtags": ("#birds",)},
        {"to": (key("others"),)},
    ],
)
async def test_an_approval_is_for_this_place_warning_and_visibility_alone(
    database: Database, changed: dict[str, Any]
) -> None:
    world = World(database, rule())
    await world.tick()
    await world.decide("/approve 1")
    world.start(rule(**changed))
    await world.tick()
    await world.tick()
    await world.chat.resume("fake")
    await world.chat.settled(DESK)
    assert "waits for approval" in await world.decide("/posts")
    assert sum(text.startswith("A draft: post 1") for text in world.at(DESK)) == 2
    await world.tick(NOON)
    assert world.at(CLUB) == world.at(TIMELINE) == world.at(key("others")) == []
    assert any("nobody had approved it as it is" in text for text in world.at(DESK))


async def test_nobody_but_an_owner_decides(database: Database) -> None:
    world = World(database, rule())
    await world.tick()
    ben = Author(id="ben", name="Ben")
    for command in ("/approve 1", "/edit 1 spam", "/posts", "/reject 1", "/redraft 1"):
        assert "my owners alone" in await world.decide(command, author=ben)
    elsewhere = {"key": key("ben"), "addressed": Addressed.DIRECT, "author": ben}
    assert "my owners alone" in await world.decide("/approve 1", **elsewhere)
    assert (1, "drafted") in await world.states()
    await world.tick(NOON)
    assert world.at(CLUB) == []


async def test_of_an_owner_who_is_forgotten_what_they_did_stays_without_them(
    database: Database,
) -> None:
    world = World(database, rule())
    await world.tick()
    await world.decide("/redraft 1 as my sister would")
    await SqlMemory(database, world.clock).forget_person("fake", "bot", OWNER.id)
    acts = [act for _, act in await world.posts.acts(1)]
    assert [(act.what, act.who, act.note) for act in acts[-1:]] == [("redraft", "somebody", "")]
    (post, *_) = await world.posts.open()
    assert post.wish == ""
    decided = await upkeep.decisions(database, DESK, 9)
    assert [each for each in decided if each.author or OWNER.id in each.reason] == []


async def test_in_a_room_that_is_not_the_desk_only_what_is_said_to_the_bot_counts(
    database: Database,
) -> None:
    world = World(database, rule())
    await world.tick()
    assert await world.decide("/approve 1", key=CLUB) == ""
    assert "Approved" in await world.decide("/approve 1", key=CLUB, addressed=Addressed.MENTION)


async def test_a_rejected_post_does_not_go_out(database: Database) -> None:
    world = World(database, rule())
    await world.tick()
    assert await world.decide("/reject 1 too dull") == "Post 1 does not go out."
    await world.tick(NOON)
    assert world.at(CLUB) == []
    assert [act.note for _, act in await world.posts.acts(1)][-1] == "too dull"


async def test_what_is_late_after_an_absence_is_skipped_and_the_owner_is_told(
    database: Database,
) -> None:
    world = World(database, rule(prompt="", text="Good morning!"))
    await world.tick()
    await world.tick(NOON + timedelta(hours=1, seconds=1))
    assert world.at(CLUB) == []
    assert "more than 60 minutes after its time" in world.at(DESK)[0]


async def test_what_is_a_little_late_goes_out(database: Database) -> None:
    world = World(database, rule(prompt="", text="Good morning!"))
    await world.tick()
    await world.tick(NOON + timedelta(minutes=59))
    assert world.at(CLUB) == ["Good morning!"]


async def test_after_a_long_absence_one_is_told_of_and_the_next_comes(database: Database) -> None:
    world = World(database, rule(prompt="", text="Good morning!"))
    await world.tick()
    await world.tick(NOON + timedelta(days=9, hours=3))
    await world.tick()
    told = len(world.at(DESK))
    assert world.at(CLUB) == []
    assert 1 <= told <= 2
    await world.tick(NOON + timedelta(days=10))
    assert world.at(CLUB) == ["Good morning!"]


async def test_what_bot_toml_no_longer_wants_is_withdrawn_and_may_come_back(
    database: Database,
) -> None:
    morning = rule(prompt="", text="Good morning!")
    world = World(database, morning)
    await world.tick()
    world.start(replace(morning, when="0 13 * * *"))
    await world.tick()
    assert await world.states() == [(1, "withdrawn"), (2, "planned")]
    world.start(morning)
    await world.tick()
    await world.tick(NOON + timedelta(hours=2))
    await world.tick()
    world.start()
    await world.tick()
    assert all(state != "planned" for _, state in await world.states())


async def test_a_kill_between_any_two_steps_publishes_once(database: Database) -> None:
    """Each step is a transaction; the bot is started anew before each."""
    world = World(database, rule())
    for _ in range(3):
        world.start(rule())
        await world.tick()
    world.start(rule())
    await world.decide("/approve 1")
    world.clock.advance(86_400)
    world.start(rule())
    await world.poster.publish()  # killed before anything was sent
    for _ in range(3):
        world.start(rule())
        for platform in ("fake", "birds"):
            await world.chat.resume(platform)
        await world.tick()
        for where in (CLUB, TIMELINE):
            await world.chat.settled(where)
    assert world.at(CLUB) == world.at(TIMELINE) == ["Draft 1."]


async def test_two_at_once_publish_it_once(database: Database) -> None:
    world = World(database, rule(prompt="", text="Good morning!"))
    await world.tick()
    world.clock.advance(86_400)
    first, (post,) = world.poster, await world.posts.open(until=world.clock.now())
    world.start(rule(prompt="", text="Good morning!"))
    await first._publish(first._rules["daily"], post)
    await world.poster._publish(first._rules["daily"], post)  # it saw the same
    for where in (CLUB, TIMELINE):
        world.chat.wake(where)
        await world.chat.settled(where)
    assert world.at(CLUB) == world.at(TIMELINE) == ["Good morning!"]


async def test_a_long_text_becomes_a_thread_with_its_hashtags_at_the_end(
    database: Database,
) -> None:
    long = " ".join(f"Sentence number {n} is here." for n in range(30))
    world = World(database, rule(prompt="", text=long, hashtags=("#birds",), warning="long"))
    await world.tick()
    await world.tick(NOON)
    parts = [reply for reply in world.birds.sent if reply.key == TIMELINE]
    assert len(parts) > 1
    assert parts[1].follows == world.birds.ids[0] if hasattr(world.birds, "ids") else True
    assert all(len(part.text) + len("long") <= 500 for part in parts)
    assert [part.text.endswith("\n\n#birds") for part in parts] == [False] * (len(parts) - 1) + [
        True
    ]
    assert all(part.warning == "long" for part in parts)
    assert world.at(CLUB) == [f"{long}\n\n#birds"]


async def test_the_model_is_told_what_was_posted_before_and_how_long_it_may_be(
    database: Database,
) -> None:
    world = World(database, rule(approve=False))
    await world.tick()
    await world.tick(NOON)
    await world.tick()
    asked = world.engine.prompts[-1][-1].content
    assert "Write about birds." in asked
    assert "- Draft 1." in asked
    assert "at most 496 characters" in asked


async def test_a_model_that_fails_is_asked_again_later(database: Database) -> None:
    world = World(database, rule(), answers=[EngineError("too hot"), "Better."])
    await world.tick()
    await world.tick()
    assert world.at(DESK) == []
    world.clock.advance(61)
    await world.tick()
    assert "Better." in world.at(DESK)[0]


def rss(*titles: str) -> bytes:
    items = "".join(
        f"<item><title>{t}</title><link>https://example.org/{t}</link><guid>{t}</guid></item>"
        for t in titles
    )
    return f'<rss version="2.0"><channel><title>n</title>{items}</channel></rss>'.encode()


async def test_each_entry_of_a_feed_is_posted_once(database: Database) -> None:
    world = World(database, rule(prompt="", feed="https://example.org/feed", approve=False))
    world.feed = rss("two", "one")
    await world.tick()
    await world.tick(NOON)
    assert world.at(CLUB) == ["two\nhttps://example.org/two"]  # the newest, at the first sight
    world.feed = rss("four", "three", "two", "one")
    await world.tick()
    world.clock.advance(601)
    await world.tick()
    await world.tick(NOON + timedelta(days=1))
    world.clock.advance(601)
    await world.tick()
    await world.tick(NOON + timedelta(days=2))
    assert [text.split()[0] for text in world.at(CLUB)] == ["two", "three", "four"]
    world.clock.advance(601)
    await world.tick()
    await world.tick(NOON + timedelta(days=3))
    assert len(world.at(CLUB)) == 3


async def test_the_list_says_what_is_to_come_and_what_became_of_the_rest(
    database: Database,
) -> None:
    world = World(database, rule())
    await world.tick()
    assert "1. Fri 02 Jan 2026, 12:00 (UTC): daily, waits for approval. Draft 1." in (
        await world.decide("/posts")
    )
    await world.decide("/approve 1")
    assert "daily, approved." in await world.decide("/posts")
    await world.tick(NOON)
    assert "Over:\n1. Fri 02 Jan 2026, 12:00 (UTC): daily, posted." in (
        await world.decide("/posts")
    )


@pytest.mark.parametrize("command", ["/approve", "/approve x", "/edit", "/approve 99", "/edit ²"])
async def test_a_number_that_is_none_is_told(database: Database, command: str) -> None:
    world = World(database, rule())
    assert (await world.decide(command)).startswith("Which post?")


@pytest.mark.parametrize("decision", ["/reject 1", "/edit 1 Birds are back.", "/redraft 1 shorter"])
async def test_what_is_decided_just_before_it_goes_out_holds(
    database: Database, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(database, rule(approve=False))
    await world.tick()
    world.clock.advance((NOON - START).total_seconds())
    seen = await world.posts.open(until=NOON)
    await world.decide(decision)

    async def as_it_was(**_: Any) -> Sequence[Post]:
        return seen

    with monkeypatch.context() as patch:
        patch.setattr(world.posts, "open", as_it_was)
        await world.poster.publish()
    assert (1, "posted") not in await world.states()
    assert (await world.posts.get(1)) != seen[0]


def picture(folder: Path, data: bytes = b"") -> Media:
    (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return describe(folder, "cat.png", "A cat.")


async def test_a_post_has_its_files_where_they_are_taken_and_the_owner_is_told_where_not(
    database: Database, tmp_path: Path
) -> None:
    fixed = rule(prompt="", text="Good morning!", media=(picture(tmp_path),))
    world = World(database, fixed, folder=tmp_path)
    world.birds.limits = Limits(max_length=500)
    await world.tick()
    shown = preview(fixed, (await world.posts.open())[0], world.limits)
    assert "> Good morning!\n> [cat.png: A cat.]" in shown
    assert "does not go out there: a message takes no files" in shown
    await world.tick(NOON)
    (sent,) = [reply for reply in world.here.sent if reply.key == CLUB]
    assert (sent.text, [file.alt for file in sent.media]) == ("Good morning!", ["A cat."])
    assert world.at(TIMELINE) == []
    (told,) = world.at(DESK)
    assert "a message takes no files, and there are 1" in told


async def test_an_approval_does_not_outlive_a_change_of_the_file(
    database: Database, tmp_path: Path
) -> None:
    world = World(database, rule(media=(picture(tmp_path),)), folder=tmp_path)
    await world.tick(NOON - timedelta(hours=2))
    (draft,) = [reply for reply in world.here.sent if reply.key == DESK]
    assert "[cat.png: A cat.]" in draft.text
    approve = draft.buttons[0].command
    assert "Approved" in await world.decide(approve)
    world.start(rule(media=(picture(tmp_path, b"another"),)))
    await world.tick()
    assert "That was an older draft" in await world.decide(approve)
    await world.tick(NOON)
    assert world.at(CLUB) == []
    assert any("nobody had approved it" in told for told in world.at(DESK))


@pytest.mark.parametrize("is_gone", [True, False])
async def test_a_file_that_is_gone_or_another_when_it_is_due_stops_the_post(
    database: Database, tmp_path: Path, is_gone: bool
) -> None:
    fixed = rule(prompt="", text="Good morning!", media=(picture(tmp_path),))
    world = World(database, fixed, folder=tmp_path)
    await world.tick()
    if is_gone:
        (tmp_path / "cat.png").unlink()
    else:
        picture(tmp_path, b"another")
    await world.tick(NOON)
    assert world.at(CLUB) == world.at(TIMELINE) == []
    assert ("there is no cat.png" if is_gone else "not what it was") in world.at(DESK)[-1]
    (post,) = await world.posts.over(1)
    assert post.state == "skipped"
