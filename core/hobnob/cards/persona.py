"""A persona made of a card."""

import re
from dataclasses import replace

from hobnob.cards.card import Card
from hobnob.cards.macros import fill
from hobnob.lorebook import Entry, Lorebook, Position
from hobnob.persona import Example, Persona

MOST_EXAMPLES = 12
SOMEBODY = "the user"
_LINE = re.compile(
    r"^(\{\{user\}\}|\{\{char\}\}|<USER>|<BOT>)\s*:\s*", re.IGNORECASE | re.MULTILINE
)


def persona(card: Card) -> Persona:
    """Who the card describes. What its lorebook always tells is a part of the text."""

    def said(text: str, user: str = SOMEBODY) -> str:
        return fill(text, char=card.char, user=user, seed=card.name).strip()

    book = card.book or Lorebook()
    always = {
        side: [said(entry.content) for entry in book.constant if entry.position is side]
        for side in Position
    }
    system = re.sub(r"\{\{original\}\}", "", card.system, flags=re.IGNORECASE)
    style = re.sub(r"\{\{original\}\}", "", card.after_history, flags=re.IGNORECASE)
    parts = [
        said(system) or f"You are {card.char}.",
        *always[Position.BEFORE],
        said(card.description),
        said(f"{card.char}'s personality: {card.personality}") if card.personality else "",
        said(f"Scenario: {card.scenario}") if card.scenario else "",
        *always[Position.AFTER],
    ]
    return Persona(
        name=" ".join(card.char.split()),
        text="\n\n".join(part for part in parts if part),
        style=said(style),
        greeting=said(card.first_message, user="{{user}}"),
        examples=tuple(
            Example(user=said(each.user), assistant=said(each.assistant))
            for each in _examples(card.examples)
        ),
        lore=_lore(book, card) if any(not entry.constant for entry in book.entries) else None,
    )


def _lore(book: Lorebook, card: Card) -> Lorebook:
    """The entries that have to be called, with their macros carried out."""

    def filled(entry: Entry) -> Entry:
        content = fill(entry.content, char=card.char, user=SOMEBODY, seed=card.name)
        keys = tuple(fill(key, char=card.char, user=SOMEBODY) for key in entry.keys)
        return replace(entry, content=content.strip(), keys=keys)

    return replace(book, entries=tuple(filled(e) for e in book.entries if not e.constant))


def _examples(text: str) -> tuple[Example, ...]:
    """The exchanges of a question and an answer in the card's dialogues."""
    found: list[Example] = []
    for dialogue in re.split(r"<START>", text, flags=re.IGNORECASE):
        _, *lines = _LINE.split(dialogue)
        asked = ""
        for who, line in zip(lines[::2], lines[1::2], strict=True):
            words = line.strip()
            if who.casefold() in ("{{user}}", "<user>"):
                asked = words
            elif asked and words:
                found.append(Example(user=asked, assistant=words))
                asked = ""
    return tuple(found[:MOST_EXAMPLES])
