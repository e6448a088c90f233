"""Which message is ours is found by its id."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_outbox_message", "outbox", ["message"])
