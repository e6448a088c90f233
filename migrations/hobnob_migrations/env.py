"""Runs migrations inside the transaction that `hobnob.store.migrate` hands over."""

from alembic import context

from hobnob.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
    transactional_ddl=False,  # the caller's transaction is the one that counts
    compare_type=True,
)
context.run_migrations()
