"""What is new at the desk, for whoever looks on from the terminal."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from hobnob.events import Turn
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import ticket, ticket_act, turn
from hobnob.store.tickets import SELECT, Act, Ticket, of_row

MOST_ACTS = 100
MOST_TURNS = 30
"""Of one conversation."""

_WATCHED = SELECT.where(ticket.c.state.in_(("waiting", "taken", "snoozed")))
_ACTS = sa.select(ticket_act).order_by(ticket_act.c.id.desc()).limit(MOST_ACTS)
_TURNS = (
    sa.select(*rows.TURN, turn.c.id)
    .where(turn.c.conversation_id == sa.bindparam("where"))
    .order_by(turn.c.position.desc())
    .limit(MOST_TURNS)
)

EVER = datetime.min.replace(tzinfo=UTC)

News = tuple[Ticket, Act | Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    key: Hashable
    """Tells it from all others, also from one that had its number before."""
    at: datetime
    about: Ticket
    new: Act | Turn
    is_last: bool = False
    """The last that the customer said."""


class Watch:
    """Tells what was not there at the look before. It compares rows and does not count on: SQLite
    gives the number of what was forgotten again, and PostgreSQL may show a row after another with
    a higher number."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: set[Hashable] | None = None
        self._since: dict[int, datetime] = {}
        """Since when the conversation of each ticket was looked at."""

    async def look(self) -> Sequence[News]:
        """What was done about tickets, and said where a person is called or has come, oldest first;
        nothing at the first look. Where a person was called just now, what was said last is new.
        Raises StoreError."""
        found, since = await self._database.read(_read)
        new = [] if self._seen is None else [row for row in found if self._is_new(row, self._seen)]
        self._seen, self._since = {row.key for row in found}, since
        return [(row.about, row.new) for row in sorted(new, key=lambda row: row.at)]

    def _is_new(self, row: _Row, seen: set[Hashable]) -> bool:
        if isinstance(row.new, Act):
            return row.key not in seen
        since = self._since.get(row.about.number)
        if since is None:
            return row.is_last and row.about.state == "waiting"
        return row.key not in seen and row.at >= since  # else what came after it was forgotten


def _read(connection: sa.Connection) -> tuple[Sequence[_Row], dict[int, datetime]]:
    found, since = [], {}
    for row in connection.execute(_WATCHED).all():
        about = of_row(row)
        said = connection.execute(_TURNS, {"where": row.conversation_id}).all()
        since[about.number] = said[-1].at if len(said) == MOST_TURNS else EVER
        last = next((each.id for each in said if each.role == "user"), None)
        for each in reversed(said):
            key = ("turn", each.id, each.at, each.message)
            is_last = each.id == last
            new = rows.turn(each)
            found.append(_Row(key=key, at=each.at, about=about, new=new, is_last=is_last))
    acts = connection.execute(_ACTS).all()
    its = SELECT.where(ticket.c.id.in_({row.ticket_id for row in acts}))
    tickets = {row.id: of_row(row) for row in connection.execute(its)}
    for row in reversed(acts):
        act = Act(what=row.what, who=row.who, note=row.note)
        found.append(_Row(key=row.id, at=row.at, about=tickets[row.ticket_id], new=act))
    return found, since
