"""Character cards: what they say, the files they come in, and what hostile ones may not."""

import base64
import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from hobnob import cards, settings
from hobnob.cards import card, files
from hobnob.cards.macros import fill
from hobnob.errors import ConfigError
from hobnob.lorebook import Entry, Lorebook
from hobnob.persona import Example, Persona

ENTRY = {"keys": ["harbour"], "content": "The harbour froze in 1901.", "insertion_order": 1}
DATA = {
    "name": "Mara",
    "description": "{{char}} keeps a lighthouse and likes {{user}}.",
    "personality": "dry, kind",
    "scenario": "A storm.",
    "first_mes": "Come in, {{user}}!",
    "mes_example": "<START>\n{{user}}: hello\n{{char}}: Mind the step.\nIt is wet.\n<START>\n"
    "{{user}}: who are you?\n{{char}}: {{char}}.",
    "system_prompt": "Write as {{char}}. {{original}}",
    "post_history_instructions": "Short answers.",
    "alternate_greetings": ["Oh."],
    "creator_notes": "made on a boat",
    "tags": ["sea"],
    "extensions": {"other/tool": {"depth": 4}},
    "character_book": {
        "entries": [ENTRY, {"keys": [], "content": "It is 1910.", "constant": True}],
        "extensions": {},
    },
}
V2 = {"spec": "chara_card_v2", "spec_version": "2.0", "data": DATA}
V3 = {"spec": "chara_card_v3", "spec_version": "3.0", "data": {**DATA, "nickname": "Captain"}}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture(*chunks: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return files.SIGNATURE + head + b"".join(chunks) + pixels + chunk(b"IEND", b"")


def text(key: str, value: Any) -> bytes:
    return chunk(b"tEXt", key.encode() + b"\0" + base64.b64encode(json.dumps(value).encode()))


def charx(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return file.getvalue()


def load(value: Any) -> Persona:
    return cards.load(json.dumps(value).encode(), "card.json")


# ------------------------------------------------------------------------------- what they say


def test_a_card_becomes_a_persona() -> None:
    mara = load(V2)
    assert mara.name == "Mara"
    assert mara.text == (
        "Write as Mara.\n\nIt is 1910.\n\nMara keeps a lighthouse and likes the user.\n\n"
        "Mara's personality: dry, kind\n\nScenario: A storm."
    )
    assert mara.style == "Short answers."
    assert mara.greeting == "Come in, {{user}}!"
    assert mara.examples == (
        Example(user="hello", assistant="Mind the step.\nIt is wet."),
        Example(user="who are you?", assistant="Mara."),
    )
    assert mara.lore is not None
    assert [entry.content for entry in mara.lore.entries] == [ENTRY["content"]]


def test_a_nickname_is_what_it_is_called() -> None:
    assert load(V3).name == "Captain"
    assert "Captain keeps a lighthouse" in load(V3).text


def test_version_1_has_no_spec() -> None:
    old = load({"name": "Mara", "description": "keeps a lighthouse", "first_mes": "Hi"})
    assert (old.name, old.greeting) == ("Mara", "Hi")
    assert old.text == "You are Mara.\n\nkeeps a lighthouse"


def test_an_elizaos_character_is_read() -> None:
    eliza = load(
        {
            "name": "Eliza",
            "bio": ["listens", "asks back"],
            "lore": ["was written in 1966"],
            "topics": ["dreams"],
            "adjectives": ["calm"],
            "system": "Be Eliza.",
            "style": {"all": ["short"], "chat": ["warm"], "post": ["never"]},
            "messageExamples": [
                [
                    {"name": "{{user1}}", "content": {"text": "hello"}},
                    {"name": "Eliza", "content": {"text": "How do you do."}},
                ],
                ["broken"],
            ],
        }
    )
    assert eliza.name == "Eliza"
    for said in ("Be Eliza.", "listens", "1966", "dreams", "calm", "short", "warm"):
        assert said in eliza.text
    assert "never" not in eliza.text
    assert eliza.examples == (Example(user="hello", assistant="How do you do."),)


def test_what_others_get_wrong_is_forgiven() -> None:
    loose = load(
        {
            **V2,
            "data": {
                **DATA,
                "personality": None,
                "tags": "a, b",
                "character_book": {
                    "scan_depth": "deep",
                    "entries": {"0": {"keys": "harbour, pier", "content": "x", "enabled": None}},
                },
            },
        }
    )
    assert loose.lore is not None
    assert loose.lore.entries[0].keys == ("harbour", " pier")
    assert loose.lore.scan_depth == 4


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({**V2, "data": None}, "data: is missing"),
        ({"spec": "chara_card_v2", "data": {"name": 5}}, "data.name: must be text"),
        ({"spec": "chara_card_v2", "data": {"name": " "}}, "name: is empty"),
        ({"hello": "world"}, "is no character card"),
        ([1, 2], "no JSON object"),
        (
            {"spec": "chara_card_v2", "data": {"name": "X", "character_book": []}},
            "data.character_book: must be an object",
        ),
        (
            {"name": "X", "character_book": {"entries": [{"keys": [3]}]}},
            "character_book.entries[0].keys: must be a list of texts",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_key(wrong: Any, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(wrong)
    assert told in str(caught.value)
    assert str(caught.value).startswith("card.json: ")


# --------------------------------------------------------------------------- the files they are in


def test_a_picture_carries_a_card_the_newest_first() -> None:
    old = {**V2, "data": {**DATA, "name": "Old"}}
    both = picture(text("chara", old), text("Comment", "x"), text("ccv3", V3))
    assert cards.load(both, "m.png").name == "Captain"
    assert cards.load(picture(text("chara", old)), "m.png").name == "Old"


def test_packed_chunks_are_read() -> None:
    written = base64.b64encode(json.dumps(V2).encode())
    ztxt = chunk(b"zTXt", b"chara\0\0" + zlib.compress(written))
    itxt = chunk(b"iTXt", b"chara\0\1\0\0\0" + zlib.compress(written))
    plain = chunk(b"iTXt", b"chara\0\0\0en\0\0" + written)
    for each in (ztxt, itxt, plain):
        assert cards.load(picture(each), "m.png").name == "Mara"


def test_an_archive_carries_a_card() -> None:
    packed = charx(card__json=json.dumps(V3).encode(), icon__png=b"x")
    assert cards.load(packed, "m.charx").name == "Captain"


def test_a_card_goes_out_as_it_came_in() -> None:
    mara, raw = load(V2), files.parse(json.dumps(V2).encode(), "")
    written = cards.write(mara, raw)
    assert written["spec"] == "chara_card_v3"
    assert written["data"]["extensions"] == DATA["extensions"]
    assert {**written["data"], **DATA} == written["data"]
    into = files.with_card(picture(text("chara", {"name": "Old"})), written, "p.png")
    assert files.read(into, "p.png") == written
    assert into.count(b"chara\0") == 1


def test_a_persona_of_ours_goes_out_and_comes_back() -> None:
    robin = Persona(
        name="Robin",
        text="You are Robin.",
        style="Short.",
        greeting="Hi!",
        examples=(Example(user="a", assistant="b"),),
    )
    again = load(cards.write(robin, None))
    assert (again.name, again.text, again.style) == ("Robin", robin.text, robin.style)
    assert (again.greeting, again.examples) == (robin.greeting, robin.examples)


def test_a_card_can_be_a_bots_persona(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_text('[bot]\nname = "mara"\npersona = "mara.png"\n')
    (tmp_path / "mara.png").write_bytes(picture(text("chara", V2)))
    assert settings.load(tmp_path).persona.name == "Mara"


# ------------------------------------------------------------------------------------ hostile ones

DEEP = b"[" * 200_000 + b"]" * 200_000
BOMB = zlib.compress(b"A" * (200 << 20))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\0" * (files.MAX_BYTES + 1), "larger than 32 MB"),
        (b'{"name": "' + b"x" * files.MAX_JSON_BYTES + b'"}', "larger than 4 MB"),
        (DEEP, "nested too deeply"),
        (b'{"name":"a","description":' + b"[" * 40 + b"]" * 40 + b"}", "nested too deeply"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"{'name': 1}", "not valid JSON"),
        (b'{"name": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (files.SIGNATURE, "damaged or cut off"),
        (picture(text("chara", V2))[:60], "damaged or cut off"),
        (picture(text("chara", V2)).replace(b"IDAT", b"IDAX"), "damaged or cut off"),
        (picture(), "no character card"),
        (picture(chunk(b"tEXt", b"chara\0!!!")), "not valid JSON"),
        (picture(chunk(b"zTXt", b"chara\0\0" + BOMB)), "larger than 4 MB"),
        (picture(chunk(b"zTXt", b"chara\0\0not packed")), "damaged"),
        (files.SIGNATURE + chunk(b"tEXt", b"") * (files.MAX_CHUNKS + 1), "chunks"),
        (files.SIGNATURE + b"\x7f\xff\xff\xfftEXtchara", "damaged or cut off"),
        (charx(icon__png=b"x"), "no card.json"),
        (charx(card__json=b" " * (files.MAX_JSON_BYTES + 9)), "larger than 4 MB"),
        (charx(**{"../up": b"", "card__json": b"{}"}), "leave its folder"),
        (charx(**{"a/../../up": b"", "card__json": b"{}"}), "leave its folder"),
        (charx(**{"/etc/x": b"", "card__json": b"{}"}), "leave its folder"),
        (charx(**{"C:\\x": b"", "card__json": b"{}"}), "leave its folder"),
        (charx(card__json=b"{}")[:40], "damaged or cut off"),
        (charx(**{f"f{n}": b"" for n in range(files.MAX_MEMBERS + 1)}), "files in it"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",  # a zip holds the time
)
def test_hostile_files_are_refused_quickly_and_clearly(data: bytes, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        cards.load(data, "evil.card")
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300


def test_any_damage_to_a_file_is_an_error_or_a_card() -> None:
    whole = picture(text("chara", V2))
    for place in range(0, len(whole), 7):
        for damaged in (whole[:place], whole[:place] + b"\0" + whole[place + 1 :]):
            try:
                assert cards.load(damaged, "x").name
            except ConfigError:
                continue


def test_too_many_entries_are_refused() -> None:
    many = {"entries": [ENTRY] * (card.MOST_ENTRIES + 1)}
    with pytest.raises(ConfigError, match="more than 5000 entries"):
        load({"name": "X", "character_book": many})


# ---------------------------------------------------------------------------------------- lorebook


def called(book: Lorebook, *said: str) -> list[str]:
    return [entry.content for entry in book.called(said, len)]


def entry(content: str, *keys: str, **fields: Any) -> Entry:
    return Entry(keys=keys, content=content, number=fields.pop("number", 0), **fields)


def test_an_entry_is_called_by_its_key_in_the_last_messages() -> None:
    book = Lorebook(entries=(entry("cold", "Harbour"),), scan_depth=2)
    assert called(book, "to the harbour!", "yes") == ["cold"]
    assert called(book, "to the harbour!", "yes", "no") == []
    assert called(Lorebook(entries=book.entries, scan_depth=0), "harbour") == []


def test_case_and_secondary_keys_count_where_asked_for() -> None:
    strict = Lorebook(entries=(entry("x", "Mara", case_sensitive=True),))
    assert (called(strict, "mara"), called(strict, "Mara")) == ([], ["x"])
    both = Lorebook(entries=(entry("x", "ship", secondary=("storm", "ice")),))
    assert (called(both, "a ship"), called(both, "a ship in ICE")) == ([], ["x"])


def test_what_is_switched_off_or_empty_is_never_told() -> None:
    book = Lorebook(entries=(entry("x", "a", enabled=False), entry("", "a", number=1)))
    assert called(book, "a") == []


def test_entries_call_entries_only_where_the_book_says_so() -> None:
    chain = (entry("the red door", "house"), entry("it squeaks", "door", number=1))
    assert called(Lorebook(entries=chain), "my house") == ["the red door"]
    assert called(Lorebook(entries=chain, recursive=True), "my house") == [
        "the red door",
        "it squeaks",
    ]


def test_the_budget_leaves_out_the_lowest_priority_and_order_stays() -> None:
    book = Lorebook(
        entries=(
            entry("bbbb", "k", order=2, priority=9),
            entry("aaaa", "k", order=1, priority=5, number=1),
            entry("cccc", "k", order=0, priority=1, number=2),
        ),
        token_budget=9,
    )
    assert called(book, "k") == ["aaaa", "bbbb"]


def test_regular_expressions_take_linear_time() -> None:
    evil = Lorebook(entries=(entry("x", "/(a+)+$/i", regex=True), entry("y", "((", regex=True)))
    assert called(evil, "a" * 10_000 + "!") == []
    fine = Lorebook(entries=(entry("x", "/dra(gon|ke)s?/i", regex=True),))
    assert called(fine, "two DRAKES") == ["x"]


# ------------------------------------------------------------------------------------------ macros


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{{char}} meets {{user}}", "Mara meets Ann"),
        ("{{CHAR}}, <USER>, <BOT>", "Mara, Ann, Mara"),
        ("a{{// a note}}b{{comment: c}}{{hidden_key:d}}", "ab"),
        ("{{reverse:abc}}", "cba"),
        ("{{random:one}}", "one"),
        ("{{pick:a\\,b}}", "a,b"),
        ("{{roll:d1}}{{roll:3d1}}{{roll:1}}", "131"),
        ("{{roll:d0}} {{roll:what}}", "{{roll:d0}} {{roll:what}}"),
        ("{{unknown}} {{ {{", "{{unknown}} {{ {{"),
        ("{{random:{{char}}}}", "Mara"),
    ],
)
def test_macros(written: str, filled: str) -> None:
    assert fill(written, char="Mara", user="Ann") == filled


def test_chance_is_the_same_each_time_so_that_a_prompt_stays_the_same() -> None:
    rolls = {fill("{{roll:d1000}} {{random:a,b,c}}", char="", user="", seed="x") for _ in range(5)}
    assert len(rolls) == 1
    different = {fill("{{roll:d1000}}", char="", user="", seed=str(n)) for n in range(20)}
    assert len(different) > 10


def test_macros_that_hold_each_other_end() -> None:
    assert len(fill("{{random:" * 500 + "}}" * 500, char="{{char}}", user="{{user}}")) < 10_000
