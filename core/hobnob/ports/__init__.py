"""The seams: what hobnob asks of a platform, a model and a database. Contracts only.

Each has a real implementation and a fake (`hobnob.testing`), and one contract suite runs over
both (tests/contract).
"""

from hobnob.ports.clock import Clock
from hobnob.ports.database import (
    Afterwards,
    Growing,
    History,
    Inbox,
    Outbox,
    Outcome,
    Parcel,
    Permit,
    Todo,
    Usage,
    Waiting,
)
from hobnob.ports.model import Engine, MemoryPort, ModelOptions
from hobnob.ports.platform import (
    Adapter,
    Command,
    Cursor,
    Draft,
    Finding,
    Limits,
    MediaLimits,
    Receiver,
)

__all__ = [
    "Adapter",
    "Afterwards",
    "Clock",
    "Command",
    "Cursor",
    "Draft",
    "Engine",
    "Finding",
    "Growing",
    "History",
    "Inbox",
    "Limits",
    "MediaLimits",
    "MemoryPort",
    "ModelOptions",
    "Outbox",
    "Outcome",
    "Parcel",
    "Permit",
    "Receiver",
    "Todo",
    "Usage",
    "Waiting",
]
