"""Answers that grow, are changed and are taken back; reactions; how the connections are doing."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("replaces", sa.String()))
    op.add_column(
        "outbox", sa.Column("private", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column(
        "conversation", sa.Column("begins", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("conversation", sa.Column("language", sa.String(64)))
    op.add_column(
        "conversation",
        sa.Column("introduced", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "reaction",
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name="fk_reaction_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("conversation_id", "message", "author", name="pk_reaction"),
    )
    op.create_table(
        "connection",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("health", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", name="pk_connection"),
    )
