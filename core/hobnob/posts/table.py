"""`[review]` and `[[posts]]` of bot.toml, with the errors for what may not stand there."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from hobnob import media
from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError, MediaFailed
from hobnob.events import Media, Visibility
from hobnob.posts import when
from hobnob.posts.rule import Rule
from hobnob.tables import Conversation, OwnZone, People, Table, Text
from hobnob.validate import FILE

MOST_TAGS = 100
"""Characters of all hashtags of a post."""


class ReviewTable(Table):
    """`[review]`: where drafts are shown, and who decides about them."""

    where: Conversation = ""
    owners: People = ()


class MediaTable(Table):
    """A file that a post has."""

    file: Text
    """In the bot's folder."""
    alt: Annotated[str, Field(pattern=r"\S", max_length=media.MOST.longest_alt)]
    """What it shows, for whoever does not see it."""


class PostTable(Table):
    """`[[posts]]`: what is posted, when and where."""

    name: Text
    when: Text
    """Five fields of cron, an RRULE, or words like "every weekday at 9"."""
    zone: OwnZone = ""
    """Whose clock `when` is about."""
    to: tuple[str, ...] = Field(strict=False, min_length=1)
    """Conversations, as `hobnob history` writes them."""
    text: str = ""
    prompt: str = ""
    feed: str = ""
    warning: str = Field(default="", max_length=100)
    visibility: Literal["", "public", "unlisted", "followers", "direct"] = ""
    hashtags: tuple[str, ...] = Field(default=(), strict=False)
    media: tuple[MediaTable, ...] = Field(default=(), strict=False, max_length=media.MOST.most)
    approve: bool = True
    ahead: int = Field(default=1440, ge=0, le=60 * 24 * 31)
    """Minutes."""
    late: int = Field(default=60, ge=1, le=60 * 24 * 31)
    """Minutes."""

    @field_validator("when")
    @classmethod
    def _a_rule(cls, words: str) -> str:
        when.rule(words)
        return words

    @field_validator("to")
    @classmethod
    def _conversations(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        keys = [ConversationKey.parse(name) for name in to]
        if len(keys) != len(set(keys)):
            raise ValueError("names a conversation twice.")
        return to

    @field_validator("feed")
    @classmethod
    def _a_link(cls, feed: str) -> str:
        if feed and (urlsplit(feed).scheme not in ("https", "http") or not urlsplit(feed).hostname):
            raise ValueError('must be a link, like "https://example.org/feed.xml".')
        return feed

    @field_validator("hashtags")
    @classmethod
    def _tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.fullmatch(r"#?\w+", tag) for tag in tags):
            raise ValueError('holds what is no hashtag. Write them like "#birds", without spaces.')
        if sum(map(len, tags)) > MOST_TAGS:
            raise ValueError(f"has more than {MOST_TAGS} characters in all.")
        return tuple(f"#{tag.lstrip('#')}" for tag in tags)

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.text.strip()) == bool(self.prompt.strip() or self.feed):
            raise ValueError(
                "needs text (what is posted), or prompt (what the model writes about) or feed, or "
                "both of these."
            )
        return self

    def rule(self, zone: str, files: Sequence[Media] = ()) -> Rule:
        """`zone` is that of `[bot]`; `files` are those of `media`."""
        return Rule(
            name=self.name,
            when=when.rule(self.when),
            zone=self.zone or zone,
            to=tuple(map(ConversationKey.parse, self.to)),
            text=self.text.strip(),
            prompt=self.prompt.strip(),
            feed=self.feed,
            warning=self.warning,
            visibility=Visibility(self.visibility) if self.visibility else None,
            hashtags=self.hashtags,
            media=tuple(files),
            approve=self.approve,
            ahead=timedelta(minutes=self.ahead),
            late=timedelta(minutes=self.late),
        )


def rules(tables: Sequence[PostTable], zone: str, folder: Path) -> Sequence[Rule]:
    """All `[[posts]]` with their files, which lie in `folder`. Raises ConfigError with everything
    that is wrong with those."""
    problems: list[str] = []
    made = [
        table.rule(zone, _files(table, f"posts.{number}.media", folder, problems))
        for number, table in enumerate(tables)
    ]
    if problems:
        raise ConfigError("\n".join(f"{FILE}: {problem}." for problem in problems))
    return made


def _files(table: PostTable, at: str, folder: Path, problems: list[str]) -> Sequence[Media]:
    found = []
    for number, each in enumerate(table.media):
        try:
            found.append(media.describe(folder, each.file, each.alt))
        except MediaFailed as failed:
            problems.append(f"{at}.{number}.file: {failed}")
    if wrong := media.trouble(found, media.MOST):
        problems.append(f"{at}: {wrong}")
    return found
