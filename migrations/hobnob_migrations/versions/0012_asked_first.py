"""What people are asked before a tool that changes something is run."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run", sa.String()),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_asked_conversation_id_conversation"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_asked"),
    )
    op.create_index("ix_asked_conversation_id_author", "asked", ["conversation_id", "author"])
