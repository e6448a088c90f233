"""Where something is said: the key of a conversation. Knows nothing but the standard library."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ConversationKey:
    """Names one conversation: dictionary key, lane key and unique index in one.

    `platform` is the adapter's name, `account` our own stable id there, `room` the chat, channel
    or counterpart, `thread` a part of the room that talks for itself ("" where there is none).

    The string form, used in logs, the CLI and the database, is `platform:account:room[:thread]`
    with `:` and everything unprintable percent-encoded, so that it parses back to the same key.
    """

    platform: str
    account: str
    room: str
    thread: str = ""

    def __str__(self) -> str:
        parts = [self.platform, self.account, self.room]
        if self.thread:
            parts.append(self.thread)
        return ":".join(quote(part, safe="@.+-_!#") for part in parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the string form. Raises ValueError with what is wrong."""
        parts = [unquote(part) for part in text.split(":")]
        if len(parts) not in (3, 4) or not all(parts[:3]):
            raise ValueError(
                f"{text!r} is not a conversation: expected platform:account:room[:thread]"
            )
        return cls(platform=parts[0], account=parts[1], room=parts[2], thread="".join(parts[3:]))
