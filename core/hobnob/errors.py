"""Every error that hobnob raises on purpose.

    HobnobError
    ├── ConfigError            a file the owner wrote: which file, which key, what to do
    ├── MissingExtra           a library that an extra would bring
    ├── StoreError             the database: unreachable, read-only, newer schema, in use
    │   ├── Changed            what was decided no longer fits what is stored
    │   └── StoreRefused       it will never take this; all else it takes
    ├── EngineError            the model failed on this prompt
    │   └── EngineUnavailable  the model cannot be asked at all now; asking later may work
    ├── DocumentFailed         a file of the knowledge folder could not be read
    ├── MediaFailed            a file that was to leave with a message is not there, or changed
    ├── SkillRefused           a skill was asked for what it cannot do; says what it can
    ├── PageFailed             a page that somebody linked to could not be read
    └── AdapterError           the platform
        ├── AdapterStopped     it will not let us in: wrong token, missing intent; do not retry
        ├── SendLater          not delivered, try again after a while
        ├── SendRefused        not delivered, and never will be
        ├── SendUnknown        perhaps delivered; the platform cannot tell
        └── FetchFailed        a file that came with a message could not be had

The message of each is for people: what happened, where, what to do next. No message ever holds a
secret.
"""

import asyncio


class HobnobError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(HobnobError):
    """A file the owner wrote is wrong."""


class MissingExtra(HobnobError):
    """A library is not installed that an extra of hobnob brings."""


class StoreError(HobnobError):
    """The database cannot be used."""


class Changed(StoreError):
    """What was decided no longer fits what is stored: nothing was written; decide anew."""


class StoreRefused(StoreError):
    """The database will not take this value, now or later; nothing is wrong with the database."""


class EngineError(HobnobError):
    """The model failed on this prompt; another prompt may work."""


class EngineUnavailable(EngineError):
    """The model cannot be asked at all at the moment; nothing is wrong with the prompt."""


class DocumentFailed(HobnobError):
    """A file of the knowledge folder could not be read; the others can."""


class MediaFailed(HobnobError):
    """A file that was to leave with a message is not there, or is not what was decided about."""


class SkillRefused(HobnobError):
    """A skill was asked for something it cannot do. Whoever asked is told the message."""


class PageFailed(HobnobError):
    """A page that somebody linked to could not be read, or was not even asked for."""


class AdapterError(HobnobError):
    """The platform refused or failed."""


class AdapterStopped(AdapterError):
    """The platform will not let us in until the owner changes something."""


class SendLater(AdapterError):
    """Certainly not delivered; may be sent again after `retry_after` seconds, or as soon as the
    adapter sets `ready`."""

    def __init__(
        self, message: str, *, retry_after: float, ready: asyncio.Event | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.ready = ready


class SendRefused(AdapterError):
    """Certainly not delivered, and sending it again cannot help (blocked, deleted, forbidden)."""


class SendUnknown(AdapterError):
    """The outcome of a send cannot be known: it may or may not have been delivered."""


class FetchFailed(AdapterError):
    """An attachment could not be fetched."""
