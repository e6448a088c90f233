"""What somebody does to a message after saying it, an edit, a deletion or a reaction to ours: parts
of a transaction."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from hobnob.events import Event, Kind
from hobnob.ports import Afterwards
from hobnob.store import rows
from hobnob.store.forgetting import forget_turns, unlearn, unschedule, with_answers
from hobnob.store.outbox import take_back
from hobnob.store.schema import conversation, inbox, outbox, reaction, ticket, turn

KINDS = (Kind.EDIT, Kind.DELETE, Kind.REACTION)
_HAS_IT = sa.select(ticket.c.id).where(
    ticket.c.conversation_id == sa.bindparam("where"),
    ticket.c.staff != "",
    ticket.c.state != "resolved",
)


def apply(connection: sa.Connection, event: Event, sent: Afterwards) -> str | None:
    """Do what an edit, a deletion or a reaction asks for; `sent` says what becomes of an answer
    that people have seen. The reason to note; None: answer it anew."""
    if event.kind is Kind.REACTION:
        return _react(connection, event)
    where = rows.ensure_conversation(connection, event.key)
    deleted = event.kind is Kind.DELETE
    pending = _change_waiting(connection, where, event)
    if deleted:
        take_back(connection, _answer(where, event.message), seen=sent.remove or pending)
    if pending:
        return "it was still waiting"

    of_turn = sa.and_(turn.c.conversation_id == where, turn.c.message == event.message)
    turns = list(connection.scalars(sa.select(turn.c.id).where(of_turn)))
    if deleted:
        forget_turns(connection, with_answers(connection, turns))
        unschedule(connection, where, event.message)
        return "history is changed" if turns else "I had not kept it"
    if connection.scalar(_HAS_IT, {"where": where}) is not None:  # a person is to see it
        forget_turns(connection, turns)
        return None
    withdrawn = _withdraw(connection, where, event.message)
    if withdrawn:
        forget_turns(connection, turns)
    if withdrawn or (sent.update and turns and _reopen(connection, where, event.message, turns)):
        unschedule(connection, where, event.message)
        return None
    connection.execute(turn.update().where(of_turn).values(text=event.text))
    unlearn(connection, turns)
    return "history is changed" if turns else "I had not kept it"


def _answer(where: int, message: str) -> sa.ColumnElement[bool]:
    """Our answer to `message`. What a person said to it is not ours to change."""
    c = outbox.c
    return sa.and_(c.conversation_id == where, c.in_reply_to == message, c.about == "")


def _change_waiting(connection: sa.Connection, where: int, event: Event) -> bool:
    """Change a message that has not been dealt with; False if there is none."""
    waiting = connection.execute(
        sa.select(inbox.c.id, inbox.c.payload).where(
            inbox.c.conversation_id == where,
            inbox.c.message == event.message,
            inbox.c.state.in_(("waiting", "aside")),
            inbox.c.kind.not_in(KINDS),
        )
    ).all()
    for row in waiting:
        values = (
            {"state": "done", "payload": None, "decision": "delete", "reason": "taken back"}
            if event.kind is Kind.DELETE
            else {"payload": rows.dump(replace(rows.load(row.payload), text=event.text))}
        )
        connection.execute(inbox.update().where(inbox.c.id == row.id).values(values))
    return bool(waiting)


def _withdraw(connection: sa.Connection, where: int, message: str) -> bool:
    """Take back the answer to `message` if nothing of it has left."""
    answer = _answer(where, message)
    states = (connection.execute(sa.select(outbox.c.state, outbox.c.turn_id).where(answer))).all()
    if not states or any(row.state != "pending" for row in states):
        return False
    # What people see of it already is the beginning of the next one.
    state = sa.case((outbox.c.replaces.is_not(None), "growing"), else_="withdrawn")
    connection.execute(outbox.update().where(answer).values(state=state, text=None))
    forget_turns(connection, [row.turn_id for row in states if row.turn_id is not None])
    return True


def _reopen(connection: sa.Connection, where: int, message: str, turns: list[int]) -> bool:
    """Let the answer to `message` grow anew, in the messages that people see of it. Not if more
    was said since, which builds on it, or if not all of it is known to have arrived."""
    answer = _answer(where, message)
    parts = connection.execute(sa.select(outbox.c.state, outbox.c.turn_id).where(answer)).all()
    if not parts or any(part.state != "sent" for part in parts):
        return False
    forgotten = with_answers(connection, turns)
    last = sa.select(sa.func.max(turn.c.id)).where(turn.c.conversation_id == where)
    if connection.scalar(last) != max(forgotten):
        return False
    forget_turns(connection, forgotten)
    connection.execute(outbox.update().where(answer).values(state="growing", turn_id=None))
    return True


def _react(connection: sa.Connection, event: Event) -> str:
    """Where a platform does not say in which thread it was, the message of ours knows."""
    at: datetime = event.at
    key, there = event.key, conversation.c
    ours = (
        sa.select(outbox.c.conversation_id)
        .join(conversation)
        .where(
            outbox.c.message == event.message,
            there.platform == key.platform,
            there.account == key.account,
            there.room == key.room,
        )
    )
    where = connection.scalar(ours.limit(1))
    if where is None:
        return "it is not to a message of mine"
    whose = {"conversation_id": where, "message": event.message, "author": event.author.id}
    if not event.text:
        theirs = [reaction.c[name] == value for name, value in whose.items()]
        connection.execute(reaction.delete().where(*theirs))
        return "a reaction is taken back"
    row = rows.insert(connection.dialect.name, reaction)
    row = row.on_conflict_do_update(
        index_elements=list(reaction.primary_key),
        set_={"emoji": row.excluded.emoji, "at": row.excluded.at},
    )
    connection.execute(row, {**whose, "emoji": event.text, "at": at})
    return "a reaction is kept"
