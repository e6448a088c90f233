"""Who is written to first, what was said so, and what was promised."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "checkin",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", name="pk_checkin"),
        _of("checkin", "schedule", "CASCADE"),
    )
    op.create_table(
        "checkin_said",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("fact_id", sa.Integer()),
        sa.Column("source_id", sa.Integer()),
        sa.Column("turn_id", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_checkin_said"),
        _of("checkin_said", "schedule", "CASCADE"),
        _of("checkin_said", "fact", "CASCADE"),
        _of("checkin_said", "turn", "SET NULL", column="source_id"),
        _of("checkin_said", "turn", "SET NULL"),
    )
    op.create_index("ix_checkin_said_schedule_id_at", "checkin_said", ["schedule_id", "at"])
    op.create_index("ix_checkin_said_fact_id", "checkin_said", ["fact_id"])
    op.create_index("ix_checkin_said_source_id", "checkin_said", ["source_id"])
    op.create_index("ix_checkin_said_turn_id", "checkin_said", ["turn_id"])
    op.create_table(
        "promise",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_id", name="pk_promise"),
        _of("promise", "schedule", "CASCADE"),
        _of("promise", "turn", "CASCADE"),
    )
    op.create_index("ix_promise_turn_id", "promise", ["turn_id"])


def _of(table: str, other: str, then: str, *, column: str = "") -> sa.ForeignKeyConstraint:
    column = column or f"{other}_id"
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=then)
