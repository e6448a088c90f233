"""What may stand behind the beginning of a statement: names, places, things. Pure.

A reader takes the rest of a sentence and gives the values that it begins with and what follows
them; None where the rest is not what the reader looks for, which is the usual way in which a rule
finds that it was not meant ("I love it", "call me tomorrow", "I work at night").
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hobnob.memory.facts import dates, words
from hobnob.memory.facts.reading import GAP, Clause

LONGEST = 60
"""Characters of a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    values: tuple[str, ...]
    tail: str
    """What follows in the sentence."""
    when: str = ""
    """The date of it, as the end of a sentence: " on Friday 27 November 2026"."""
    until: datetime | None = None


Reader = Callable[[str, Clause, datetime], Reading | None]

_WORD = re.compile(r"[^\s,;:()!?]+")
_NAME = re.compile(r"[^\W\d_][^\W\d_]*(?:[-'.][^\W\d_]+)*")
_END = re.compile(
    # What may follow a value without changing it.
    r"\s*(?:$|any ?more\b|any longer\b|[,;()!.…–—-]|:[()D]|(?:and|but|because|cause|cuz|so|since|although|though|while|yet|plus|by the"
    r" way|btw|now|too|as well|right now|at the moment|currently|these days|lol|haha|actually"
    r"|again|already|here|thanks|please|nice|by)\b|[^\w\s'\"$%&/#@+])",
    re.IGNORECASE,
)
_DEICTIC = words.word_set(
    # A value with one of these means something only where it was said.
    """it its it's me us this that that's these those you your yours u ur yourself you're they
    them their theirs they're he him his she her hers he's she's there there's one ones some
    someone something somebody anyone anything anybody everyone everything everybody nothing
    nobody none all both each every another other others else same such what whatever who
    whom whose which when whenever where wherever why how if than unless except without
    instead i i'm i've i'd i'll we we're us our much more most less least enough lot lots
    many few bit better best first second last next here way idea fact sound look looks
    thought sense kind sort thing things part stuff being been having had has was were would
    could should will am are is isn't not n't never don't didn't doesn't can't won't think
    know say said says mean guess hear see seeing hearing today tonight tomorrow yesterday
    recent recently new how's what's"""
)
_GENERIC = words.word_set(
    # "the sea" is anybody's; "the colours" are those of something seen.
    """outdoors ocean oceans sea beach mountains rain snow sun cold heat summer winter spring
    autumn countryside dark sunshine sunset sunrise stars moon forest woods desert city
    internet gym theatre theater opera cinema smell taste colour color piano guitar violin
    drums 60s 70s 80s 90s wind weather water arts"""
)
_TRAILING = re.compile(
    r"\s+(?:too|as well|so much|so so much|a lot|very much|a ton|the most|right now|now|these days"
    r"|again|already|lately|lol|haha+|tbh|though|tho|more than anything|with all my heart|to death"
    r"|to bits|at the moment|in general|anymore|any ?more|any longer|btw|by the way|actually"
    r"|honestly|either|at all|especially|please|like crazy|every day|still|for sure|ngl|xd|x+"
    r"|a little|a bit|:[()DP]|[^\w\s'\"&/%)]+)$",
    re.IGNORECASE,
)
_OVER = re.compile(r"\b(?:any ?more|any longer|no longer)\b", re.IGNORECASE)
_BOUNDARY = re.compile(
    r"[;:()]|\s+[-–—]+\s+|—|\.\.|\s+(?:but|because|cause|cuz|so|since|although|though|yet|plus"
    r"|especially|while)\s|,?\s+and\s+(?=(?:i|i'm|i've|i'd|we|he|she|they|it|it's|my|our|that|this"
    r"|then|so|now|am|was|is|are|have|has|will|can|would|could|hope|think|also|always|never|you"
    r"|your|his|her|their|feel|want|need|try|just|really|often|usually|sometimes)\b)"
    r"|,?\s+and\s+(?=\w+(?:ed|s)\s+(?:my|me|it|to|the|a)\b)",
    re.IGNORECASE,
)
_PAIRS = re.compile(
    r"\b(?:rock|drum|mac|fish|salt|black|bread|bed|rhythm|arts|dungeons|r|d|rnb|peanut butter"
    r"|track|hide|cookies|gin|ham|eggs|country|science|friends|family) (?:and|&|n|'n'|-) ",
    re.IGNORECASE,
)


def over(tail: str) -> bool:
    """Whether the statement is about what is no longer so: "any more"."""
    return bool(_OVER.search(tail))


def ends(tail: str) -> bool:
    """Whether a value may end before `tail`."""
    return bool(_END.match(tail))


def key(value: str) -> str:
    """`value` as a part of an attribute: two ways to write the same thing are equal."""
    kept = re.sub(r"[^\w\s/+#'-]", "", value.casefold()).replace("'s", "")
    kept = re.sub(r"^(?:(?:a|an|the|my|to|some|any|of|our) )+", "", kept)
    return kept.strip(" '-")[:40].strip()


def person(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A name: words with capitals, at most three. From somebody who writes without, one word."""
    found: list[str] = []
    end = 0
    for match in _WORD.finditer(rest):
        token = match[0].rstrip(".!…-–—").removesuffix("'s")
        bare = token.casefold()
        whole = match[0] == token
        if not _NAME.fullmatch(token) or match.start() > end + 1 or len(token) > 30:
            break
        if bare in words.NOBODY or (bare in words.CALENDAR and found):
            break
        if not token[0].isupper() and not (clause.casual and not found):
            break
        found.append(token)
        end = match.start() + len(token)
        if not whole or clause.casual or len(found) == 3:
            break
    tail = rest[end:]
    if not found or (not found[0][0].isupper() and not ends(tail)):
        return None
    if clause.casual:
        found = [found[0].title()]
    return Reading(values=(" ".join(found),), tail=tail)


def place(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A place with a name ("Rome", "the Netherlands", "Austin, Texas"), or one of a kind ("a small
    town near Graz")."""
    return _named_place(rest) or _kind_of_place(rest) or _casual_place(rest, clause)


_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀŁŚŠŽČĆ][\w'.-]*"
_PLACE = re.compile(
    rf"(?:the |downtown |central |north |south |east |west |northern |southern |upstate |rural )*"
    rf"{_CAPITAL}(?: (?:(?:of|de|del|la|le|los|las|upon|am|an|der|on|sur|do|da) )*{_CAPITAL})*"
    rf"(?:, (?:the )?{_CAPITAL}(?: {_CAPITAL})*(?=$|[\s,.!;]))?"
)


def _named_place(rest: str) -> Reading | None:
    match = _PLACE.match(rest)
    if match is None or len(match[0]) > LONGEST:
        return None
    value = match[0].rstrip(".,-'").removesuffix("'s")
    last = value.rsplit(maxsplit=1)[-1]
    if last == "I" or last.startswith(("I'", "I’")):
        value = value[: -len(last)].rstrip(" ,.")
    if not value or key(value) in words.CALENDAR | words.NOBODY or GAP in value:
        return None
    tail = rest[len(value) :]
    if re.match(r"['’\d]|\s+\d", tail):
        return None
    return Reading(values=(value,), tail=tail)


def _kind_of_place(rest: str) -> Reading | None:
    if not re.match(r"(?:an?|the) ", rest, re.IGNORECASE):
        return None
    value = phrase(rest, most=8)
    if value is None or not any(w.casefold() in words.SETTLEMENTS for w in value.split()):
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def _casual_place(rest: str, clause: Clause) -> Reading | None:
    match = re.match(
        r"[a-zà-ÿ][\w'-]{2,}(?: [a-zà-ÿ][\w'-]{2,})?(?=\s*(?:$|[,.!]|\b(?:and|but)\b))", rest
    )
    if not clause.casual or match is None:
        return None
    parts = match[0].split()
    if any(part in _DEICTIC | words.NOBODY or part in _ABSTRACT for part in parts):
        return None
    return Reading(values=(match[0].title(),), tail=rest[match.end() :])


_ABSTRACT = words.word_set(
    """fear pain peace hope sin denial poverty harmony silence darkness squalor luxury town work
    home school bed constant total the a an my our hell paradise heaven dorms general space"""
)


def thing(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Something that can be liked or avoided by itself: "tea", "long walks by the sea", "to cook".
    A list gives each of its members."""
    cut = _BOUNDARY.search(rest)
    body = rest[: cut.start()] if cut else rest
    tail = rest[len(body) :]
    listed = _listed(body)
    if listed:
        return Reading(values=listed, tail=tail)
    head, _, behind = body.partition(",")
    value = _single(head)
    if value is None or (behind and _HALF.search(value) and not _CLAUSE.match(behind)):
        return None
    return Reading(values=_pair(value), tail=head[len(value) :] + rest[len(head) :])


_HALF = re.compile(r"\b(?:an?|the|my) \w+$", re.IGNORECASE)
"""Before a comma it may be half of "a safe, inviting place"."""
_CLAUSE = re.compile(r" (?:i|it|my|we|you|he|she|they|that|this|but|and|so|which|who)\b", re.I)


def _listed(body: str) -> tuple[str, ...]:
    """The members of "pizza, pasta and wine"; none if it isn't such a list."""
    parts = re.split(r",\s*(?:and |or )?|\s+(?:and|or|&)\s+", body)
    if "," not in body or len(parts) < 3 or len(parts) > 6:
        return ()
    if not re.search(r",?\s(?:and|or|&)\s[^,]+$", body):
        return ()
    values = [_single(part.strip()) for part in parts]
    return tuple(v for v in values if v) if all(v and len(v.split()) < 4 for v in values) else ()


def _pair(value: str) -> tuple[str, ...]:
    """ "tea and coffee" are two things, "rock and roll" is one."""
    parts = re.split(r"\s+(?:and|or|&)\s+", value)
    if len(parts) == 2 and all(len(p.split()) == 1 for p in parts) and not _PAIRS.search(value):
        return (parts[0], parts[1])
    return (value,)


_NO_VERB = words.word_set("be get say do the a help chat talk have go try use make let keep think")


def _single(text: str) -> str | None:
    text = text.strip()
    while stripped := _TRAILING.sub("", text):
        if stripped == text:
            break
        text = stripped
    text = text.strip(" .!…")
    tokens = [token.strip(".,!").casefold() for token in text.split()]
    if not tokens or len(tokens) > 6 or len(text) > LONGEST or GAP in text:
        return None
    if any(token in _DEICTIC for token in tokens) or not re.match(r"[\w$]", text):
        return None
    if tokens[0] == "the" and not _known(text.split()[1:]):
        return None
    if tokens[0] in (
        "at",
        "for",
        "with",
        "from",
        "on",
        "in",
        "about",
        "of",
        "as",
        "by",
        "and",
        "or",
        "but",
        "like",
    ):
        return None
    if tokens[0] == "to" and (len(tokens) < 2 or tokens[1] in _NO_VERB):
        return None
    return text if re.search(r"[^\W\d_]{2}", text) else None


def _known(tokens: list[str]) -> bool:
    """Whether "the" before these words means the same to everybody."""
    if not tokens or tokens[0][0].isupper():
        return bool(tokens)
    first, rest = tokens[0].casefold(), [token.casefold() for token in tokens[1:]]
    if not rest or rest[0] in ("of", "in", "at"):
        return first in _GENERIC
    if rest[0] == "and":
        return first in _GENERIC and rest[-1] in _GENERIC and len(rest) < 4
    return first in ("color", "colour") and len(rest) == 1


def phrase(rest: str, *, most: int = 5) -> str | None:
    """The words up to the next boundary, if they are few and mean something anywhere."""
    cut = _BOUNDARY.search(rest)
    body = (rest[: cut.start()] if cut else rest).split(",")[0]
    while (stripped := _TRAILING.sub("", body)) != body:
        body = stripped
    body = body.rstrip(" .!…")
    tokens = body.split()
    if not tokens or len(tokens) > most or len(body) > LONGEST or GAP in body:
        return None
    if any(token.casefold().strip(".!") in _DEICTIC for token in tokens):
        return None
    return body


# --------------------------------------------------------------------- readers of a closed kind


def anything(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said it all."""
    return Reading(values=("",), tail=rest)


def bare(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said it all, and nothing follows that could change it."""
    return Reading(values=("",), tail=rest) if ends(rest) else None


def of(known: frozenset[str]) -> Reader:
    """One of these words, which may be written with a space for the hyphen."""
    longest = max(word.count("-") for word in known) + 1

    def read(rest: str, clause: Clause, at: datetime) -> Reading | None:
        tokens = list(_WORD.finditer(rest))[:longest]
        for count in range(len(tokens), 0, -1):
            value = rest[: tokens[count - 1].end()].rstrip(".!")
            if "-".join(value.casefold().split()) in known and ends(rest[len(value) :]):
                return Reading(values=(value,), tail=rest[len(value) :])
        return None

    return read


def greeted_name(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "Hi, I'm Ann": a name only behind a greeting, with a capital, and if it's nothing else."""
    match = re.match(r"[A-Z][a-zà-ÿ]+(?: [A-Z][a-zà-ÿ]+)?", rest)
    if not clause.greeted or match is None or not ends(rest[match.end() :]):
        return None
    known = words.NOBODY | words.CALENDAR | words.NATIONALITIES | words.BELIEFS | words.FEELINGS
    known |= words.JOBS | words.DIETS | words.TRAITS
    if any(part in known for part in match[0].casefold().split()):
        return None
    return Reading(values=(match[0],), tail=rest[match.end() :])


def spelling(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = re.match(r"[A-Z][\w'-]{0,30}(?=$|[\s,.!])", rest)
    return match and Reading(values=(match[0],), tail=rest[match.end() :])


def pronouns(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = re.match(r"(?:\w{1,6}/){1,3}\w{1,6}\b|any(?: pronouns)?\b", rest)
    return match and Reading(values=(match[0].lower(),), tail=rest[match.end() :])


def age(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "34", "34 years old"; not "34 minutes away"."""
    match = re.match(r"(\d{1,3})(?: years? old| yrs? old| ?y/?o| years young)?(?![\w.:/%])", rest)
    if match is None or not 10 <= int(match[1]) <= 110:
        return None
    tail = rest[match.end() :]
    if not ends(tail) and not dates.find(tail, at) and not match[0].endswith("old"):
        return None
    return Reading(values=(match[1],), tail=tail)


def year(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = re.match(r"(?:19|20)\d\d\b", rest)
    return match and Reading(values=(match[0],), tail=rest[match.end() :])


def birthday(rest: str, clause: Clause, at: datetime) -> Reading | None:
    when = dates.birthday(rest, at)
    return Reading(values=(when,), tail="") if when else None


def birthday_now(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "my birthday" with "today" or nothing behind it, or "tomorrow is my birthday"."""
    when = dates.birthday(rest.split("'")[0].split(" is ")[0] or "today", at)
    return Reading(values=(when,), tail="") if when else None


def languages(rest: str, clause: Clause, at: datetime) -> Reading | None:
    found: list[str] = []
    for match in _WORD.finditer(rest):
        word = match[0].rstrip(".!")
        if word.casefold() in words.LANGUAGES:
            found.append(word.title() if clause.casual else word)
        elif word.casefold() not in _BETWEEN:
            break
    return Reading(values=tuple(found), tail="") if found else None


_BETWEEN = words.word_set("a an and bit both fluent fluently good i little native of or some")


def skill(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A language, an instrument, a game."""
    return languages(rest, clause, at) or of(words.GAMES)(rest, clause, at)


# ------------------------------------------------------------------------- work, school, health


def occupation(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most four words of which the last is an occupation: "software engineer at Acme"."""
    tokens = list(_WORD.finditer(rest))[:4]
    for match in reversed(tokens):
        value = rest[: match.end()].rstrip(".!")
        last = value.rsplit(maxsplit=1)[-1].casefold()
        if last not in words.JOBS | words.STATIONS:
            continue
        tail = rest[len(value) :]
        if set(value.casefold().split()) & (_DEICTIC | {"of", "good", "great", "terrible", "bad"}):
            return None
        if where := re.match(r" (?:at|for|in|with) ", tail):
            place_of = phrase(tail[where.end() :])
            if place_of is None:
                return None
            value += where[0] + place_of
            return Reading(values=(value,), tail=rest[len(value) :])
        return Reading(values=(value,), tail=tail) if ends(tail) else None
    return None


def noun(rest: str, clause: Clause, at: datetime) -> Reading | None:
    value = phrase(rest)
    return Reading(values=(value,), tail=rest[len(value) :]) if value else None


_NO_EMPLOYER = re.compile(
    r"(?:night|nights|home|the moment|the weekend|weekends|least|all|me|my|a living|free|fun|hours"
    r"|days|years|a while|a long|a few|\d|an hour|money|peace|the same|the time|this|now)\b",
    re.IGNORECASE,
)


def employer(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "Siemens", "a bank", "the city library"; not "night"."""
    if _NO_EMPLOYER.match(rest):
        return None
    named = re.match(rf"(?:the )?{_CAPITAL}(?: (?:(?:of|and|&|for|the) )*{_CAPITAL})*", rest)
    if named:
        value = named[0].rstrip(".'-")
        return Reading(values=(value,), tail=rest[len(value) :])
    value = phrase(rest)
    if value is None or not (re.match(r"(?:an?|the) ", value, re.I) or clause.casual):
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def field(rest: str, clause: Clause, at: datetime) -> Reading | None:
    value = phrase(rest, most=4)
    if value is None or re.match(
        r"(?:the|my|our|silence|bed|pairs|peace|private|teams?|groups?|shifts|an?) ?"
        r"(?!hospital|school|bank|factory|restaurant|bakery|lab|laboratory|library|warehouse|shop"
        r"|store|kindergarten|hotel|pharmacy|bar|cafe|café|film|music|game|tech|car)",
        value,
        re.IGNORECASE,
    ):
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def subject(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """What is studied; not "for my exam" or "hard"."""
    if re.match(r"(?:for|at|in|to|on|with|abroad|all|hard|right|while|from|by|and|a lot)\b", rest):
        return None
    return noun(rest.split(" at ")[0].split(" in ")[0], clause, at)


def school(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = re.match(
        r"(?:the )?(?:\w[\w'.&-]* ){0,4}(?:University|College|School|Institute|Academy|Polytechnic"
        r"|Uni|MIT|UCLA|ETH)\b(?: (?:of|in) [A-Z]\w+(?: [A-Z]\w+)?)?",
        rest,
    )
    return match and Reading(values=(match[0],), tail=rest[match.end() :])


def condition(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most four words of which the last is a condition that stays: "type 2 diabetes"."""
    for match in reversed(list(_WORD.finditer(rest))[:4]):
        value = rest[: match.end()].rstrip(".!")
        last = value.casefold().rsplit(maxsplit=1)[-1]
        before = set(value.casefold().split()[:-1])
        if last in words.CONDITIONS and not before & _DEICTIC and ends_or(rest[len(value) :]):
            return Reading(values=(value,), tail=rest[len(value) :])
    return None


def ends_or(tail: str) -> bool:
    """Ends, or goes on with where, when or since when."""
    return ends(tail) or bool(re.match(r" (?:in|on|for|when|last|a|two|three|years?|with)\b", tail))


# ----------------------------------------------------------------------------------------- tastes


def preferred(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "tea to coffee", "tea over coffee" or only "tea"."""
    value = phrase(rest, most=8)
    if value is None:
        return None
    match = re.fullmatch(r"(.+?) (?:to|over|rather than) (.+)", value)
    if match and (_single(match[1]) is None or _single(match[2]) is None):
        return None
    if not match and _single(value) is None:
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def favourite(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Anything that has a name of its own: here "the" is welcome."""
    body = rest.removeprefix("probably ").removeprefix("definitely ")
    value = phrase(body, most=6)
    if value is None or re.match(r"(?:to|in|on|at|when|by|about|going|coming|still)\b", value):
        return None
    return Reading(values=(value,), tail=body[len(value) :])


# ----------------------------------------------------------------------------------------- people


def named_before(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The value stood before, and the pattern has it: it must be a name or a thing."""
    return Reading(values=("",), tail=rest)


_KIN = words.KIN - words.word_set(
    """friend bestie bff classmate colleague coworker co-worker crush mentor neighbor neighbour
    pal parents ex ex-boyfriend ex-girlfriend ex-husband ex-wife roommate flatmate"""
)
_OWN = _KIN | words.PARTNERS | words.MANY_OF | (words.PETS - frozenset(("chicken", "fish", "pet")))


_COUNT = re.compile(
    r"(\d{1,2}|an?|one|two|three|four|five|six|seven|eight|nine|ten|no|another) ", re.IGNORECASE
)


def kin(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Relatives and pets with their number: "two kids", "an older sister and a dog"."""
    found: list[str] = []
    while (count := _COUNT.match(rest)) and (one := no_kin(rest[count.end() :], clause, at)):
        found.append(count[0] + one.values[0])
        rest = re.sub(r"^,? (?:and )?(?=\w+ )", "", one.tail)
    return Reading(values=tuple(found), tail=rest) if found else None


def no_kin(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most three words of which the last is a relative or a pet: "older sisters"."""
    for match in list(_WORD.finditer(rest))[:3]:
        value = rest[: match.end()].rstrip(".!")
        tokens = value.casefold().split()
        if tokens[-1] in _OWN:
            tail = rest[len(value) :]
            follows = re.match(r" (?:called|named|who|with|and|at home)\b", tail)
            if set(tokens) & _DEICTIC or not (ends(tail) or follows):
                return None
            return Reading(values=(value,), tail=tail)
    return None


# ------------------------------------------------------------------------------------ what happens


def _until(when: dates.When, at: datetime) -> datetime:
    """The end of its last day."""
    day = datetime.combine(when.last + timedelta(days=1), datetime.min.time())
    return day.replace(tzinfo=at.tzinfo)


def moved(rest: str, clause: Clause, at: datetime) -> Reading | None:
    found = place(rest, clause, at)
    if found is None or re.search(r"\b(?:when|for (?:an?|two|three|\d+)|then|back)\b", found.tail):
        return None
    when = dates.find(found.tail, at, past=True)
    return Reading(values=found.values, tail=found.tail, when=when.words if when else "")


def dated(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said what; a date may follow."""
    when = dates.find(rest[:60], at, past=True)
    if when is None and not ends(rest):
        return None
    return Reading(values=("",), tail="", when=when.words if when else "")


def date(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A date, at once."""
    when = dates.find(rest, at)
    if when is None or rest[: when.start].strip():
        return None
    value = when.words.removeprefix("on ").removeprefix("in ")
    return Reading(values=(value,), tail="", when=when.words, until=_until(when, at))


def planned(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A few words, and a day to come."""
    cut = _BOUNDARY.search(rest)
    body = rest[: cut.start()] if cut else rest
    when = dates.find(body, at)
    if when is None or when.last < at.date() or not ends(body[when.end :]):
        return None
    value = phrase(body[: when.start].strip(" ,"), most=7)
    if value is None or "," in body[: when.start].strip(" ,"):
        return None
    return Reading(values=(value,), tail="", when=when.words, until=_until(when, at))


def plan(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A few words, with or without a day to come."""
    found = planned(rest, clause, at)
    if found:
        return Reading(values=found.values, tail="", when=found.when, until=found.until)
    value = phrase(rest, most=7)
    return Reading(values=(value,), tail="") if value and len(value.split()) > 1 else None


def happened(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """What came of it, in a few words, and when, if that is said."""
    cut = _BOUNDARY.search(rest)
    body = (rest[: cut.start()] if cut else rest).split(",")[0]
    when = dates.find(body, at, past=True)
    before = body[: when.start] if when else body
    if not before.strip(" .!"):
        return Reading(values=("",), tail="", when=when.words if when else "")
    value = phrase(before.strip())
    if value is None:
        return None
    return Reading(values=(value,), tail="", when=when.words if when else "")


def did(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """As `happened`, but it must be said what."""
    found = happened(rest, clause, at)
    return found if found and found.values[0] else None


_REACTIONS = words.word_set(
    """confused excited grateful happy hopeful hurt lost proud relieved thrilled surprised"""
)
"""What people say of themselves to be kind, or of the moment: a state only with a time."""


def feeling(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A feeling, and nothing behind it but when or why: "happy for you" is about somebody else."""
    match = re.match(r"[a-z]+(?:[- ]out)?", rest, re.IGNORECASE)
    if match is None or "-".join(match[0].casefold().split()) not in words.FEELINGS:
        return None
    tail = rest[match.end() :]
    if not ends(tail) and not re.match(
        r" (?:today|tonight|lately|this|about my|about the)\b", tail
    ):
        return None
    return Reading(values=(match[0].lower(),), tail=tail)
