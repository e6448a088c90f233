"""The support desk: tickets, what was done about them, and what a message of ours is about."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("about", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("staff_name", sa.Text(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("opened", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True)),
        sa.Column("rating", sa.Integer()),
        sa.Column("schedule_id", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_ticket_conversation_id_conversation"
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["schedule.id"],
            name="fk_ticket_schedule_id_schedule",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
    )
    unresolved = sa.text("state <> 'resolved'")
    op.create_index(
        "uq_ticket_conversation_id",
        "ticket",
        ["conversation_id"],
        unique=True,
        sqlite_where=unresolved,
        postgresql_where=unresolved,
    )
    op.create_index("ix_ticket_conversation_id_author", "ticket", ["conversation_id", "author"])
    op.create_index("ix_ticket_state", "ticket", ["state"])
    op.create_index("ix_ticket_schedule_id", "ticket", ["schedule_id"])
    op.create_table(
        "ticket_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.id"], name="fk_ticket_act_ticket_id_ticket"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_act"),
    )
    op.create_index("ix_ticket_act_ticket_id", "ticket_act", ["ticket_id"])
    op.create_index("ix_ticket_act_at", "ticket_act", ["at"])
