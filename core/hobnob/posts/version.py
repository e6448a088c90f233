"""What stands in each place: one text, cut and tagged for the platform, and its fingerprint. Pure,
but for the nonces."""

import hashlib
import json
from collections.abc import Sequence

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
    """For the outbox. Later parts answer the part before."""
    return [
        reply
        for part in parts(rule, body, limits)
        for reply in replies.elsewhere(
            Message(key=key, text=part, visibility=rule.visibility, warning=rule.warning), limits
        )
    ]


def fingerprint(rule: Rule, key: ConversationKey, body: str) -> str:
    """What an approval is bound to: exactly this text, exactly here, for exactly these readers."""
    exact = [str(key), body, rule.warning, rule.visibility, rule.hashtags]
    return hashlib.sha256(json.dumps(exact).encode()).hexdigest()
