"""Values that can be anything: names, places, things. Pure.

A reader takes the rest of a sentence and gives the values that it begins with and what follows
them. It gives None where the rest is not what it looks for, which is how most rules find out that
they were not meant ("I love it", "call me tomorrow", "I work at night").
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hobnob.memory.facts import words
from hobnob.memory.facts.reading import GAP, Clause

LONGEST = 60
"""Characters of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    values: tuple[str, ...] = ("",)
    """The values; one empty text where the pattern of the rule has it all."""
    tail: str = ""
    """What follows in the sentence."""
    when: str = ""
    """The date of it, to end a sentence with: "on Friday 27 November 2026"."""
    day: str = ""
    """The first day of it, as 2026-11-27."""
    until: datetime | None = None


Reader = Callable[[str, Clause, datetime], Reading | None]
"""Of the rest of the sentence, the clause that it is in, and when it was said."""

_END = re.compile(
    # What may follow a value without changing it.
    r"\s*(?:$|[,;()!.…–—-]|:[()D]|[^\w\s'\"$%&/#@+:]"
    r"|(?:any ?more|any longer|and|but|because|cause|cuz|so|since|although|though|while|yet|plus|by"
    r"|by the way|btw|now|too|as well|right now|at the moment|currently|these days|lol|haha"
    r"|actually|again|already|here|thanks|please|nice)\b)",
    re.IGNORECASE,
)
_OVER = re.compile(r"\b(?:any ?more|any longer|no longer)\b", re.IGNORECASE)
_BOUNDARY = re.compile(
    # Where a phrase ends and something else is said.
    r"[;:()]|\s+[-–—]+\s+|—|\.\.|\s+(?:but|because|cause|cuz|so|since|although|though|yet|plus"
    r"|especially|while)\s|,?\s+and\s+(?=(?:i|i'm|i've|i'd|we|he|she|they|it|it's|my|our|that|this"
    r"|then|so|now|am|was|is|are|have|has|will|can|would|could|hope|think|also|always|never|you"
    r"|your|his|her|their|feel|want|need|try|just|really|often|usually|sometimes|love|hate|like)\b)"
    r"|,?\s+and\s+(?=\w+(?:ed|s)\s+(?:my|me|it|to|the|a)\b)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    # What belongs to the saying, not to the thing.
    r"\s+(?:too|as well|so much|so so much|a lot|very much|a ton|the most|right now|now|these days"
    r"|again|already|lately|lol|haha+|tbh|though|tho|more than anything|with all my heart|to death"
    r"|to bits|at the moment|in general|any ?more|any longer|btw|by the way|actually|honestly"
    r"|either|at all|especially|please|like crazy|every day|still|for sure|ngl|xd|x+|a little"
    r"|a bit|together|:[()DP]|[^\w\s'\"&/%)]+)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s,;:()!?]+")
_NAME = re.compile(r"[^\W\d_]+(?:[-'.][^\W\d_]+)*")
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀŁŚŠŽČĆ][\w'.-]*"


def over(tail: str) -> bool:
    """Whether the statement is about what is no longer so: "any more"."""
    return bool(_OVER.search(tail))


def ends(tail: str) -> bool:
    """Whether a value may end before `tail`."""
    return bool(_END.match(tail))


def tokens(text: str, most: int) -> list[re.Match[str]]:
    """The first words of `text`, with their places."""
    return [match for match, _ in zip(_WORD.finditer(text), range(most), strict=False)]


def upto(text: str) -> str:
    """`text` up to where something else is said."""
    cut = _BOUNDARY.search(text)
    return text[: cut.start()] if cut else text


def key(value: str) -> str:
    """`value` as a part of an attribute: two ways to write the same thing are equal."""
    kept = re.sub(r"[^\w\s/+#'-]", "", value.casefold()).replace("'s", "")
    kept = re.sub(r"^(?:(?:a|an|the|my|to|some|any|of|our) )+", "", kept)
    return kept.strip(" '-")[:40].strip()


_NO_PERSON = (words.NOBODY | words.PRODUCTS | words.CALENDAR) - {"april", "may", "june", "august"}


def person(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A name: words with capitals, at most three. From somebody who writes without, one word."""
    found: list[str] = []
    end = 0
    for match in tokens(rest, 3):
        name = match[0].rstrip(".!…-–—").removesuffix("'s")
        if not _NAME.fullmatch(name) or len(name) > 30 or match.start() > end + 1:
            break
        if name.casefold() in _NO_PERSON or (found and name.casefold() in words.CALENDAR):
            break
        if not name[0].isupper() and (found or not clause.casual):
            break
        found.append(name)
        end = match.start() + len(name)
        if clause.casual or name != match[0]:
            break
    tail = rest[end:]
    if not found or (clause.casual and not ends(tail)):
        return None
    return Reading(values=(found[0].title() if clause.casual else " ".join(found),), tail=tail)


# ----------------------------------------------------------------------------------------- places

_PLACE = re.compile(
    r"(?:(?:the|downtown|central|north|south|east|west|northern|southern|upstate|rural) )*"
    rf"{_CAPITAL}(?: (?:(?:of|de|del|la|le|los|las|upon|am|an|der|on|sur|do|da) )?{_CAPITAL})*"
    rf"(?:, (?:the )?{_CAPITAL}(?: {_CAPITAL})*(?=$|[\s,.!;]))?"
)
_CASUAL_PLACE = re.compile(
    r"the (?:uk|us|usa|uae|netherlands|states|philippines)\b"
    r"|[a-zà-ÿ][\w'-]{2,}(?: [a-zà-ÿ][\w'-]{2,})?(?=\s*(?:$|[,.!]|(?:and|but)\b))"
)
_NO_PLACE = words.word_set(
    """fear pain peace hope sin denial poverty harmony silence darkness squalor luxury work school
    bed constant total hell paradise heaven dorms general space person tears shock love"""
)


def place(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A place with a name ("Rome", "the Netherlands", "Austin, Texas"), or one of a kind ("a small
    town near Graz")."""
    value = _named_place(rest) or _casual_place(rest, clause) or _kind_of_place(rest)
    if not value:
        return None
    tail = rest[len(value) :]
    return Reading(values=(_with_capitals(value) if clause.casual else value,), tail=tail)


def _with_capitals(value: str) -> str:
    """ "the UK", "New York", "a small town"."""
    if value.startswith(("a ", "an ")):
        return value
    the = "the " if value.startswith("the ") else ""
    name = value.removeprefix(the)
    return the + (name.upper() if len(name) < 4 else name.title())


def _named_place(rest: str) -> str:
    match = _PLACE.match(rest)
    if match is None or len(match[0]) > LONGEST:
        return ""
    value = match[0].rstrip(".,-'").removesuffix("'s")
    last = value.rsplit(maxsplit=1)[-1]
    if last == "I" or last.startswith("I'"):  # "in Rome I", which goes on
        value = value.removesuffix(last).rstrip(" ,.")
    known = words.CALENDAR | words.NOBODY | words.PRODUCTS
    if key(value) in known or re.match(r"['\d]|\s+\d", rest[len(value) :]):
        return ""  # "Python 3"
    return value


def _kind_of_place(rest: str) -> str:
    value = phrase(rest, most=8)
    if value is None or not re.match(r"(?:an?|the) ", value, re.IGNORECASE):
        return ""
    return value if words.SETTLEMENTS & set(value.casefold().split()) else ""


def _casual_place(rest: str, clause: Clause) -> str:
    match = _CASUAL_PLACE.match(rest)
    if not clause.casual or match is None:
        return ""
    parts = match[0].removeprefix("the ").split()
    return "" if set(parts) & (_HERE | words.NOBODY | _NO_PLACE) else match[0]


# ----------------------------------------------------------------------------------------- things

_HERE = words.word_set(
    # A phrase with one of these means something only where it was said.
    """it its it's me us myself ourselves themselves himself herself this that that's these those
    you your yours u ur yourself you're they them their theirs they're he him his he's she her
    hers she's there there's one ones same such what what's whatever who whom whose which when
    whenever where wherever why how how's if than unless except without instead i i'm i've i'd
    i'll we we're here being been having had has was were would could should will am are is
    isn't not n't never don't didn't doesn't can't won't today tonight tomorrow yesterday"""
)
_VAGUE = _HERE | words.word_set(
    # Nor does a taste, with one of these.
    """some someone something somebody anyone anything anybody everyone everything everybody
    nothing nobody none all both each every another other others else our much more most less
    least enough lot lots many few bit better best first second last next way idea fact sound
    look looks thought sense kind sort thing things part stuff think know say said says mean
    guess hear see seeing hearing recent recently new"""
)
_GENERIC = words.word_set(
    # "the sea" is anybody's; "the colours" are those of something seen.
    """outdoors ocean oceans sea beach mountains rain snow sun cold heat summer winter spring
    autumn countryside dark sunshine sunset sunrise stars moon forest woods desert city
    internet gym theatre theater opera cinema smell taste colour color piano guitar violin
    drums 60s 70s 80s 90s wind arts"""
)
_LEADING = words.word_set(
    """at for with from on in about of as by and or but like up down out off back around over into
    alone well"""
)
_NO_DEED = words.word_set("be get say do the a help chat talk have go try use make let keep think")
_HALF = re.compile(r"\b(?:an?|the|my) \w+$", re.IGNORECASE)
"""Before a comma it may be half of "a safe, inviting place"."""
_CLAUSE = re.compile(r" (?:i|it|my|we|you|he|she|they|that|this|but|and|so|which|who)\b", re.I)
_IN_JEST = re.compile(
    r"(?:my|anything|nothing|everything|people|bull\w*|stupid\w*|work\w*|mornings?|mondays?|fun"
    r"|maths?|exercise|commitment|drama|feelings|idiots)\b",
    re.IGNORECASE,
)
_AND = re.compile(r"\s(?:and|or|&)\s")
_PAIRS = re.compile(
    r"\b(?:rock|drum|mac|fish|salt|black|bread|bed|rhythm|arts|dungeons|r|d|track|hide|cookies|gin"
    r"|ham|eggs|country|science|friends|family) (?:and|&|n) ",
    re.IGNORECASE,
)


def phrase(rest: str, *, most: int = 5) -> str | None:
    """The words up to the next boundary, if they are few and mean something anywhere."""
    body = _without_trailing(upto(rest).split(",")[0])
    parts = body.casefold().split()
    if not parts or len(parts) > most or len(body) > LONGEST or GAP in body:
        return None
    return None if _HERE & {part.strip(".!") for part in parts} else body


def substance(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """As `thing`, but no kind is too vague ("most nuts"), and it is said in earnest."""
    if _IN_JEST.match(rest):
        return None
    value = phrase(rest, most=7)
    some = Reading(values=(value,), tail=rest[len(value) :]) if value else None
    return thing(rest, clause, at) or some


def thing(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Something that can be liked or avoided by itself: "tea", "long walks by the sea", "to cook".
    A list gives each of its members."""
    body = upto(rest)
    if listed := _listed(body):
        return Reading(values=listed, tail=rest[len(body) :])
    head, _, behind = body.partition(",")
    value = one_thing(head)
    if value is None or (behind and _HALF.search(value) and not _CLAUSE.match(behind)):
        return None
    return Reading(values=_pair(value), tail=rest[len(value) :])


def one_thing(text: str) -> str | None:
    """`text` without what only belongs to the saying, if it can stand alone."""
    text = _without_trailing(text)
    parts = [part.strip(".,!") for part in text.casefold().split()]
    if not parts or len(parts) > 6 or len(text) > LONGEST or GAP in text:
        return None
    if _VAGUE & set(parts) or parts[0] in _LEADING or not re.search(r"[^\W\d_]{2}", text):
        return None
    if parts[0] == "the" and not _known_to_all(text.split()[1:]):
        return None
    return None if parts[0] == "to" and set(parts[1:2]) <= _NO_DEED else text


def _without_trailing(text: str) -> str:
    text = text.strip()
    for _ in range(4):
        text = _TRAILING.sub("", text)
    return text.strip(" .!…")


def _known_to_all(behind: list[str]) -> bool:
    """Whether "the" before these words means the same to everybody."""
    if not behind or behind[0][0].isupper():
        return bool(behind)
    first, rest = behind[0].casefold(), [part.casefold() for part in behind[1:]]
    if not rest or rest[0] in ("of", "in", "at"):
        return first in _GENERIC
    if rest[0] == "and":
        return {first, rest[-1]} <= _GENERIC and len(rest) < 4
    return first in ("color", "colour") and len(rest) == 1


def _listed(body: str) -> tuple[str, ...]:
    """The members of "pizza, pasta and wine"; none if it isn't such a list."""
    *first, last = re.split(r",\s*", body)
    both = [part for part in re.split(r"(?:^|\s)(?:and|or|&)\s", last) if part]
    if not 1 <= len(first) <= 5 or both == [last] or _AND.search(" ".join(first)):
        return ()
    found = [one_thing(part) for part in (*first, *both)]
    return tuple(value for value in found if value) if all(found) else ()


def _pair(value: str) -> tuple[str, ...]:
    """ "tea and coffee" are two things, "rock and roll" is one."""
    parts = re.split(r" (?:and|or|&) ", value)
    single = len(parts) == 2 and all(len(part.split()) == 1 for part in parts)
    return tuple(parts) if single and not _PAIRS.search(value) else (value,)
