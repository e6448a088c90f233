"""Posts on a schedule: what is to be posted, where, and who approved it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_post"),
        sa.UniqueConstraint("rule", "due", name="uq_post_rule_due"),
    )
    op.create_index("ix_post_state_due", "post", ["state", "due"])
    op.create_table(
        "post_version",
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("approved", sa.String()),
        sa.Column("nonce", sa.String()),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name="fk_post_version_post_id_post"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name="fk_post_version_conversation_id_conversation",
        ),
        sa.PrimaryKeyConstraint("post_id", "conversation_id", name="pk_post_version"),
    )
    op.create_index("ix_post_version_conversation_id", "post_version", ["conversation_id"])
    op.create_table(
        "post_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name="fk_post_act_post_id_post"),
        sa.PrimaryKeyConstraint("id", name="pk_post_act"),
    )
    op.create_index("ix_post_act_post_id", "post_act", ["post_id"])
    op.create_table(
        "post_feed",
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("entry", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", "entry", name="pk_post_feed"),
    )
