"""What is remembered: recall, facts with their sources, summaries; row level security."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# The conversations that a transaction may see, as '{1,2}'. Where nothing is set, all: so does a
# backup, which must not be empty. Recall always sets it (store/memory.py).
SCOPE = "NULLIF(current_setting('hobnob.scope', true), '')::integer[]"
VISIBLE = f"({SCOPE} IS NULL OR conversation_id = ANY({SCOPE}))"
# What one person said of themselves in company is for that person's questions only.
CONCERNED = f"""({SCOPE} IS NULL
    OR subject = current_setting('hobnob.asker', true)
    OR (visibility = 'direct' AND current_setting('hobnob.direct', true) = 'true'))"""


def upgrade() -> None:
    for name in ("direct", "incognito"):
        column: sa.Column[bool] = sa.Column(
            name, sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column("conversation", column)
    op.add_column(
        "conversation", sa.Column("forgotten", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("turn", sa.Column("learned", sa.String()))
    op.create_index("ix_turn_author", "turn", ["author"])
    unlearned = sa.text("learned IS NULL")
    op.create_index(
        "ix_turn_to_learn", "turn", ["id"], sqlite_where=unlearned, postgresql_where=unlearned
    )
    op.create_table(
        "recall",
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("vector", sa.LargeBinary()),
        *_of_a_turn("recall"),
    )
    op.create_index("ix_recall_conversation_id_turn_id", "recall", ["conversation_id", "turn_id"])
    op.create_table(
        "recall_tokens",
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        *_of_a_turn("recall_tokens"),
    )
    op.create_table(
        "fact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("visibility", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_fact_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["fact.id"], name="fk_fact_ended_by_fact", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fact"),
    )
    op.create_index("ix_fact_conversation_id_subject", "fact", ["conversation_id", "subject"])
    op.create_index("ix_fact_subject_number", "fact", ["subject", "number"])
    op.create_index("ix_fact_ended_by", "fact", ["ended_by"])
    op.create_table(
        "fact_source",
        sa.Column("fact_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fact_id"], ["fact.id"], name="fk_fact_source_fact_id_fact", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turn.id"], name="fk_fact_source_turn_id_turn", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("fact_id", "turn_id", name="pk_fact_source"),
    )
    op.create_index("ix_fact_source_turn_id", "fact_source", ["turn_id"])
    op.create_table(
        "summary",
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name="fk_summary_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_summary"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("turn", "recall", "recall_tokens", "summary"):
            _guard(table, VISIBLE)
        _guard("fact", f"{VISIBLE} AND {CONCERNED}")


def _of_a_turn(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turn.id"], name=f"fk_{table}_turn_id_turn", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=f"fk_{table}_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("turn_id", name=f"pk_{table}"),
    )


def _guard(table: str, condition: str) -> None:
    """Show of a table only what the condition allows, to its owner too: hobnob's own queries are
    what it guards against. https://www.postgresql.org/docs/current/ddl-rowsecurity.html"""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scope ON {table} USING ({condition})")
