"""Values of one kind: an age, an occupation, a relative. Pure; see `values`."""

import re
from datetime import datetime

from hobnob.memory.facts import dates, words
from hobnob.memory.facts.reading import Clause
from hobnob.memory.facts.values import (
    Reader,
    Reading,
    ends,
    one_thing,
    phrase,
    tokens,
)


def anything(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said it all."""
    return Reading(tail=rest)


def bare(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """The pattern said it all, and nothing follows that could change it."""
    return Reading(tail=rest) if ends(rest) else None


def of(known: frozenset[str]) -> Reader:
    """One of these words, which may be written with a space for the hyphen."""
    longest = max(word.count("-") for word in known) + 1

    def read(rest: str, clause: Clause, at: datetime) -> Reading | None:
        for match in reversed(tokens(rest, longest)):
            value = rest[: match.end()].rstrip(".!")
            tail = rest[len(value) :]
            if "-".join(value.casefold().split()) in known and ends(tail):
                return Reading(values=(value,), tail=tail)
        return None

    return read


def matching(pattern: str) -> Reader:
    """What `pattern` matches, with regard to capitals."""
    compiled = re.compile(pattern)

    def read(rest: str, clause: Clause, at: datetime) -> Reading | None:
        match = compiled.match(rest)
        return match and Reading(values=(match[0],), tail=rest[match.end() :])

    return read


def noun(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A few words that mean something anywhere."""
    value = phrase(rest)
    return Reading(values=(value,), tail=rest[len(value) :]) if value else None


# ------------------------------------------------------------------------------------ who they are

_NO_NAME = (
    words.NOBODY
    | words.CALENDAR
    | words.NATIONALITIES
    | words.BELIEFS
    | words.FEELINGS
    | words.JOBS
    | words.DIETS
    | words.TRAITS
)
_LANGUAGE_PARTS = words.word_set(
    "a an and bit both fluent fluently good i little native of or some"
)

spelling = matching(r"[A-Z][\w'-]{0,30}(?=$|[\s,.!])")
pronouns = matching(r"(?:\w{1,6}/){1,3}\w{1,6}\b|any(?: pronouns)?\b")
year = matching(r"(?:19|20)\d\d\b")
school = matching(
    r"(?:the )?(?:\w[\w'.&-]* ){0,4}(?:University|College|School|Institute|Academy|Polytechnic|MIT"
    r"|UCLA|ETH)\b(?: (?:of|in) [A-Z]\w+(?: [A-Z]\w+)?)?"
)


def greeted_name(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "Hi, I'm Ann": a name only behind a greeting, with a capital, and if it's nothing else."""
    match = re.match(r"[A-Z][a-zà-ÿ]+(?: [A-Z][a-zà-ÿ]+)?", rest)
    if not clause.greeted or match is None or not ends(rest[match.end() :]):
        return None
    if _NO_NAME & set(match[0].casefold().split()):
        return None
    return Reading(values=(match[0],), tail=rest[match.end() :])


def age(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "34", "34 years old"; not "34 minutes away"."""
    match = re.match(r"(\d{1,3})( years? old| yrs? old| ?y/?o| years young)?(?![\w.:/%])", rest)
    if match is None or not 10 <= int(match[1]) <= 110:
        return None
    tail = rest[match.end() :]
    said = match[2] or ends(tail) or tail.startswith(" not ") or dates.find(tail, at)
    return Reading(values=(match[1],)) if said else None


def birthday(rest: str, clause: Clause, at: datetime) -> Reading | None:
    when = dates.birthday(rest, at)
    return Reading(values=(when,)) if when else None


def birthday_now(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "my birthday" with "today" or nothing behind it; "tomorrow is my birthday"."""
    return birthday(re.split(r"'s | is ", rest)[0].strip("!. ") or "today", clause, at)


def languages(rest: str, clause: Clause, at: datetime) -> Reading | None:
    found: list[str] = []
    for match in tokens(rest, 12):
        word = match[0].rstrip(".!")
        if word.casefold() in words.LANGUAGES:
            found.append(word.title() if clause.casual else word)
        elif word.casefold() not in _LANGUAGE_PARTS:
            break
    return Reading(values=tuple(found)) if found else None


def game(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """An instrument, a sport or a game."""
    for match in reversed(tokens(rest, 2)):
        value = rest[: match.end()].rstrip(".!")
        goes_on = re.match(
            r" (?:in|at|with|for|on|since|every|professionally)\b", rest[len(value) :]
        )
        if value.casefold() in words.GAMES and (goes_on or ends(rest[len(value) :])):
            return Reading(values=(value,), tail=rest[len(value) :])
    return None


def skill(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A language, an instrument, a game."""
    return languages(rest, clause, at) or game(rest, clause, at)


# ------------------------------------------------------------------------- work, school, health

_NO_EMPLOYER = re.compile(
    r"(?:nights?|home|the (?:moment|weekend|same|time)|weekends|least|all|me|my|a (?:living|while"
    r"|long|few)|free|fun|hours|days|years|\d|an hour|money|peace|this|now)\b",
    re.IGNORECASE,
)
_EMPLOYER = re.compile(
    r"(?:the )?[A-ZÀ-Þ][\w'.-]*(?: (?:(?:of|and|&|for|the) ){0,2}[A-ZÀ-Þ][\w'.-]*)*"
)
_NO_FIELD = re.compile(
    r"(?:the|my|our|silence|bed|pairs|peace|private|teams?|groups?|shifts|an?) ?(?!hospital|school"
    r"|bank|factory|restaurant|bakery|lab|laboratory|library|warehouse|shop|store|kindergarten"
    r"|hotel|pharmacy|bar|cafe|café|film|music|game|tech|car)",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"(?:for|at|in|to|on|with|abroad|all|hard|right|while|from|by|and|a lot)\b", re.IGNORECASE
)
_PRAISE = words.word_set("of good great terrible bad better best real total complete huge big")


def occupation(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most four words of which the last is an occupation: "software engineer at Acme"."""
    for match in reversed(tokens(rest, 4)):
        value = rest[: match.end()].rstrip(".!")
        parts = value.casefold().split()
        if parts[-1] not in words.JOBS or phrase(value) is None or _PRAISE & set(parts):
            continue
        tail = rest[len(value) :]
        where = re.match(r" (?:at|for|in|with) ", tail)
        employer = phrase(tail[where.end() :]) if where else None
        if where and employer:
            value += where[0] + employer
        elif not ends(tail):
            return None
        return Reading(values=(value,), tail=rest[len(value) :])
    return None


def trade(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """What one works as: any few words, up to what else one does."""
    return noun(rest.split(" and ")[0], clause, at)


def employer(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "Siemens", "a bank", "the city library"; not "night"."""
    if _NO_EMPLOYER.match(rest):
        return None
    named = _EMPLOYER.match(rest)
    value = named[0].rstrip(".'-") if named else phrase(rest)
    if not value or not (named or clause.casual or re.match(r"(?:an?|the) ", value, re.I)):
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def field(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "marketing", "a hospital"; not "the morning"."""
    return None if _NO_FIELD.match(rest) else noun(rest, clause, at)


def subject(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """What is studied; not "for my exam" or "hard"."""
    if _NO_SUBJECT.match(rest):
        return None
    return noun(re.split(r" (?:at|in|for|and) ", rest)[0], clause, at)


def condition(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most four words of which the last is a condition that stays: "type 2 diabetes"."""
    for match in reversed(tokens(rest, 4)):
        value = rest[: match.end()].rstrip(".!")
        tail = rest[len(value) :]
        goes_on = re.match(r" (?:in|on|for|last|an?|two|three|years?|with)\b", tail)
        if value.casefold().split()[-1] in words.CONDITIONS and phrase(value):
            return Reading(values=(value,), tail=tail) if goes_on or ends(tail) else None
    return None


# ------------------------------------------------------------------------------ tastes and people

_COUNT = re.compile(
    r"(?:\d{1,2}|an?|one|two|three|four|five|six|seven|eight|nine|ten|no|another) ", re.IGNORECASE
)


def preferred(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """ "tea to coffee", "tea over coffee" or only "tea"."""
    value = phrase(rest, most=8)
    if value is None:
        return None
    sides = re.split(r" (?:to|over|rather than) ", value, maxsplit=1)
    if not all(one_thing(side) for side in sides):
        return None
    return Reading(values=(value,), tail=rest[len(value) :])


def favourite(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Anything that has a name of its own: here "the" is welcome."""
    body = rest.removeprefix("probably ").removeprefix("definitely ")
    value = phrase(body, most=6)
    if value is None or re.match(r"(?:to|in|on|at|when|by|about|going|coming|still)\b", value):
        return None
    return Reading(values=(value,), tail=body[len(value) :])


def kin(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Relatives and pets with their number: "two kids", "an older sister and a dog"."""
    found: list[str] = []
    while (count := _COUNT.match(rest)) and (one := no_kin(rest[count.end() :], clause, at)):
        found.append(count[0] + one.values[0])
        rest = re.sub(r"^,? (?:and )?(?=\w+ )", "", one.tail)
    return Reading(values=tuple(found), tail=rest) if found else None


def no_kin(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """At most three words of which the last is a relative or a pet: "older sisters"."""
    for match in tokens(rest, 3):
        value = rest[: match.end()].rstrip(".!")
        tail = rest[len(value) :]
        last = value.casefold().split()[-1]
        goes_on = ends(tail) or re.match(r" (?:called|named|who|with|at home)\b", tail)
        if words.OWN & {last, last.removesuffix("s")} and phrase(value) and goes_on:
            return Reading(values=(value,), tail=tail)
    return None
