"""One person on two platforms: linked conversations, and the codes that link them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("conversation", sa.Column("person", sa.Integer()))
    op.add_column("conversation", sa.Column("whose", sa.String()))
    op.create_index("ix_conversation_person", "conversation", ["person"])
    op.create_table(
        "link_code",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name="fk_link_code_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("code", name="pk_link_code"),
    )
    op.create_index("ix_link_code_conversation_id", "link_code", ["conversation_id"])
