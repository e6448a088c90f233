"""The tables. What each column is for; no queries."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from hobnob.store.columns import Said, Utc

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

conversation = Table(
    "conversation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", String, nullable=False),
    Column("account", String, nullable=False),
    Column("room", String, nullable=False),
    Column("thread", String, nullable=False),
    # Between one person and us, so that nobody else ever hears what is said in it.
    Column("direct", Boolean, nullable=False, server_default=false()),
    # What is said now is not remembered.
    Column("incognito", Boolean, nullable=False, server_default=false()),
    # Counts up when something remembered is changed or forgotten: copies in memory are outdated.
    Column("forgotten", Integer, nullable=False, server_default="0"),
    # Where the present talk begins: what was said before is remembered, and not at hand.
    Column("begins", Integer, nullable=False, server_default="0"),
    # The language to answer in; NULL: that of whoever speaks.
    Column("language", String(64)),
    # Somebody was told here that we are an AI.
    Column("introduced", Boolean, nullable=False, server_default=false()),
    # Direct conversations with the same number are one person's, who linked them: one place.
    Column("person", Integer),
    Column("whose", String),  # the id of that person here
    UniqueConstraint("platform", "account", "room", "thread"),
    Index(None, "person"),
)

# What proves that two accounts are one person's: said on the one, repeated on the other, once.
link_code = Table(
    "link_code",
    metadata,
    Column("code", String, primary_key=True),  # its SHA-256
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("author", String, nullable=False),
    Column("until", Utc, nullable=False),
    Index(None, "conversation_id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", String, nullable=False),
    Column("account", String, nullable=False),
    Column("event", String, nullable=False),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("message", String, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("author", String, nullable=False),
    # The event as JSON, until it is dealt with: what is remembered is in `turn`, once.
    Column("payload", Said),
    Column("at", Utc, nullable=False),  # when it was said, by the platform's clock
    Column("received", Utc, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, done, aside
    Column("attempts", Integer, nullable=False, default=0),
    Column("decision", String(16)),
    Column("reason", Said),
    Column("error", Said),
    Column("done", Utc),
    UniqueConstraint("platform", "account", "event"),
    Index(None, "state", "conversation_id"),
    Index(None, "conversation_id", "at"),
    Index(None, "platform", "author", "at"),
    Index(None, "conversation_id", "message"),
)

turn = Table(
    "turn",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    # Counts up within a conversation; windows begin at multiples of a step (see prompt.STEP).
    Column("position", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("author", String, nullable=False),
    Column("name", Said, nullable=False),
    Column("text", Said, nullable=False),
    Column("at", Utc, nullable=False),
    Column("message", String, nullable=False),
    # The embedder that made its row in `recall` ("none" without one); NULL until that is there.
    Column("learned", String),
    UniqueConstraint("conversation_id", "position"),
    Index(None, "conversation_id", "message"),
    Index(None, "author"),
)
Index(
    "ix_turn_to_learn",
    turn.c.id,
    sqlite_where=text("learned IS NULL"),
    postgresql_where=text("learned IS NULL"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    # The turn that it is a part of; NULL for notices, which are not remembered.
    Column("turn_id", ForeignKey("turn.id", ondelete="SET NULL")),
    Column("text", Said),  # until it is sent
    Column("nonce", String, nullable=False, unique=True),
    Column("in_reply_to", String, nullable=False),
    Column("part", Integer, nullable=False),
    Column("mention", String, nullable=False),
    Column("visibility", String(16)),
    Column("warning", Said, nullable=False),
    # The message of ours that it takes the place of; with an empty text, that is to be deleted.
    Column("replaces", String),
    Column("private", Boolean, nullable=False, server_default=false()),
    Column("buttons", Said),  # JSON; NULL: none
    Column("media", Said),  # JSON: files of the bot's folder, without their bytes; NULL: none
    # growing (shown while it is written), pending, sending, sent, unknown, refused, withdrawn
    Column("state", String(16), nullable=False),
    Column("attempted", Utc),
    Column("message", String),  # the platform's id, once sent
    Column("error", Said),
    # What it is about, for the job that says it: support/ticket.py; "": nothing
    Column("about", String, nullable=False, server_default=""),
    Index(None, "state", "conversation_id"),
    Index(None, "conversation_id", "in_reply_to"),
    Index(None, "message"),
    Index(None, "turn_id"),
)

# What recall computes with: numbers made of the text of a turn, gone with it.
recall = Table(
    "recall",
    metadata,
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("terms", LargeBinary, nullable=False),  # hashes of its words: memory/words.py
    Column("vector", LargeBinary),  # of its sentence: memory/embedder.py
    Index(None, "conversation_id", "turn_id"),
)

# The vectors of its words, apart from `recall`, since only a few are ever read at once.
recall_tokens = Table(
    "recall_tokens",
    metadata,
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("tokens", LargeBinary, nullable=False),
)

fact = Table(
    "fact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),  # where it was said
    Column("subject", String, nullable=False),  # whom it is about: an author's id
    Column("number", Integer, nullable=False),  # by which the subject names it
    Column("visibility", String(16), nullable=False),  # direct, room
    Column("kind", String(16), nullable=False),
    Column("attribute", Said, nullable=False),  # a newer one with the same ends this one
    Column("value", Said, nullable=False),
    Column("text", Said, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("at", Utc, nullable=False),  # when it was said
    Column("ended", Utc),  # since when it is no longer true
    Column("ended_by", ForeignKey("fact.id", ondelete="SET NULL")),
    Index(None, "conversation_id", "subject"),
    Index(None, "subject", "number"),
    Index(None, "ended_by"),
)

# The receipts: a fact whose last source is forgotten is forgotten too.
fact_source = Table(
    "fact_source",
    metadata,
    Column("fact_id", ForeignKey("fact.id", ondelete="CASCADE"), primary_key=True),
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "turn_id"),
)

# What was said in a conversation before its window, in short.
summary = Table(
    "summary",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("position", Integer, nullable=False),  # the last turn that is in it
    Column("text", Said, nullable=False),
    Column("at", Utc, nullable=False),
)

# What people think of what we said: the last reaction of each person to a message.
reaction = Table(
    "reaction",
    metadata,
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("message", String, primary_key=True),  # of ours
    Column("author", String, primary_key=True),
    Column("emoji", Said, nullable=False),
    Column("at", Utc, nullable=False),
)

# How the connections to the platforms are doing, as the running program last noted.
connection = Table(
    "connection",
    metadata,
    Column("platform", String, primary_key=True),
    Column("health", Said, nullable=False),  # hobnob.health.Health as JSON
    Column("at", Utc, nullable=False),
)

# What is to happen at its time: then its event comes in, like any other.
schedule = Table(
    "schedule",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("job", String(32), nullable=False),  # whose it is: the name of a job
    Column("author", String, nullable=False),  # for whom it is, who may take it back
    Column("event", Said, nullable=False),  # as JSON, without its id and time
    Column("rule", String, nullable=False),  # when again: hobnob.recurrence; "" once
    Column("zone", String, nullable=False),  # whose clock the rule is about
    Column("due", Utc),  # NULL: nothing more comes
    Index(None, "due"),
    Index(None, "conversation_id"),
    Index(None, "author"),
)

# The number by which a person knows what they want to be reminded of, or to do.
reminder = Table(
    "reminder",
    metadata,
    Column("schedule_id", ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("author", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("language", String(8), nullable=False),  # in which it was asked for
    UniqueConstraint("author", "number"),
)

# Whose clock a person's words are about.
zone = Table(
    "zone",
    metadata,
    Column("platform", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("author", String, primary_key=True),
    Column("name", String, nullable=False),
)

# Who asked to be written to first; their row in `schedule` rings when to look whether there is
# something to say. One that is not due any more was taken back.
checkin = Table(
    "checkin",
    metadata,
    Column("schedule_id", ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String(8), nullable=False),  # in which it was asked for
    Column("daily", Boolean, nullable=False),  # a question every day
)

# What was written first, so that nothing is said twice, and is forgotten with what it was made of.
checkin_said = Table(
    "checkin_said",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("schedule_id", ForeignKey("schedule.id", ondelete="CASCADE"), nullable=False),
    Column("what", String(16), nullable=False),  # birthday, plan, promise, question
    Column("about", Said, nullable=False),  # the year, the fact's number, the question itself
    Column("at", Utc, nullable=False),
    Column("event", String, nullable=False),  # the id of the one in the inbox that it came of
    Column("fact_id", ForeignKey("fact.id", ondelete="CASCADE")),
    # Our own turn whose promise it keeps.
    Column("source_id", ForeignKey("turn.id", ondelete="SET NULL")),
    Column("turn_id", ForeignKey("turn.id", ondelete="SET NULL")),
    Index(None, "schedule_id", "at"),
    Index(None, "fact_id"),
    Index(None, "source_id"),
    Index(None, "turn_id"),
)

# What we said that we would do at a time: the turn has the words, `schedule` the time.
promise = Table(
    "promise",
    metadata,
    Column("schedule_id", ForeignKey("schedule.id", ondelete="CASCADE"), primary_key=True),
    Column("turn_id", ForeignKey("turn.id", ondelete="CASCADE"), nullable=False),
    Index(None, "turn_id"),
)

# A post of a rule in bot.toml at one of its times: one text, in a version for each place.
post = Table(
    "post",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rule", String, nullable=False),  # its name
    Column("due", Utc, nullable=False),
    # planned (to be written), drafted (the text is there), posted, skipped, rejected, withdrawn
    Column("state", String(16), nullable=False),
    Column("text", Said),  # as a model, a feed or an owner wrote it; NULL: not yet, or bot.toml's
    Column("wish", Said, nullable=False),  # how it should be, where it is to be written anew
    UniqueConstraint("rule", "due"),
    Index(None, "state", "due"),
)

post_version = Table(
    "post_version",
    metadata,
    Column("post_id", ForeignKey("post.id"), primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), primary_key=True),
    Column("state", String(16), nullable=False),  # open, posted, skipped
    # What was approved to stand exactly so in this place: posts/version.py; NULL: nothing
    Column("approved", String),
    Column("nonce", String),  # of its first part in the outbox, once posted
    Index(None, "conversation_id"),
)

# Who did what about a post, and when.
post_act = Table(
    "post_act",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("post_id", ForeignKey("post.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("who", String, nullable=False),  # hobnob, terminal, platform/id, or somebody
    Column("what", String(16), nullable=False),
    Column("note", Said, nullable=False),
    Index(None, "post_id"),
)

# Entries of feeds that a post was made of.
post_feed = Table(
    "post_feed",
    metadata,
    Column("rule", String, primary_key=True),
    Column("entry", String(64), primary_key=True),  # a hash of the entry's id
    Column("at", Utc, nullable=False),
)

# Somebody needs a person: one thread of work for whoever staffs the desk.
ticket = Table(
    "ticket",
    metadata,
    Column("id", Integer, primary_key=True),  # its number
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),  # the customer's
    Column("author", String, nullable=False),  # the customer; "" once forgotten
    Column("name", Said, nullable=False),
    # What the customer said last, as JSON and without its text: what an answer refers to.
    Column("event", Said, nullable=False),
    Column("state", String(16), nullable=False),  # open, waiting, taken, snoozed, resolved
    Column("staff", String, nullable=False),  # platform/id of who has it; "": nobody
    Column("staff_name", Said, nullable=False),
    Column("held", Said, nullable=False),  # an answer that a person has to approve; "": none
    Column("opened", Utc, nullable=False),
    Column("asked", Utc),  # when the customer was asked how it went
    Column("rating", Integer),  # 1 to 5
    # What wakes it, while it is snoozed.
    Column("schedule_id", ForeignKey("schedule.id", ondelete="SET NULL")),
    # At most one in each conversation is not resolved.
    Index(
        "uq_ticket_conversation_id",
        "conversation_id",
        unique=True,
        sqlite_where=text("state <> 'resolved'"),
        postgresql_where=text("state <> 'resolved'"),
    ),
    Index(None, "conversation_id", "author"),
    Index(None, "state"),
    Index(None, "schedule_id"),
)

# Who did what about a ticket, and when.
ticket_act = Table(
    "ticket_act",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", ForeignKey("ticket.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("who", String, nullable=False),  # "hobnob", "terminal", or platform/id
    Column("what", String(16), nullable=False),
    Column("note", Said, nullable=False),
    Index(None, "ticket_id"),
    Index(None, "at"),
)

# A file of the folder that the bot knows. Kept so that only what changed is read anew.
document = Table(
    "document",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Said, nullable=False, unique=True),  # in the folder, with "/"
    Column("stamp", String, nullable=False),  # of its bytes, and of how they were read
    Column("title", Said, nullable=False),
    Column("url", Said, nullable=False),  # where people may read it; ""
    Column("error", Said, nullable=False),  # why nothing of it is known; ""
)

# What is shown of a document: a part of one section, with what search computes with.
excerpt = Table(
    "excerpt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("heading", Said, nullable=False),  # the headings above it; ""
    Column("start", Integer, nullable=False),  # characters into the document's text
    Column("text", Said, nullable=False),
    Column("terms", LargeBinary, nullable=False),  # hashes of its words: memory/words.py
    Column("vector", LargeBinary),  # of what it means: memory/embedder.py
    Column("tokens", LargeBinary),  # of its words
    Index(None, "document_id"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("platform", String, primary_key=True),
    Column("account", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)

# What a person was asked before a tool that changes something is run, with exactly what for.
asked = Table(
    "asked",
    metadata,
    Column("code", String, primary_key=True),
    Column("conversation_id", ForeignKey("conversation.id"), nullable=False),
    Column("author", String, nullable=False),  # who alone may say yes
    Column("tool", String, nullable=False),
    Column("arguments", Said, nullable=False),  # JSON
    Column("at", Utc, nullable=False),
    Column("until", Utc, nullable=False),
    # The event for which it was begun; NULL: it was not. It is not begun twice.
    Column("run", String),
    Index(None, "conversation_id", "author"),
)
