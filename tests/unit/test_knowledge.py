"""Documents: found in a folder, read, cut, searched, cited; what is broken harms nothing else."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError, DocumentFailed
from hobnob.events import Addressed, Author, Event, Kind
from hobnob.jobs import Deed
from hobnob.knowledge import asking, chunks, citing, folder, office, reading
from hobnob.knowledge.job import UNKNOWN, Knowledge
from hobnob.knowledge.library import Library
from hobnob.knowledge.reading import Text
from hobnob.knowledge.sync import Keeper
from hobnob.notes import Budget
from hobnob.policy import Action, Decision
from hobnob.store.database import Database
from hobnob.store.history import SqlHistory
from hobnob.store.knowledge import Document, Excerpt, SqlKnowledge
from hobnob.testing.clock import FakeClock

SHIPPING = """\
---
title: Shipping
url: https://example.com/shipping
---
# Shipping

## Costs

A small parcel costs four pounds to send.

## Times

```
# no heading
```

A parcel takes two days.
"""
BUDGET = Budget(tokens=10_000, count=lambda messages: sum(len(m.content) for m in messages))


async def synced(place: Path, database: Database, links: str = "") -> list[Document]:
    keeper = Keeper(place, SqlKnowledge(database), None, links=links)
    return [each async for each in keeper.sync(await keeper.changes())]


def event(text: str, number: str = "1") -> Event:
    clock = FakeClock()
    return Event(
        id=number,
        kind=Kind.MESSAGE,
        key=ConversationKey(platform="fake", account="bot", room="ann"),
        author=Author(id="ann", name="Ann"),
        at=clock.now(),
        message=number,
        text=text,
        addressed=Addressed.DIRECT,
    )


def docx(body: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats'
            '-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
            'relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        )
        archive.writestr("word/document.xml", body)
    return file.getvalue()


WORD = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    b"<w:p><w:r><w:t>The key lies under the stone.</w:t></w:r></w:p></w:body></w:document>"
)


def pdf(text: str = "The gate opens at nine.", *, password: str = "") -> bytes:
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    stream = DecodedStreamObject()
    stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


class TestReading:
    def test_excerpts_know_their_headings_and_where_they_stand(self) -> None:
        text = reading.read("shipping.md", SHIPPING.encode(), "")
        cut = list(chunks.cut(text))
        assert [chunk.heading for chunk in cut] == ["Costs", "Times"]
        assert all(SHIPPING[c.start : c.start + len(c.text)] == c.text for c in cut)
        assert (text.title, text.url) == ("Shipping", "https://example.com/shipping")
        assert "# no heading" in cut[1].text

    def test_a_long_section_is_cut_without_losing_a_word(self) -> None:
        words = [f"word{number}." for number in range(500)]
        cut = list(chunks.cut(Text(title="x", url="", text=" ".join(words))))
        assert max(len(chunk.text) for chunk in cut) <= chunks.LONGEST
        assert " ".join(chunk.text for chunk in cut).split() == words

    def test_a_page_of_html_is_read_without_its_scripts_and_menus(self) -> None:
        page = b"<title>Help</title><nav>Menu</nav><script>alert(1)</script><h2>Keys</h2><p>Lost?"
        text = reading.read("help/keys.html", page, "https://example.com/")
        assert text.text == "## Keys\nLost?"
        assert (text.title, text.url) == ("Help", "https://example.com/help/keys.html")

    @pytest.mark.parametrize(
        ("name", "data", "why"),
        [
            ("a.md", b"caf\xe9", "line 1: is not UTF-8"),
            ("a.txt", b"a\0b", "is not text"),
            ("a.md", b" \n", "holds no text"),
            ("a.md", b"---\nurl: javascript:alert(1)\n---\nx", "is no address"),
            ("a.docx", b"PK no zip", "can't be read"),
            ("a.pdf", b"%PDF-1.7 no more", "can't be read"),
        ],
    )
    def test_a_broken_document_is_named_with_what_is_wrong(
        self, name: str, data: bytes, why: str
    ) -> None:
        with pytest.raises(DocumentFailed, match=f"^{name}: .*{why}"):
            reading.read(name, data, "")

    def test_word_and_pdf_documents_are_read(self) -> None:
        assert "under the stone" in reading.read("a.docx", docx(WORD), "").text
        assert "The gate opens at nine." in reading.read("a.pdf", pdf(), "").text

    def test_an_encrypted_pdf_is_named(self) -> None:
        with pytest.raises(DocumentFailed, match=r"^a\.pdf: is encrypted"):
            reading.read("a.pdf", pdf(password="x"), "")

    def test_a_bomb_is_not_unpacked(self) -> None:
        bomb = docx(b" " * (office.MOST_UNPACKED + 1))
        with pytest.raises(DocumentFailed, match=r"^a\.docx: is larger than 200 MB"):
            reading.read("a.docx", bomb, "")


class TestFolder:
    def test_what_leads_out_of_the_folder_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "secret.md").write_text("the secret")
        docs = tmp_path / "docs"
        docs.mkdir()
        (docs / "out.md").symlink_to(tmp_path / "secret.md")
        (docs / "up").symlink_to(tmp_path)
        (docs / "in.md").write_text("in")
        (docs / ".hidden.md").write_text("hidden")
        found = folder.look(docs)
        assert list(found.files) == ["in.md"]
        assert set(found.refused) == {"out.md", "up"}

    def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"knowledge\.folder: there is no folder"):
            folder.look(tmp_path / "none")


class TestIndex:
    async def test_only_what_changed_is_read_and_what_is_gone_leaves(
        self, tmp_path: Path, database: Database
    ) -> None:
        docs = tmp_path / "docs"
        docs.mkdir()
        (docs / "a.md").write_text("# A\n\nApples are red.")
        (docs / "b.md").write_text("# B\n\nBananas are yellow.")
        assert [each.path for each in await synced(docs, database)] == ["a.md", "b.md"]
        assert await synced(docs, database) == []
        (docs / "a.md").write_text("# A\n\nApricots are orange.")
        (docs / "b.md").unlink()
        assert {each.path for each in await synced(docs, database)} == {"a.md", "b.md"}
        library = Library(SqlKnowledge(database), None)
        hits = await library.search("bananas? apricots?", 5)
        assert [hit.excerpt.text for hit in hits] == ["Apricots are orange."]

    async def test_a_broken_document_does_not_keep_the_others_out(
        self, tmp_path: Path, database: Database
    ) -> None:
        (tmp_path / "bad.md").write_bytes(b"\xff\xfe\xff")
        (tmp_path / "good.md").write_text("Pears are green.")
        await synced(tmp_path, database)
        bad, good = await SqlKnowledge(database).documents()
        assert bad.error.startswith("bad.md: ")
        assert (good.error, good.excerpts) == ("", 1)
        assert await synced(tmp_path, database) == []

    async def test_a_running_library_sees_what_another_process_changed(
        self, tmp_path: Path, database: Database
    ) -> None:
        library = Library(SqlKnowledge(database), None)
        assert await library.search("plums", 5) == []
        (tmp_path / "a.md").write_text("Plums are blue.")
        await synced(tmp_path, database)
        assert len(await library.search("plums", 5)) == 1

    async def test_chinese_is_found_by_its_words(self, tmp_path: Path, database: Database) -> None:
        (tmp_path / "a.md").write_text("# 时间\n\n商店星期一休息。\n\n# 付款\n\n我们不接受支付宝。")
        await synced(tmp_path, database)
        (hit, *_) = await Library(SqlKnowledge(database), None).search("你们接受支付宝吗", 2)
        assert hit.excerpt.heading == "付款"
        assert hit.fits


def excerpt(heading: str, text: str, url: str = "") -> Excerpt:
    return Excerpt(path="a.md", title="Help", url=url, heading=heading, start=0, text=text)


class TestCiting:
    SHOWN = (excerpt("Keys", "The key is blue.", "https://example.com"), excerpt("", "Doors."))

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ("Blue [1].", "Blue [1].\n\n[1] Help, Keys: https://example.com"),
            ("Blue [1][9].", "Blue [1].\n\n[1] Help, Keys: https://example.com"),
            ("Blue [1](https://evil.example).", "Blue [1].\n\n[1] Help, Keys: https://example.com"),
            ("Doors [2, 7].", "Doors [2].\n\n[2] Help"),
            ("Red [3].", "Red."),
            ("The key is blue.", "The key is blue. [1]\n\n[1] Help, Keys: https://example.com"),
            ("I don't know.", "I don't know."),
        ],
    )
    def test_only_numbers_of_excerpts_stay_and_the_sources_follow(
        self, answer: str, said: str
    ) -> None:
        assert citing.cited(answer, self.SHOWN) == said

    def test_nothing_is_cited_where_nothing_was_shown(self) -> None:
        assert citing.cited("Blue [1].", ()) == "Blue."

    def test_as_many_excerpts_are_shown_as_fit(self) -> None:
        small = Budget(tokens=len(citing.INSTRUCTION) + 40, count=BUDGET.count)
        assert citing.brief(self.SHOWN, small)[1] == 1
        assert citing.brief(self.SHOWN, Budget(tokens=5, count=BUDGET.count)) == ("", 0)


@pytest.mark.parametrize(
    ("text", "is_asked"),
    [
        ("how much is a puncture?", True),
        ("Was kostet der Versand?", True),
        ("你们星期一开门吗？", True),
        ("hi", False),
        ("how are you?", False),
        ("can you help me?", False),
        ("Sam, can you help?", False),
        ("do you remember what I said?", False),
        ("my bike is broken", False),
        ("谢谢", False),
    ],
)
def test_only_questions_about_something_are_for_the_documents(text: str, is_asked: bool) -> None:
    assert asking.asks(text, ["Sam"]) is is_asked


class TestJob:
    ANSWER = Decision(action=Action.ANSWER, reason="a direct message")

    @pytest.fixture
    async def job(self, tmp_path: Path, sqlite: Database) -> Knowledge:
        (tmp_path / "docs").mkdir()
        (tmp_path / "docs" / "shipping.md").write_text(SHIPPING)
        await synced(tmp_path / "docs", sqlite)
        library = Library(SqlKnowledge(sqlite), None)
        return Knowledge(library, SqlHistory(sqlite), unknown=UNKNOWN)

    async def test_a_question_that_no_document_answers_never_reaches_the_model(
        self, job: Knowledge
    ) -> None:
        deed = await job.take([event("do you sell kayaks?")], self.ANSWER)
        assert deed is not None
        assert deed.said == UNKNOWN
        assert deed.introduces

    @pytest.mark.parametrize("text", ["hi", "my kayak sinks", "what does a small parcel cost?"])
    async def test_everything_else_does(self, job: Knowledge, text: str) -> None:
        assert await job.take([event(text)], self.ANSWER) is None

    async def test_what_nobody_asked_of_us_is_not_refused(self, job: Knowledge) -> None:
        silent = Decision(action=Action.SILENT, reason="not addressed")
        assert await job.take([event("do you sell kayaks?")], silent) is None

    async def test_an_answer_is_made_from_excerpts_and_names_its_source(
        self, job: Knowledge
    ) -> None:
        events = [event("what does a small parcel cost to send?")]
        assert "[1] Shipping, Costs: A small parcel costs" in await job.brief(events, BUDGET)
        deed = Deed(reason="", said="Four pounds [1].", remembered="Four pounds [1].")
        reviewed = await job.review(events, deed)
        assert reviewed.said.endswith("[1] Shipping, Costs: https://example.com/shipping")
        assert reviewed.remembered == "Four pounds."

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (
                "The Game of Life is played on a GPU.",
                "A small parcel costs four pounds to send. [1]",
            ),
            ("I don't know.", "I don't know."),
        ],
    )
    async def test_an_invention_gives_way_to_the_words_of_the_document(
        self, job: Knowledge, answer: str, said: str
    ) -> None:
        events = [event("what does a small parcel cost to send?")]
        await job.brief(events, BUDGET)
        reviewed = await job.review(events, Deed(reason="", said=answer, remembered=answer))
        assert reviewed.said.partition("\n\n")[0] == said

    async def test_what_was_found_for_one_message_is_not_cited_for_the_next(
        self, job: Knowledge
    ) -> None:
        await job.brief([event("what does a small parcel cost to send?")], BUDGET)
        later: Any = await job.review([event("thanks", "2")], Deed(reason="", said="Bye [1]."))
        assert later.said == "Bye."
