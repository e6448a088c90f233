"""How posts are shown to their owner, in words. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from hobnob.conversation import ConversationKey
from hobnob.events import Button, Media
from hobnob.media import trouble
from hobnob.ports import Limits
from hobnob.posts.rule import Rule
from hobnob.posts.version import fingerprint, mark, parts
from hobnob.store.posts import Post
from hobnob.text import one_line

LimitsOf = Callable[[ConversationKey], Limits]
LONGEST_IN_LIST = 60


def when(due: datetime, zone: str) -> str:
    return f"{due.astimezone(ZoneInfo(zone)):%a %d %b %Y, %H:%M} ({zone})"


def name(post: Post, zone: str) -> str:
    number = f" {post.number}" if post.number else ""  # one that is not in the table has none
    return f"post{number}, “{post.rule}”, due {when(post.due, zone)}"


def draft(rule: Rule, post: Post, limits_of: LimitsOf) -> str:
    """A draft as it will stand in each place, and what can be done about it."""
    number = post.number
    return (
        f"A draft: {name(post, rule.zone)}.\n\n{preview(rule, post, limits_of)}\n\n"
        f"It goes out only if it is approved as it stands here. To change it: /edit {number} and"
        f" the new text. To have it written anew: /redraft {number} and a wish."
    )


def buttons(rule: Rule, post: Post) -> tuple[Button, ...]:
    """Approve is for the text that it stands under, and no other."""
    return (
        Button(label="Approve", command=f"/approve {post.number} {mark(rule, post.text)}"),
        Button(label="Reject", command=f"/reject {post.number}"),
        Button(label="Redraft", command=f"/redraft {post.number}"),
    )


def preview(rule: Rule, post: Post, limits_of: LimitsOf) -> str:
    """Exactly what would be sent where."""
    body = rule.text or post.text
    if not body:
        return "(not written yet)"
    shown = []
    places = [(str(key), tuple(parts(rule, body, limits_of(key))), key) for key in rule.to]
    for messages, group in groupby(sorted(places, key=lambda each: each[1]), lambda each: each[1]):
        where = ", ".join(_place(rule, key, messages, limits_of(key)) for _, _, key in group)
        texts = [_quoted(message) for message in messages]
        if rule.media:
            texts[0] += "\n" + "\n".join(map(_file, rule.media))
        shown.append("\n\n".join([f"To {where}:", *texts]))
    return "\n\n".join(shown)


def is_approved(rule: Rule, post: Post) -> bool:
    """Whether every version that is still to go out is approved as it is."""
    return all(v.approved == fingerprint(rule, v.key, post.text) for v in post.open)


def _place(rule: Rule, key: ConversationKey, messages: Sequence[str], limits: Limits) -> str:
    longest = max(limits.length(message) for message in messages)
    notes = [f"{longest} of {limits.max_length} characters"]
    if len(messages) > 1:
        notes = [f"a thread of {len(messages)}"]
    if rule.visibility:
        notes.append(rule.visibility)
    if rule.warning:
        notes.append(f"warning “{rule.warning}”")
    if wrong := trouble(rule.media, limits.media):
        notes.append(f"does not go out there: {wrong}")
    return f"{key} ({', '.join(notes)})"


def _file(file: Media) -> str:
    return f"> [{file.file}: {one_line(file.alt)}]"


def _quoted(message: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in message.splitlines())


def listed(posts: Sequence[Post], rules: dict[str, Rule], zone: str) -> str:
    """One line for each."""
    lines = []
    for post in posts:
        rule = rules.get(post.rule)
        text = one_line((rule.text if rule else "") or post.text)[:LONGEST_IN_LIST]
        due = when(post.due, rule.zone if rule else zone)
        lines.append(f"{post.number}. {due}: {post.rule}, {state(post, rule)}. {text}".rstrip())
    return "\n".join(lines)


def state(post: Post, rule: Rule | None) -> str:
    """What has become of it, in words."""
    if post.state == "planned":
        return "to be written" if rule and rule.is_written else "planned"
    if post.state == "drafted":
        if not (rule and rule.needs_approval):
            return "drafted"
        return "approved" if is_approved(rule, post) else "waits for approval"
    doubtful = {v.sent for v in post.versions} & {"pending", "sending", "refused", "unknown"}
    return f"{post.state} ({', '.join(sorted(doubtful))})" if doubtful else post.state
