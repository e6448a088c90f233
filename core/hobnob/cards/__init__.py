"""Character cards, as people trade them: what a card says becomes a persona.

`files` gets the JSON out of a file, `card` reads it, `persona` makes a `hobnob.persona.Persona` of
it, and `export` goes the other way. A card comes from a stranger: every size is bounded.
"""

from hobnob.cards import card, files
from hobnob.cards.export import card as write
from hobnob.cards.files import MAX_BYTES, SUFFIXES
from hobnob.cards.persona import persona
from hobnob.persona import Persona

__all__ = ["MAX_BYTES", "SUFFIXES", "load", "write"]


def load(data: bytes, source: str) -> Persona:
    """The persona that a card's file describes. Raises ConfigError with all that is wrong."""
    return persona(card.read(files.read(data, source), source))
