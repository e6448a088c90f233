"""What is asked before something is done, and what answers it. Pure, but for the codes."""

import hashlib
import json
import secrets
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from hobnob.events import Button, Event
from hobnob.store.asked import Asked

HIDDEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
"""Unicode's categories of what shows nothing, or changes the direction of what is shown."""
PATIENCE = timedelta(hours=1)
"""How long a yes counts."""
YES, NO = "yes", "no"
"""The commands, and what the buttons say."""
_WORDS = {
    True: "yes|yes please|yes do|yes do it|do it|please do|yep|yeah|sure|ok|okay"
    "|ja|ja bitte|oui|sí|si|是|是的|好|好的",
    False: "no|no thanks|no thank you|don't|do not|nope|cancel|nein|non|不|不要|不用",
}
_MEANS = {word: meant for meant, words in _WORDS.items() for word in words.split("|")}


def in_words(text: str) -> bool | None:
    """Whether `text` says yes, or no, and nothing else; None: it says something else."""
    plain = " ".join(text.casefold().replace("’", "'").replace(",", " ").split())
    return _MEANS.get(plain.rstrip(" .!。！"))


def question(tool: str, about: str, arguments: Mapping[str, object]) -> str:
    """What would be done, to the letter: nothing that a model wrote can look like something else,
    or end the block that it stands in."""
    given = json.dumps(arguments, ensure_ascii=False, indent=1)
    shown = "".join(f"\\u{ord(c):04x}" if _is_hidden(c) else c for c in given)
    return f"Shall I do this? {about} ({tool})\n```\n{shown}\n```"


def buttons(code: str) -> tuple[Button, ...]:
    return (
        Button(label="Yes", command=f"/{YES} {code}"),
        Button(label="No", command=f"/{NO} {code}"),
    )


def asked(tool: str, arguments: Mapping[str, object], now: datetime) -> Asked:
    return Asked(
        code=secrets.token_hex(4),
        tool=tool,
        arguments=json.dumps(arguments, ensure_ascii=False),
        at=now,
        until=now + PATIENCE,
    )


def commanded(tool: str, event: Event, now: datetime) -> Asked:
    """What somebody's own command asks for: nobody is asked about it."""
    its = f"{event.key.platform} {event.key.account} {event.id}"
    code = hashlib.sha256(its.encode()).hexdigest()
    return Asked(code=code, tool=tool, arguments="{}", at=now, until=now, run=event.id)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN and character != "\n"
