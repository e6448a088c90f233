"""Forgetting, so that nothing made of what was forgotten stays: parts of a transaction.

The rows in `recall`, `recall_tokens` and `fact_source` go with their turn (the database sees to
it); what else was made of a turn goes here.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from hobnob.events import Kind
from hobnob.store import links, rows
from hobnob.store.outbox import A_TICKET, UNSENT, give_up_on_its_way, take_back
from hobnob.store.schema import (
    asked,
    checkin_said,
    conversation,
    fact,
    fact_source,
    inbox,
    link_code,
    outbox,
    post,
    post_act,
    promise,
    reaction,
    recall,
    recall_tokens,
    schedule,
    summary,
    ticket,
    ticket_act,
    turn,
    zone,
)

MOST_AT_ONCE = 500
"""Ids in one statement: databases bound the parameters."""
_GONE = {"text": None, "warning": "", "buttons": None, "media": None}


def forget_turns(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Forget these turns and all that was made of them."""
    for some in _parts(ids):
        made = _unmake(connection, some)
        promises = sa.select(promise.c.schedule_id).where(promise.c.turn_id.in_(some))
        connection.execute(schedule.delete().where(schedule.c.id.in_(promises)))
        _forget_unasked(connection, checkin_said.c.source_id.in_(some))
        connection.execute(turn.delete().where(turn.c.id.in_(some)))
        _drop_sourceless(connection, made)


def unlearn(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Forget what was made of these turns, whose text is another now. They are learned anew."""
    for some in _parts(ids):
        made = _unmake(connection, some)
        connection.execute(fact_source.delete().where(fact_source.c.turn_id.in_(some)))
        connection.execute(recall.delete().where(recall.c.turn_id.in_(some)))
        connection.execute(recall_tokens.delete().where(recall_tokens.c.turn_id.in_(some)))
        connection.execute(turn.update().where(turn.c.id.in_(some)).values(learned=None))
        _drop_sourceless(connection, made)


def forget_said(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Forget what people said in these turns, our answers to it, and what of them is unsent."""
    gone = with_answers(connection, ids, all_of_them=True)
    withdraw(connection, gone)
    forget_turns(connection, gone)


def forget_person(connection: sa.Connection, platform: str, account: str, person: str) -> int:
    """Forget all that a person said on a platform, and all that was made of it, or that they
    asked for; the number of messages."""
    here = sa.select(conversation.c.id).where(
        conversation.c.platform == platform, conversation.c.account == account
    )
    said = sa.select(turn.c.id).where(
        turn.c.conversation_id.in_(here), turn.c.author == person, turn.c.role == "user"
    )
    ids = list(connection.scalars(said))
    forget_said(connection, ids)
    wishes = sa.select(schedule.c.id).where(
        schedule.c.author == person, schedule.c.conversation_id.in_(here)
    )
    _forget_unasked(connection, checkin_said.c.schedule_id.in_(wishes))
    _forget_answers(connection, here, person)
    for table, whose in (
        (fact, fact.c.subject),
        (reaction, reaction.c.author),
        (schedule, schedule.c.author),
        (link_code, link_code.c.author),
        (asked, asked.c.author),
    ):
        theirs = sa.and_(whose == person, table.c.conversation_id.in_(here))
        connection.execute(table.delete().where(theirs))
    _forget_tickets(connection, here, person)
    _forget_acts(connection, f"{platform}/{person}")
    linked = sa.select(conversation.c.id).where(
        conversation.c.id.in_(here), conversation.c.whose == person
    )
    for where in connection.scalars(linked).all():
        links.leave(connection, where)
    clock = (zone.c.platform == platform, zone.c.account == account, zone.c.author == person)
    connection.execute(zone.delete().where(*clock))
    of_theirs = sa.and_(
        inbox.c.platform == platform, inbox.c.account == account, inbox.c.author == person
    )
    # The event that asks for it is still waiting; what was set aside is given up.
    given_up = {"state": "done", "payload": None, "decision": "forgotten", "error": None}
    aside = sa.and_(of_theirs, inbox.c.state == "aside")
    connection.execute(inbox.update().where(aside).values(given_up))
    done = sa.and_(of_theirs, inbox.c.state == "done")
    connection.execute(inbox.update().where(done).values(author="", reason=None, error=None))
    return len(ids)


def unschedule(connection: sa.Connection, where: int, message: str) -> None:
    """Take back what was asked for in this message and is to happen at its time. What was said
    about it since, such as another time, goes with it."""
    asked = set(
        connection.scalars(
            sa.select(inbox.c.event).where(
                inbox.c.conversation_id == where, inbox.c.message == message
            )
        )
    )
    here = sa.select(schedule.c.id, schedule.c.event).where(schedule.c.conversation_id == where)
    gone = [row.id for row in connection.execute(here) if rows.id_of(row.event) in asked]
    for some in _parts(gone):
        connection.execute(schedule.delete().where(schedule.c.id.in_(some)))


def with_answers(
    connection: sa.Connection, ids: Sequence[int], *, all_of_them: bool = False
) -> list[int]:
    """These turns, and our answer to each: an answer repeats what it answers. `all_of_them`: what
    we, or a person of the support desk, said until somebody else spoke."""
    found = set(ids)
    answer = _next_of("assistant", turn.c.position)
    until = _next_of("user", answer)
    for some in _parts(ids):
        places = sa.select(
            turn.c.conversation_id, answer.label("first"), until.label("until")
        ).where(turn.c.id.in_(some), turn.c.role == "user")
        for place, first, end in connection.execute(places.distinct()).all():
            if first is None:
                continue
            at = turn.c.position == first
            if all_of_them:
                at = turn.c.position >= first
                at = at if end is None else sa.and_(at, turn.c.position < end)
            here = sa.and_(turn.c.conversation_id == place, at)
            found.update(connection.scalars(sa.select(turn.c.id).where(here)))
    return sorted(found)


def _next_of(role: str, position: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """Where somebody of this role speaks next after that, in the conversation of a turn."""
    later = turn.alias()
    c = later.c
    query = sa.select(sa.func.min(c.position)).where(
        c.conversation_id == turn.c.conversation_id, c.position > position, c.role == role
    )
    return query.correlate(turn).scalar_subquery()


def withdraw(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Take back what of these answers has not been sent yet."""
    for some in _parts(ids):
        theirs = outbox.c.turn_id.in_(some)
        over = outbox.c.state.not_in(UNSENT)
        connection.execute(outbox.update().where(theirs, over).values(_GONE))
        take_back(connection, theirs, seen=False)


def _forget_acts(connection: sa.Connection, who: str) -> None:
    """Forget what an owner did about posts, and how they wished for one that is not written yet.
    Its text stays: it is the bot's."""
    theirs = post_act.c.who == who
    wished = sa.select(post_act.c.post_id).where(theirs, post_act.c.what == "redraft")
    connection.execute(post.update().where(post.c.id.in_(wished)).values(wish=""))
    connection.execute(post_act.update().where(theirs).values(who="somebody", note=""))


def _forget_answers(connection: sa.Connection, here: sa.Select[tuple[int]], person: str) -> None:
    """Forget what was to be said to them, is no part of a turn, such as the answer to a command or
    a reminder, and has not left or may not have arrived. A reminder answers no message: in a room
    those that others have there in doubt go with it."""
    asked = (
        sa.select(inbox.c.id)
        .select_from(inbox.join(conversation))
        .where(
            inbox.c.conversation_id == outbox.c.conversation_id,
            inbox.c.author == person,
            sa.or_(
                conversation.c.direct,
                sa.and_(inbox.c.message == outbox.c.in_reply_to, inbox.c.message != ""),
                sa.and_(inbox.c.kind == Kind.SCHEDULED, outbox.c.in_reply_to == ""),
            ),
        )
        .exists()
    )
    theirs = sa.and_(outbox.c.conversation_id.in_(here), outbox.c.turn_id.is_(None), asked)
    take_back(connection, sa.and_(theirs, outbox.c.state == "pending"), seen=False)
    over = sa.and_(theirs, outbox.c.state.in_(("unknown", "refused")))
    gone = {**_GONE, "mention": ""}
    connection.execute(outbox.update().where(over).values(gone))


def _forget_tickets(connection: sa.Connection, here: sa.Select[tuple[int]], person: str) -> None:
    """Forget what they said that stands in tickets, and what the staff was shown of it. One that is
    not resolved keeps who they are until it is; that it has no name says so."""
    theirs = sa.and_(ticket.c.author == person, ticket.c.conversation_id.in_(here))
    for row in connection.execute(sa.select(ticket).where(theirs)).all():
        acts = ticket_act.c.ticket_id == row.id
        connection.execute(ticket_act.update().where(acts).values(note=""))
        values = {"held": "", "name": ""}
        if row.state == "resolved":
            event = rows.dump_bare(rows.nobodys(rows.load(row.event)))
            values |= {"author": "", "event": event}
        connection.execute(ticket.update().where(ticket.c.id == row.id).values(values))
        about = outbox.c.about == A_TICKET.format(row.id)
        shown = sa.and_(about, outbox.c.conversation_id != row.conversation_id)
        over = outbox.c.state.not_in(UNSENT)
        connection.execute(outbox.update().where(shown, over).values(_GONE))
        take_back(connection, shown)
        give_up_on_its_way(connection, shown)


def _forget_unasked(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Forget what we wrote first."""
    said = sa.select(checkin_said.c.turn_id).where(checkin_said.c.turn_id.is_not(None), which)
    ids = list(connection.scalars(said))
    withdraw(connection, ids)
    forget_turns(connection, ids)


def _unmake(connection: sa.Connection, ids: Sequence[int]) -> Sequence[int]:
    """Undo what is made of many turns: summaries, and copies in memory. The facts made of these."""
    places = sa.select(turn.c.conversation_id).where(turn.c.id.in_(ids))
    c = conversation.c
    connection.execute(
        conversation.update().where(c.id.in_(places)).values(forgotten=c.forgotten + 1)
    )
    of_older = (
        sa.select(turn.c.id)
        .where(
            turn.c.id.in_(ids),
            turn.c.conversation_id == summary.c.conversation_id,
            turn.c.position <= summary.c.position,
        )
        .exists()
    )
    connection.execute(summary.delete().where(of_older))
    made = sa.select(fact_source.c.fact_id).where(fact_source.c.turn_id.in_(ids)).distinct()
    return list(connection.scalars(made))


def _drop_sourceless(connection: sa.Connection, facts: Sequence[int]) -> None:
    """Those of these facts that have no receipt any more go; what they had ended is true again."""
    sources = sa.select(fact_source.c.fact_id).where(fact_source.c.fact_id == fact.c.id).exists()
    for part in _parts(facts):
        gone = sa.select(fact.c.id).where(fact.c.id.in_(part), ~sources)
        some = list(connection.scalars(gone))
        _forget_unasked(connection, checkin_said.c.fact_id.in_(some))
        connection.execute(
            fact.update().where(fact.c.ended_by.in_(some)).values(ended=None, ended_by=None)
        )
        connection.execute(fact.delete().where(fact.c.id.in_(some)))


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE)]
