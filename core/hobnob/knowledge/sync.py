"""Bringing the index up to date with the folder: only what changed is read."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hobnob.errors import DocumentFailed, MissingExtra
from hobnob.knowledge import chunks, folder, office, reading
from hobnob.memory.embedder import pack
from hobnob.memory.words import hashes, terms
from hobnob.recollection import Embedded, Embedder, Passage
from hobnob.store.knowledge import Document, NewExcerpt, SqlKnowledge

HOW = "1"
"""Another one where documents are read or cut otherwise than before: all are read anew."""
AT_ONCE = 32
"""Excerpts that are embedded together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What the index lacks."""

    changed: dict[str, Path]
    """New and changed files, by their path in the folder."""
    refused: tuple[Document, ...]
    """Files that are not even read, where the index does not say so yet."""
    gone: tuple[str, ...]
    others: tuple[str, ...]
    """Files of other kinds, which are left out."""

    @property
    def count(self) -> int:
        return len(self.changed) + len(self.refused) + len(self.gone)


class Keeper:
    """Keeps the index of one folder."""

    def __init__(
        self,
        place: Path,
        store: SqlKnowledge,
        embedder: Embedder | None,
        *,
        links: str = "",
    ) -> None:
        """`links` is where the folder is on the web; "" if it isn't."""
        self._place = place
        self._store = store
        self._embedder = embedder and embedder.for_documents
        self._links = links

    async def changes(self) -> Changes:
        """Raises ConfigError where the folder can't be read, StoreError."""
        known = {each.path: each for each in await self._store.documents()}
        found = await asyncio.to_thread(folder.look, self._place)
        refused = [
            Document(path=path, stamp="", error=f"{path}: {why}")
            for path, why in found.refused.items()
        ]
        stamps = await asyncio.to_thread(self._stamps, found.files)
        here = {*found.files, *found.refused}
        return Changes(
            changed={
                path: file
                for path, file in found.files.items()
                if path not in known or known[path].stamp != stamps[path]
            },
            refused=tuple(
                each
                for each in refused
                if each.path not in known or known[each.path].error != each.error
            ),
            gone=tuple(path for path in known if path not in here),
            others=found.others,
        )

    async def sync(self, changes: Changes) -> AsyncIterator[Document]:
        """Carry them out, one after the other; each document as it is known now."""
        await self._store.remove(changes.gone)
        for path in changes.gone:
            yield Document(path=path, stamp="")
        for refused in changes.refused:
            await self._store.put(refused, ())
            yield refused
        for path, file in changes.changed.items():
            document, excerpts = await self._read(path, file)
            await self._store.put(document, excerpts)
            yield document

    async def _read(self, path: str, file: Path) -> tuple[Document, Sequence[NewExcerpt]]:
        stamp = ""
        try:
            data = await asyncio.to_thread(folder.content, path, file)
            stamp = self._stamp(path, data)
            text = await asyncio.to_thread(reading.read, path, data, self._links)
        except (DocumentFailed, MissingExtra) as error:
            return Document(path=path, stamp=stamp, error=str(error)), ()
        cut = await asyncio.to_thread(lambda: list(chunks.cut(text)))
        seen = await self._embedded(text.title, cut)
        excerpts = [
            NewExcerpt(
                heading=chunk.heading,
                start=chunk.start,
                text=chunk.text,
                terms=hashes(terms(f"{_above(text.title, chunk)}\n{chunk.text}")).tobytes(),
                vector=None if each is None else pack(each.vector[None]),
                tokens=None if each is None else pack(each.tokens),
            )
            for chunk, each in zip(cut, seen, strict=True)
        ]
        document = Document(
            path=path, stamp=stamp, title=text.title, url=text.url, excerpts=len(excerpts)
        )
        return document, excerpts

    async def _embedded(self, title: str, cut: Sequence[chunks.Chunk]) -> Sequence[Embedded | None]:
        if self._embedder is None:
            return [None] * len(cut)
        found: list[Embedded | None] = []
        for start in range(0, len(cut), AT_ONCE):
            passages = [
                Passage(before=f"{_above(title, chunk)}: ", text=chunk.text, after="")
                for chunk in cut[start : start + AT_ONCE]
            ]
            found += await self._embedder.embed(passages)
        return found

    def _stamps(self, files: dict[str, Path]) -> dict[str, str]:
        found = {}
        for path, file in files.items():
            try:
                data = folder.content(path, file)
            except DocumentFailed:
                found[path] = ""  # which no document has that was read
            else:
                found[path] = self._stamp(path, data)
        return found

    def _stamp(self, path: str, data: bytes) -> str:
        """Of all that decides what becomes of a file."""
        embedder = self._embedder.id if self._embedder else ""
        how = [HOW, embedder, self._links, str(office.is_readable(path))]
        return hashlib.sha256("\n".join(how).encode() + b"\0" + data).hexdigest()


def _above(title: str, chunk: chunks.Chunk) -> str:
    return f"{title}, {chunk.heading}" if chunk.heading else title
