"""How the desk did between two moments, counted from the database."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hobnob.conversation import ConversationKey
from hobnob.knowledge import asking
from hobnob.memory.words import terms
from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import conversation, inbox, ticket, ticket_act, turn
from hobnob.support.stats import Numbers, Question

ANSWERED = ("answer", "chime", "job")
"""What was decided about a message that makes a conversation: nobody is helped by a greeting."""
CALLED = ("wanted", "held")
NOT_BY_US = (*CALLED, "unanswered", "taken", "said", "sent")
"""They were helped by a person, or not at all."""
MOST_READ = 20_000
"""The last messages, of which it is counted what was asked."""
MOST_GROUPS = 400
"""The most frequent, which are compared with each other."""
ALIKE = 0.6
"""Two questions that share so much of their words ask the same."""
LISTED = 10

__all__ = ["Numbers", "numbers"]


async def numbers(
    database: Database, staff: ConversationKey | None, since: datetime, until: datetime
) -> Numbers:
    """What was counted between `since` and `until`, without the place of the `staff`. Each customer
    in a room counts as a conversation. Raises StoreError."""

    def transaction(connection: sa.Connection) -> Numbers:
        not_staff = sa.true()
        if staff is not None:
            where = connection.scalar(rows.FIND, rows.at(staff))
            not_staff = sa.true() if where is None else conversation.c.id != where
        spoken = (
            sa.select(inbox.c.conversation_id, inbox.c.author)
            .join_from(inbox, conversation)
            .where(
                not_staff,
                inbox.c.state == "done",
                inbox.c.kind.in_(("message", "command")),
                inbox.c.decision.in_(ANSWERED),
                inbox.c.at.between(since, until),
            )
            .distinct()
        )
        talked = {(row.conversation_id, row.author) for row in connection.execute(spoken)}
        acts = (
            sa.select(ticket_act, ticket.c.conversation_id, ticket.c.author, ticket.c.rating)
            .join_from(ticket_act, ticket)
            .where(ticket_act.c.at.between(since, until))
            .order_by(ticket_act.c.id)
        )
        done = connection.execute(acts).all()
        others = {(row.conversation_id, row.author) for row in done if row.what in NOT_BY_US}
        rated = {row.ticket_id: row.rating for row in done if row.what == "rated"}
        said = (
            sa.select(turn.c.text)
            .join_from(turn, conversation)
            .where(not_staff, turn.c.role == "user", turn.c.at.between(since, until))
            .order_by(turn.c.id.desc())
            .limit(MOST_READ)
        )
        asked = [text for text in connection.scalars(said) if asking.asks(text)]
        unanswered = [row.note for row in done if row.what == "unanswered" and row.note]
        return Numbers(
            since=since,
            until=until,
            conversations=len(talked | others),
            alone=len(talked - others),
            waits=_waits(done),
            ratings=Counter(rating for rating in rated.values() if rating),
            asked=grouped(asked),
            unanswered=grouped(unanswered),
        )

    return await database.read(transaction)


def _waits(done: Sequence[Any]) -> Sequence[timedelta]:
    """How long those who needed a person waited for the first word of one."""
    called: dict[int, datetime] = {}
    waits = []
    for row in done:
        if row.what in CALLED:
            called.setdefault(row.ticket_id, row.at)
        elif row.what in ("said", "sent") and row.ticket_id in called:
            waits.append(row.at - called.pop(row.ticket_id))
        elif row.what in ("resolved", "released"):
            called.pop(row.ticket_id, None)
    return waits


def grouped(texts: Iterable[str]) -> Sequence[Question]:
    """The most frequent questions; those that ask the same in other words count as one, under the
    words that were used most."""
    words: dict[frozenset[str], Counter[str]] = {}
    for text in texts:
        if of_it := frozenset(terms(text)):
            words.setdefault(of_it, Counter())[text] += 1
    most = sorted(words.items(), key=lambda each: -each[1].total())[:MOST_GROUPS]
    groups: list[tuple[frozenset[str], Counter[str]]] = []
    for of_it, used in most:
        for like, together in groups:
            if len(of_it & like) >= ALIKE * len(of_it | like):
                together.update(used)
                break
        else:
            groups.append((of_it, Counter(used)))
    groups.sort(key=lambda each: -each[1].total())
    return [
        Question(text=used.most_common(1)[0][0], times=used.total()) for _, used in groups[:LISTED]
    ]
