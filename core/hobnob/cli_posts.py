"""`hobnob posts` and `hobnob review`: what the bot is going to post, and the owner's word on it."""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hobnob.cli_bot import BotName, fail, limits_of, load, run_until_done
from hobnob.recurrence import next_due
from hobnob.terminal import out, show

if TYPE_CHECKING:
    from hobnob.conversation import ConversationKey
    from hobnob.ports import Limits
    from hobnob.posts.desk import Desk
    from hobnob.posts.rule import Rule
    from hobnob.settings import Bot
    from hobnob.store.posts import Post, SqlPosts

posts = typer.Typer(help="What the bot posts by itself.", no_args_is_help=True)

TERMINAL = "terminal"
KEYS = "[a]pprove  [e]dit  [r]eject  re[d]raft  [s]kip  [q]uit"
LONGEST_IN_TABLE = 80
MOST_SHOWN = 500
"""Times in a calendar."""


@posts.command("show")
def show_posts(
    bot: BotName = ".",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show exactly what would be sent where.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many that are over, at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show what is to come, and what became of the rest."""
    found = load(bot)

    async def read() -> list[dict[str, Any]]:
        async with _office(found) as office:
            coming, over = await office.coming(), await office.posts.over(limit)
            if dry_run:
                for post in coming:
                    office.print(post)
                return []
            return [await office.row(post) for post in [*reversed(over), *coming]]

    rows = run_until_done(read())
    if not dry_run:
        show(rows, as_json)


@posts.command()
def calendar(
    bot: BotName = ".",
    days: Annotated[int, typer.Option(min=1, max=366, help="How far to look ahead.")] = 30,
    ics: Annotated[bool, typer.Option("--ics", help="As iCalendar, for other programs.")] = False,
) -> None:
    """Show when the bot posts what."""
    from hobnob.posts.calendar import Entry
    from hobnob.posts.calendar import ics as written
    from hobnob.text import one_line

    found = load(bot)
    now = datetime.now(UTC)
    entries = sorted(
        (
            Entry(
                id=f"{rule.name}-{due.timestamp():.0f}@{found.settings.bot.name}",
                at=due,
                title=rule.name,
                text=f"{rule.text or rule.prompt or rule.feed}\n{', '.join(map(str, rule.to))}",
            )
            for rule in _rules(found)
            for due in islice(rule.times(now, now + timedelta(days=days)), MOST_SHOWN)
        ),
        key=lambda entry: entry.at,
    )
    if ics:
        sys.stdout.write(written(entries, found.settings.bot.name, now))
    else:
        show([{"at": e.at, "rule": e.title, "what": one_line(e.text)} for e in entries], False)


def review(bot: BotName = ".") -> None:
    """Decide about drafts, one after the other; in a pipe, list them."""
    found = load(bot)

    async def decide() -> None:
        async with _office(found) as office:
            waiting = [post for post in await office.posts.open() if office.waits(post)]
            if not waiting:
                out.print("No draft waits for you.")
            for post in waiting:
                office.print(post)
                if sys.stdin.isatty() and out.is_terminal and not await _asked(office, post):
                    return

    run_until_done(decide())


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The table of posts as the terminal sees it."""

    posts: "SqlPosts"
    desk: "Desk"
    rules: "dict[str, Rule]"
    limits: "Callable[[ConversationKey], Limits]"

    async def coming(self) -> "Sequence[Post]":
        """What is in the table; of every other rule the next, which a running bot puts there."""
        from hobnob.store.posts import Post

        found = list(await self.posts.open())
        now = datetime.now(UTC)
        for name in self.rules.keys() - {post.rule for post in found}:
            rule = self.rules[name]
            if due := next_due(rule.when, rule.zone, now):
                found.append(Post(number=0, rule=name, due=due, state="planned"))
        return sorted(found, key=lambda post: post.due)

    def waits(self, post: "Post") -> bool:
        from hobnob.posts.review import is_approved

        rule = self.rules.get(post.rule)
        needed = rule is not None and rule.needs_approval and post.state == "drafted"
        return needed and rule is not None and not is_approved(rule, post)

    def print(self, post: "Post") -> None:
        """A post as it would go out."""
        from hobnob.posts import review as words

        if rule := self.rules.get(post.rule):
            name = words.name(post, rule.zone)
            out.print(f"{name[0].upper()}{name[1:]}: {words.state(post, rule)}", markup=False)
            out.print(f"\n{words.preview(rule, post, self.limits)}\n", markup=False)

    async def row(self, post: "Post") -> dict[str, Any]:
        from hobnob.posts import review as words
        from hobnob.store.posts import Act
        from hobnob.text import one_line

        rule = self.rules.get(post.rule)
        acts = [act for _, act in await self.posts.acts(post.number)]
        last = acts[-1] if acts else Act(what="")
        keys = rule.to if rule and not acts else [version.key for version in post.versions]
        text = (rule.text if rule else "") or post.text
        return {
            "number": post.number or "",
            "due": post.due,
            "rule": post.rule,
            "to": ", ".join(map(str, keys)),
            "state": words.state(post, rule),
            "last": f"{last.what} by {last.who}" if acts else "",
            "note": "" if last.note == text else one_line(last.note),
            "text": one_line(text)[:LONGEST_IN_TABLE],
        }

    async def decide(self, name: str, post: "Post", more: str = "") -> None:
        done = await self.desk.decide(name, f"{post.number} {more}", TERMINAL)
        if done.change:
            await self.posts.write(done.change)
        out.print(done.said.partition("\n")[0], markup=False)


async def _asked(office: Office, post: "Post") -> bool:
    """Ask what becomes of a draft; False to leave."""
    from prompt_toolkit import PromptSession

    from hobnob.posts.version import mark

    while True:
        key = typer.prompt(KEYS, prompt_suffix=": ").strip().lower()[:1]
        match key:
            case "a":
                await office.decide("approve", post, mark(office.rules[post.rule], post.text))
                return True
            case "e":
                text = await PromptSession[str]().prompt_async(
                    "The text (Esc and Enter end it):\n", default=post.text, multiline=True
                )
                if text.strip() and text.strip() != post.text:
                    await office.decide("edit", post, text.strip())
                    post = await office.posts.get(post.number) or post
                    office.print(post)
            case "r":
                why = typer.prompt("Why", default="", show_default=False)
                await office.decide("reject", post, why)
                return True
            case "d":
                wish = typer.prompt("How should it be", default="", show_default=False)
                await office.decide("redraft", post, wish)
                return True
            case "s":
                return True
            case "q":
                return False


def _rules(bot: "Bot") -> "Sequence[Rule]":
    from hobnob.posts.table import rules

    if not bot.settings.posts:
        fail(f"{bot.folder / 'bot.toml'} has no [[posts]]. See docs/tutorial/poster.md.")
    return rules(bot.settings.posts, bot.settings.bot.timezone, bot.folder)


@asynccontextmanager
async def _office(bot: "Bot") -> AsyncIterator[Office]:
    from hobnob import app
    from hobnob.clock import SystemClock
    from hobnob.posts.desk import Desk
    from hobnob.store.posts import SqlPosts

    rules = {rule.name: rule for rule in _rules(bot)}
    limits = limits_of(bot)
    async with app.open_database(bot, prepare=True) as database:
        table = SqlPosts(database)
        desk = Desk(
            rules,
            posts=table,
            owners=frozenset(),
            where=None,
            limits=limits,
            clock=SystemClock(),
        )
        yield Office(posts=table, desk=desk, rules=rules, limits=limits)
