"""The owner's desk: what they say about posts (/posts, /approve, /reject, /redraft, /edit), and
what becomes of it. The terminal (`hobnob review`) does the same by the same means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from hobnob import commands
from hobnob.conversation import ConversationKey
from hobnob.events import Addressed, Button, Event
from hobnob.jobs import Deed
from hobnob.policy import Action, Decision
from hobnob.ports import Clock, Command
from hobnob.posts import review
from hobnob.posts.review import LimitsOf
from hobnob.posts.rule import Rule
from hobnob.posts.version import fingerprint, mark
from hobnob.store import posts as store
from hobnob.store.posts import Act, Post, SqlPosts

COMMANDS = (
    Command(
        name="posts", description="What I am going to post, and what became of it", private=True
    ),
    Command(name="approve", description="Let a post go out as it is drafted", argument="number"),
    Command(
        name="reject", description="A post does not go out; say why, if you like", argument="number"
    ),
    Command(
        name="redraft",
        description="Have a post written anew; say how, if you like",
        argument="number",
    ),
    Command(
        name="edit",
        description="Give a post another text: its number, then the text",
        argument="text",
    ),
)
LAST = 5
"""Posts that are over, in the list."""
LONGEST = 10_000
"""Characters of a text that an owner gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a decision comes to: what is answered, and what is written with it."""

    said: str
    buttons: tuple[Button, ...] = ()
    change: store.Change | None = None


class Desk:
    def __init__(
        self,
        rules: Mapping[str, Rule],
        *,
        posts: SqlPosts,
        owners: frozenset[str],
        where: ConversationKey | None,
        limits: LimitsOf,
        clock: Clock,
    ) -> None:
        self._rules = dict(rules)
        self._posts = posts
        self._owners = owners
        self._where = where
        self._limits = limits
        self._clock = clock

    async def take(self, event: Event, decision: Decision) -> Deed | None:
        """What somebody says about posts; None if it is about something else."""
        name = next(iter(commands.words(event)), "")
        if name not in {command.name for command in COMMANDS}:
            return None
        ours = event.addressed is not Addressed.NONE or event.key == self._where
        if not ours or decision.action is Action.NOTICE:
            return None
        who = f"{event.key.platform}/{event.author.id}"
        private = name == "posts"
        if who not in self._owners:
            return Deed(
                reason=f"{who} is no owner",
                said="Sorry, what I post is decided by my owners alone.",
                private=private,
            )
        done = await self.decide(name, commands.argument(event), who)
        return Deed(
            reason=f"/{name} by {who}",
            said=done.said,
            buttons=done.buttons,
            private=private,
            also=done.change,
        )

    async def decide(self, name: str, argument: str, who: str) -> Done:
        """What `who` decides. Raises StoreError."""
        if name == "posts":
            return Done(said=await self._listed())
        number, rest = (*argument.split(maxsplit=1), "", "")[:2]
        post = await self._posts.get(int(number)) if _is_number(number) else None
        if post is None:
            return Done(said=f"Which post? Write /{name} and its number, as /posts shows it.")
        rule, now = self._rules.get(post.rule), self._clock.now()
        if post.state not in store.OPEN or rule is None:
            return Done(said=f"Post {number} is {post.state} already.")
        if not rule.is_written and name != "reject":
            return Done(said=f"The text of post {number} stands in bot.toml; change it there.")
        match name:
            case "approve":
                return self._approve(rule, post, rest, who, now)
            case "reject":
                return _reject(post, rest, who, now)
            case "redraft":
                return _redraft(post, rest, who, now)
            case _:
                return self._edit(rule, post, rest, who, now)

    async def _listed(self) -> str:
        coming, over = await self._posts.open(), await self._posts.over(LAST)
        parts = [
            f"{title}\n{review.listed(found, self._rules, 'UTC')}"
            for title, found in (("To come:", coming), ("Over:", over))
            if found
        ]
        return "\n\n".join(parts) or "There is nothing to post."

    def _approve(self, rule: Rule, post: Post, sign: str, who: str, now: datetime) -> Done:
        if not post.text:
            return Done(said=f"Post {post.number} is not written yet.")
        if sign and sign != mark(rule, post.text):
            return Done(
                said=f"That was an older draft of post {post.number}. This is the present one.\n\n"
                f"{review.draft(rule, post, self._limits)}",
                buttons=review.buttons(rule, post),
            )
        prints = {v.where: fingerprint(rule, v.key, post.text) for v in post.open}
        done = Act(what="approved", who=who, note=post.text)

        def change(connection: sa.Connection) -> None:
            store.approve(connection, post, prints, done, now)

        return Done(said=f"Approved: {review.name(post, rule.zone)}.", change=change)

    def _edit(self, rule: Rule, post: Post, text: str, who: str, now: datetime) -> Done:
        if not text or len(text) > LONGEST:
            return Done(said=f"Write /edit {post.number} and then the new text.")
        edited = replace(post, state="drafted", text=text)
        done = Act(what="edited", who=who, note=text)

        def change(connection: sa.Connection) -> None:
            store.change(connection, post, done, now, state="drafted", text=text, wish="")

        return Done(
            said=review.draft(rule, edited, self._limits),
            buttons=review.buttons(rule, edited),
            change=change,
        )


def _reject(post: Post, why: str, who: str, now: datetime) -> Done:
    done = Act(what="rejected", who=who, note=why)

    def change(connection: sa.Connection) -> None:
        store.change(connection, post, done, now, state="rejected")

    return Done(said=f"Post {post.number} does not go out.", change=change)


def _redraft(post: Post, wish: str, who: str, now: datetime) -> Done:
    done = Act(what="redraft", who=who, note=wish)

    def change(connection: sa.Connection) -> None:
        store.change(connection, post, done, now, state="planned", wish=wish)

    return Done(said=f"Post {post.number} is written anew.", change=change)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
