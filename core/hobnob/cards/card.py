"""What a card says: version 1, 2 or 3, or an elizaOS character, read into one shape.

V1, V2: https://github.com/malfoyslastname/character-card-spec-v2
V3: https://github.com/kwaroran/character-card-spec-v3/blob/main/SPEC_V3.md
elizaOS: https://docs.elizaos.ai/agents/character-interface
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hobnob.errors import ConfigError
from hobnob.lorebook import Entry, Lorebook, Position

LONGEST_NAME = 128
MOST_ENTRIES = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A character card. Texts still have their macros."""

    name: str
    description: str = ""
    personality: str = ""
    scenario: str = ""
    first_message: str = ""
    examples: str = ""
    """Dialogues, each begun with <START>."""
    system: str = ""
    """Goes before all else; {{original}} in it stands for nothing."""
    after_history: str = ""
    greetings: tuple[str, ...] = ()
    notes: str = ""
    """For the owner; no model reads them."""
    nickname: str = ""
    book: Lorebook | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All that the file holds, also what hobnob does not know."""

    @property
    def char(self) -> str:
        return self.nickname or self.name


def read(raw: Mapping[str, Any], source: str) -> Card:
    """The card in a JSON object. Raises ConfigError with everything that is wrong."""
    problems: list[str] = []
    spec = raw.get("spec")
    if spec in ("chara_card_v2", "chara_card_v3"):
        data = raw.get("data")
        if not isinstance(data, Mapping):
            raise ConfigError(f"{source}: data: is missing, so there is no character in it.")
        card = _card(_Reader(data, "data.", problems), raw)
    elif "bio" in raw and "name" in raw:
        card = _eliza(_Reader(raw, "", problems), raw)
    elif "name" in raw or "char_name" in raw:
        card = _card(_Reader(raw, "", problems), raw)
    else:
        raise ConfigError(
            f"{source}: is no character card: it has neither spec = chara_card_v2 or "
            "chara_card_v3, nor a name."
        )
    if not card.name.strip():
        problems.append("name: is empty.")
    if problems:
        raise ConfigError("\n".join(f"{source}: {problem}" for problem in problems[:20]))
    return card


def _card(reader: "_Reader", raw: Mapping[str, Any]) -> Card:
    book = reader.table("character_book")
    return Card(
        name=reader.text("name")[:LONGEST_NAME],
        description=reader.text("description"),
        personality=reader.text("personality"),
        scenario=reader.text("scenario"),
        first_message=reader.text("first_mes"),
        examples=reader.text("mes_example"),
        system=reader.text("system_prompt"),
        after_history=reader.text("post_history_instructions"),
        greetings=reader.texts("alternate_greetings"),
        notes=reader.text("creator_notes"),
        nickname=reader.text("nickname")[:LONGEST_NAME],
        book=_book(book) if book is not None else None,
        raw=raw,
    )


def _book(reader: "_Reader") -> Lorebook:
    return Lorebook(
        entries=tuple(_entry(each, number) for number, each in enumerate(reader.tables("entries"))),
        scan_depth=int(reader.number("scan_depth", 4, 0, 1000)),
        token_budget=int(reader.number("token_budget", 512, 0, 1_000_000)),
        recursive=reader.flag("recursive_scanning", default=False),
    )


def _entry(reader: "_Reader", number: int) -> Entry:
    after = reader.text("position") == "after_char"
    return Entry(
        keys=reader.texts("keys"),
        content=_undecorated(reader.text("content")),
        enabled=reader.flag("enabled", default=True),
        order=reader.number("insertion_order", 0, -1e9, 1e9),
        priority=reader.number("priority", 0, -1e9, 1e9),
        case_sensitive=reader.flag("case_sensitive", default=False),
        constant=reader.flag("constant", default=False),
        secondary=reader.texts("secondary_keys") if reader.flag("selective", default=False) else (),
        regex=reader.flag("use_regex", default=False),
        position=Position.AFTER if after else Position.BEFORE,
        number=number,
    )


def _undecorated(content: str) -> str:
    """Without V3's decorators, lines that begin with @@: where hobnob puts an entry is up to it."""
    lines = content.splitlines()
    while lines and lines[0].startswith("@@"):
        lines.pop(0)
    return "\n".join(lines)


def _eliza(reader: "_Reader", raw: Mapping[str, Any]) -> Card:
    style = reader.table("style")
    habits = (*style.texts("all"), *style.texts("chat")) if style else ()
    lines = [*reader.several("bio"), *reader.several("lore")]
    if topics := reader.texts("topics"):
        lines.append(f"You like to talk about {', '.join(topics)}.")
    if adjectives := reader.texts("adjectives"):
        lines.append(f"You are {', '.join(adjectives)}.")
    return Card(
        name=reader.text("name")[:LONGEST_NAME],
        description="\n".join(lines),
        personality="\n".join(habits),
        system=reader.text("system"),
        examples=_eliza_examples(raw.get("messageExamples"), reader.text("name")),
        raw=raw,
    )


def _eliza_examples(dialogues: object, name: str) -> str:
    """Lists of {user or name, content: {text}}, written as a card's dialogues."""
    found = []
    for dialogue in dialogues if isinstance(dialogues, list) else []:
        lines = ["<START>"]
        for said in dialogue if isinstance(dialogue, list) else []:
            if not isinstance(said, Mapping) or not isinstance(said.get("content"), Mapping):
                continue
            who, text = str(said.get("name") or said.get("user") or ""), said["content"].get("text")
            if isinstance(text, str) and text.strip():
                lines.append(f"{'{{char}}' if who == name else '{{user}}'}: {text.strip()}")
        found.append("\n".join(lines))
    return "\n".join(found)


class _Reader:
    """Reads keys, forgiving what cards in the wild get wrong, noting what cannot be meant."""

    def __init__(self, table: Mapping[str, Any], at: str, problems: list[str]) -> None:
        self._table = table
        self._at = at
        self._problems = problems

    def text(self, key: str) -> str:
        value = self._table.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(key, "must be text")
            return ""
        return value.replace("\r\n", "\n").replace("\0", "").strip()

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key)
        if value is None:
            return ()
        if isinstance(value, str):  # "a, b", as older tools wrote it
            value = value.split(",")
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._wrong(key, "must be a list of texts")
            return ()
        return tuple(each for each in value if each.strip())

    def several(self, key: str) -> Sequence[str]:
        value = self._table.get(key)
        return [value] if isinstance(value, str) else self.texts(key)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._table.get(key)
        return value if isinstance(value, bool) else default

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self._table.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return default
        return min(max(value, low), high)

    def table(self, key: str) -> "_Reader | None":
        value = self._table.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._wrong(key, "must be an object")
            return None
        return _Reader(value, f"{self._at}{key}.", self._problems)

    def tables(self, key: str) -> "list[_Reader]":
        value = self._table.get(key) or []
        if isinstance(value, Mapping):  # by number, as one tool's own export has it
            value = list(value.values())
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self._wrong(key, "must be a list of objects")
            return []
        if len(value) > MOST_ENTRIES:
            self._wrong(key, f"has more than {MOST_ENTRIES} entries")
            return []
        return [
            _Reader(each, f"{self._at}{key}[{number}].", self._problems)
            for number, each in enumerate(value)
        ]

    def _wrong(self, key: str, what: str) -> None:
        self._problems.append(f"{self._at}{key}: {what}.")
