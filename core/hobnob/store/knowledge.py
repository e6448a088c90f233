"""The documents that a bot knows, in the database: what is in the folder, as far as it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from hobnob.store import rows
from hobnob.store.database import Database
from hobnob.store.schema import document, excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file of the folder, as it was last read."""

    path: str
    """In the folder, with "/"."""
    stamp: str
    """Of its bytes, and of how they were read: another one means that it is to be read anew."""
    title: str = ""
    url: str = ""
    """Where people may read it; "" where they can't."""
    error: str = ""
    """Why nothing of it is known."""
    excerpts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewExcerpt:
    """A part of a document, with what search computes with."""

    heading: str
    start: int
    text: str
    terms: bytes
    vector: bytes | None
    tokens: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An excerpt as search computes with it."""

    id: int
    terms: bytes
    vector: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A part of a document, as it is shown."""

    path: str
    title: str
    url: str
    heading: str
    """The headings above it, from the outermost; "" where there is none."""
    start: int
    """Characters into the document's text."""
    text: str


_COUNT = sa.func.count(excerpt.c.id).label("excerpts")
DOCUMENTS = (
    sa.select(document, _COUNT)
    .join_from(document, excerpt, isouter=True)
    .group_by(document.c.id)
    .order_by(document.c.path)
)
STATE = sa.select(document.c.id, document.c.stamp).order_by(document.c.id)
ENTRIES = sa.select(excerpt.c.id, excerpt.c.terms, excerpt.c.vector).order_by(excerpt.c.id)
_IDS: sa.BindParameter[int] = sa.bindparam("ids", expanding=True)
TOKENS = sa.select(excerpt.c.id, excerpt.c.tokens).where(excerpt.c.id.in_(_IDS))
EXCERPTS = (
    sa.select(
        excerpt.c.id,
        document.c.path,
        document.c.title,
        document.c.url,
        excerpt.c.heading,
        excerpt.c.start,
        excerpt.c.text,
    )
    .join_from(excerpt, document)
    .where(excerpt.c.id.in_(_IDS))
)

State = tuple[tuple[int, str], ...]
"""Tells one content of the index from another."""


class SqlKnowledge:
    """Every method is one transaction and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def documents(self) -> Sequence[Document]:
        """All of them, by path."""

        def transaction(connection: sa.Connection) -> Sequence[Document]:
            return [
                Document(
                    path=row.path,
                    stamp=row.stamp,
                    title=row.title,
                    url=row.url,
                    error=row.error,
                    excerpts=row.excerpts,
                )
                for row in connection.execute(DOCUMENTS)
            ]

        return await self._database.read(transaction)

    async def put(self, new: Document, excerpts: Sequence[NewExcerpt]) -> None:
        """The document, in place of what was known of that path."""

        def transaction(connection: sa.Connection) -> None:
            connection.execute(document.delete().where(document.c.path == new.path))
            values = {
                "path": new.path,
                "stamp": new.stamp,
                "title": new.title,
                "url": new.url,
                "error": new.error,
            }
            insert = rows.insert(connection.dialect.name, document).values(values)
            number = connection.scalar(insert.on_conflict_do_nothing().returning(document.c.id))
            if number is None:
                return  # another process of this bot has just read the same
            if excerpts:
                connection.execute(excerpt.insert(), [_values(each, number) for each in excerpts])

        await self._database.write(transaction)

    async def remove(self, paths: Sequence[str]) -> None:
        def transaction(connection: sa.Connection) -> None:
            for path in paths:
                connection.execute(document.delete().where(document.c.path == path))

        await self._database.write(transaction)

    async def state(self) -> State:
        def transaction(connection: sa.Connection) -> State:
            return tuple((id_, stamp) for id_, stamp in connection.execute(STATE))

        return await self._database.read(transaction)

    async def entries(self) -> tuple[State, Sequence[Entry]]:
        """All that search computes with, and which content of the index that is."""

        def transaction(connection: sa.Connection) -> tuple[State, Sequence[Entry]]:
            state = tuple((id_, stamp) for id_, stamp in connection.execute(STATE))
            found = connection.execute(ENTRIES)
            return state, [Entry(id=id_, terms=t, vector=v) for id_, t, v in found]

        return await self._database.read(transaction)

    async def tokens(self, ids: Sequence[int]) -> Mapping[int, bytes]:
        def transaction(connection: sa.Connection) -> Mapping[int, bytes]:
            found = connection.execute(TOKENS, {"ids": ids})
            return {id_: tokens for id_, tokens in found if tokens is not None}

        return await self._database.read(transaction)

    async def excerpts(self, ids: Sequence[int]) -> Mapping[int, Excerpt]:
        def transaction(connection: sa.Connection) -> Mapping[int, Excerpt]:
            return {
                row.id: Excerpt(
                    path=row.path,
                    title=row.title,
                    url=row.url,
                    heading=row.heading,
                    start=row.start,
                    text=row.text,
                )
                for row in connection.execute(EXCERPTS, {"ids": ids})
            }

        return await self._database.read(transaction)


def _values(new: NewExcerpt, document_id: int) -> dict[str, object]:
    return {
        "document_id": document_id,
        "heading": new.heading,
        "start": new.start,
        "text": new.text,
        "terms": new.terms,
        "vector": new.vector,
        "tokens": new.tokens,
    }
