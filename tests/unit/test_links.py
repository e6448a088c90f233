"""Which links of a message are read, and what becomes of those that can't be."""

import logging

import pytest

from hobnob import links
from hobnob.errors import PageFailed
from hobnob.events import Quote
from hobnob.testing.adapter import FakeAdapter

people = FakeAdapter()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no link, no http:// and no www.good.example", []),
        ("see https://good.example/a.", ["https://good.example/a"]),
        ("see HTTP://good.example!?", ["HTTP://good.example"]),
        ("(https://good.example/a)", ["https://good.example/a"]),
        ("(https://good.example/a_(b)).", ["https://good.example/a_(b)"]),
        ("[foxes](https://good.example/fox)", ["https://good.example/fox"]),
        ("<https://good.example/fox>", ["https://good.example/fox"]),
        ("**https://good.example/fox**", ["https://good.example/fox"]),
        ("`https://good.example/fox`", ["https://good.example/fox"]),
        ('"https://good.example/fox", he said', ["https://good.example/fox"]),
        ("https://good.example/?a=b&c=d#e", ["https://good.example/?a=b&c=d#e"]),
        ("https://good.example/ü/狐", ["https://good.example/ü/狐"]),
        ("a https://a.example b https://a.example c", ["https://a.example"]),
        (
            "https://a.example https://b.example https://c.example",
            ["https://a.example", "https://b.example"],
        ),
        ("xhttps://a.example @https://a.example ftp://https://a.example", []),
        ("https://a.example\\@b.example", ["https://a.example"]),
        ("https://a.example\nhttps://b.example", ["https://a.example", "https://b.example"]),
    ],
)
def test_the_links_of_a_text(text: str, found: list[str]) -> None:
    assert links.find(text) == found


@pytest.mark.parametrize(
    "unit", ["https://a.example/", "https://", ")", "(", "http", "https://a)))"]
)
def test_looking_for_links_is_quick_in_any_text(unit: str) -> None:
    assert len(links.find("https://a.example/" + unit * 100_000)) <= links.MOST


async def fetch(link: str) -> Quote:
    if "down" in link:
        raise PageFailed("its server failed")
    if "bug" in link:
        raise RuntimeError("oops")
    return Quote(author="good.example", text="Foxes are red.")


async def test_every_link_of_a_burst_is_read_in_order() -> None:
    batch = [people.event("https://down.example/x"), people.event("or https://good.example/y")]
    assert await links.read(batch, fetch) == (
        Quote(author="down.example", text=""),
        Quote(author="good.example", text="Foxes are red."),
    )


async def test_a_message_without_a_link_asks_nobody() -> None:
    assert await links.read([people.event("hello")], fetch) == ()


@pytest.mark.parametrize("link", ["https://bug.example/secret", "https://down.example/secret"])
async def test_a_page_that_fails_costs_no_answer_and_no_link_is_logged(
    link: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (quote,) = await links.read([people.event(link)], fetch)
    assert quote.text == ""
    assert caplog.records
    assert "secret" not in caplog.text


async def test_a_link_that_is_none_has_a_name_all_the_same() -> None:
    async def refuse(link: str) -> Quote:
        raise PageFailed("no")

    (quote,) = await links.read([people.event("https://a＃b/")], refuse)
    assert quote.author
