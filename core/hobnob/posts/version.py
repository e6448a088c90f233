"""What stands in each place: one text, cut and tagged for the platform, and its fingerprint. Pure,
but for the nonces."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from hobnob import replies, text
from hobnob.conversation import ConversationKey
from hobnob.events import Reply
from hobnob.jobs import Message
from hobnob.ports import Limits
from hobnob.posts.rule import Rule


def parts(rule: Rule, body: str, limits: Limits) -> list[str]:
    """The messages of a post: one, or a thread where it is too long. The hashtags end the last."""
    tags = " ".join(rule.hashtags)
    ending = f"\n\n{tags}" if tags else ""
    warned = min(limits.length(rule.warning), limits.max_length // 4)
    if limits.length(body.strip() + ending) <= limits.max_length - warned:
        return [body.strip() + ending]
    cut = text.split(body, limits, reserve=warned + limits.length(ending))
    return [*cut[:-1], cut[-1] + ending]


def messages(rule: Rule, key: ConversationKey, body: str, limits: Limits) -> Sequence[Reply]:
    """For the outbox. Later parts answer the part before; the first has the files."""
    made = [
        Message(key=key, text=part, visibility=rule.visibility, warning=rule.warning)
        for part in parts(rule, body, limits)
    ]
    made[0] = replace(made[0], media=rule.media)
    return [reply for message in made for reply in replies.elsewhere(message, limits)]


def fingerprint(rule: Rule, key: ConversationKey, body: str) -> str:
    """What an approval is bound to: exactly this text, exactly here, for exactly these readers."""
    exact = [str(key), body, rule.warning, rule.visibility, rule.hashtags, *_files(rule)]
    return hashlib.sha256(json.dumps(exact).encode()).hexdigest()


def mark(rule: Rule, body: str) -> str:
    """A short sign of the text and the files that a button is under."""
    exact = "\n".join([body, *map(json.dumps, _files(rule))])
    return hashlib.sha256(exact.encode()).hexdigest()[:8]


def _files(rule: Rule) -> list[tuple[str, str]]:
    return [(each.digest, each.alt) for each in rule.media]
