"""What is new at the desk, for whoever looks on from the terminal."""

from collections.abc import Hashable, Sequence
from datetime import datetime

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

News = tuple[Ticket, Act | Turn]


class Watch:
    """Tells what was not there at the look before. It compares rows and does not count on: SQLite
    gives the number of what was forgotten again, and PostgreSQL may show a row after another with
    a higher number."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: set[Hashable] | None = None
        self._watched: set[int] = set()

    async def look(self) -> Sequence[News]:
        """What was done about tickets, and said where a person is called or has come, oldest first;
        nothing at the first look. Where a person was called just now, what was said last is new.
        Raises StoreError."""
        found, watched = await self._database.read(self._read)
        first, seen = self._seen is None, self._seen or set()
        begun = watched - self._watched
        new = []
        for key, at, news, is_last in found:
            about, what = news
            if isinstance(what, Turn) and about.number in begun:
                is_new = is_last and about.state == "waiting"
            else:
                is_new = key not in seen
            if is_new and not first:
                new.append((at, news))
        self._seen, self._watched = {key for key, *_ in found}, watched
        return [news for _, news in sorted(new, key=lambda each: each[0])]

    def _read(
        self, connection: sa.Connection
    ) -> tuple[list[tuple[Hashable, datetime, News, bool]], set[int]]:
        """Each row with what tells it from others, its time, and whether it is the last that the
        customer said."""
        found: list[tuple[Hashable, datetime, News, bool]] = []
        acts = connection.execute(_ACTS).all()
        its = SELECT.where(ticket.c.id.in_({row.ticket_id for row in acts}))
        about = {row.id: of_row(row) for row in connection.execute(its)}
        for row in reversed(acts):
            act = Act(what=row.what, who=row.who, note=row.note)
            found.append((("act", row.id), row.at, (about[row.ticket_id], act), False))
        watched = connection.execute(_WATCHED).all()
        for row in watched:
            said = connection.execute(_TURNS, {"where": row.conversation_id}).all()
            last = next((each.id for each in said if each.role == "user"), None)
            of_it = of_row(row)
            for each in reversed(said):
                key = ("turn", each.id, each.at, each.message)
                found.append((key, each.at, (of_it, rows.turn(each)), each.id == last))
        return found, {row.id for row in watched}
