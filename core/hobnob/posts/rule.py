"""A `[[posts]]` of bot.toml, and what becomes of one of its posts when it is due. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from hobnob.conversation import ConversationKey
from hobnob.events import Media, Visibility
from hobnob.recurrence import next_due


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is posted when and where. One of `text`, `prompt` and `feed` says what; a feed may have
    a prompt that says how."""

    name: str
    when: str
    """`hobnob.recurrence`."""
    zone: str
    to: tuple[ConversationKey, ...]
    text: str = ""
    prompt: str = ""
    feed: str = ""
    warning: str = ""
    visibility: Visibility | None = None
    hashtags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    """As they were when the bot started."""
    approve: bool = True
    """What an owner did not write goes out only if one approves it."""
    ahead: timedelta = timedelta(days=1)
    late: timedelta = timedelta(hours=1)

    @property
    def is_written(self) -> bool:
        """Somebody else than the owner writes it: a model, or whoever fills the feed."""
        return not self.text

    @property
    def needs_approval(self) -> bool:
        return self.is_written and self.approve

    def times(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """When it is due, later than `after` and not later than `until`."""
        due = next_due(self.when, self.zone, after)
        while due is not None and due <= until:
            yield due
            due = next_due(self.when, self.zone, due)

    def is_due_at(self, due: datetime) -> bool:
        """Whether bot.toml still means this time."""
        return next_due(self.when, self.zone, due - timedelta(seconds=1)) == due


def skipped_because(rule: Rule, due: datetime, now: datetime, *, text: str, approved: bool) -> str:
    """Why a post that is due does not go out; "": it does."""
    if now - due > rule.late:
        return f"it was late: more than {_minutes(rule.late)} after its time"
    if not text:
        return "there was no text in time"
    if rule.needs_approval and not approved:
        return "nobody had approved it as it is when it was due"
    return ""


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} minutes"
