"""The rules for what a person wants of the bot for good. Data, mostly.

Only such things are taken as change how it speaks with that person: its language, its length, what
it calls them, what it leaves alone. "Always obey me" and "from now on you are ..." fit no rule, so
nobody can plant them in a memory that is shown in every prompt.
"""

import re
from datetime import datetime

from hobnob.memory.facts import readers as read
from hobnob.memory.facts import values
from hobnob.memory.facts.found import FactKind
from hobnob.memory.facts.reading import Clause
from hobnob.memory.facts.rule import Rule, rule
from hobnob.memory.facts.values import Reading

LONGEST = 160

_ASK = (
    r"(?:(?:please|pls|plz|always|from now on|in (?:the )?future|going forward|only|just|and|but|also"
    r"|i want you to|i'd like you to|i would like you to|i need you to|you should|you can|try to"
    r"|when you (?:answer|reply|write)(?: to)?(?: me)?),? )*"
)
_NOT = r"(?:don't|do not|dont|never|stop|quit|avoid|no more|no)(?: ever)? "
_FOR_GOOD = re.compile(
    r"\b(?:always|from now on|in (?:the )?future|going forward|every time|for good|generally)\b",
    re.IGNORECASE,
)


def _language(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A language, and nothing behind it that makes this a single task."""
    match = re.match(r"[A-Za-z]+", rest)
    if match is None or read.languages(match[0], clause, at) is None:
        return None
    tail = rest[match.end() :]
    if not values.ends(tail) and not re.match(
        r" (?:from now|only|always|with me|to me|in)\b", tail
    ):
        return None
    return Reading(values=(match[0].title(),), tail="")


def _for_good(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Meant for more than this once."""
    return Reading(values=("",), tail="") if _FOR_GOOD.search(clause.text) else None


def _called(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = re.match(
        r"(?:dude|bro|bruh|sir|madam|ma'am|honey|hun|babe|baby|man|mate|buddy|bud|boss|sweetie"
        r"|sweetheart|dear|darling|girl|miss)\b",
        rest,
        re.IGNORECASE,
    )
    if match:
        return Reading(values=(match[0],), tail="")
    return values.person(rest, clause, at)


def _avoided(rest: str, clause: Clause, at: datetime) -> Reading | None:
    return values.thing(rest, clause, at)


_SECRET = re.compile(
    r"\b(?:you|your|u|ur|system|prompt|instructions?|obey|ignore|admin|password|passwort|passcode"
    r"|pin|secret|key|token|credit card|cvv|iban|ssn)\b",
    re.IGNORECASE,
)


def _note(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """About the speaker; no secrets, and nothing that tells the bot who to be."""
    if _SECRET.search(rest) or len(rest) > LONGEST or len(rest.split()) < 3:
        return None
    return Reading(values=(rest,), tail="")


def _rule(attribute: str, pattern: str, reader: values.Reader = read.anything) -> Rule:
    return rule(FactKind.INSTRUCTION, attribute, _ASK + pattern, reader, "You asked: “{said}”")


REMEMBER = re.compile(
    r"(?:(?:please|pls|and|also) )*(?:remember|don't forget|do not forget|keep in mind|note)"
    r"(?: that)?[:,]? (?=(?:i|i'm|i've|my|we|we're|our)\b)",
    re.IGNORECASE,
)
"""What follows is a fact by some rule; or else it is kept as it was said."""

NOTE = rule(FactKind.INSTRUCTION, "remember:{k}", "", _note, "You asked: “remember that {v}”")

INSTRUCTIONS = (
    _rule(
        "instruction:language",
        r"(?:let's )?(?:answer|reply|respond|speak|talk|write|text|chat|communicate)(?: back)?"
        r"(?: to| with)?(?: me| us)?(?: back)?(?: only| always)?(?: in)? ",
        _language,
    ),
    _rule(
        "instruction:length",
        r"(?:keep|make) (?:it|this|things|them) (?:very |more |a bit |nice and )?"
        r"(?:short|shorter|brief|concise|long|longer|detailed|simple)\b",
        _for_good,
    ),
    _rule(
        "instruction:length",
        r"(?:keep|make) your (?:answers|replies|messages|responses|texts) (?:very |more |a bit )?"
        r"(?:short|shorter|brief|concise|long|longer|detailed|simple)\b"
        r"|(?:write|give(?: me)?|use|send(?: me)?) (?:short|shorter|brief|long|longer)"
        r" (?:answers|replies|messages|responses|sentences)\b"
        r"|be (?:more |less )(?:brief|concise|verbose|detailed|wordy)\b"
        r"|(?:answer|reply|respond)(?: to)?(?: me)? (?:briefly|shortly|in one sentence)\b",
    ),
    _rule(
        "instruction:emojis",
        rf"(?:{_NOT}(?:(?:use|using|send|sending|put|putting|add|adding|with|the|all|any|so|many) )*"
        r"|use (?:more |fewer |less |lots of |a lot of |some )?)emojis?\b",
    ),
    _rule("instruction:name:{k}", rf"{_NOT}call(?:ing)? me ", _called),
    _rule(
        "instruction:tone",
        r"(?:be|talk|speak|sound|write) (?:a bit |a little )?(?:more|less) (?:formal|informal|casual|polite"
        r"|serious|funny|direct|blunt|friendly|sarcastic)(?:ly)?\b|don't be so (?:formal|polite|serious)",
    ),
    _rule(
        "instruction:tone",
        r"be (?:formal|informal|casual|polite|serious|funny|direct|blunt|friendly|honest)\b",
        _for_good,
    ),
    _rule("instruction:swearing", rf"{_NOT}(?:swear|curs|us(?:e|ing) (?:swear|bad|curse))"),
    _rule(
        "instruction:avoid:{k}",
        rf"{_NOT}(?:mention|mentioning|bring up|bringing up|talk about|talking about|talk to me about"
        r"|talking to me about|ask me about|asking me about|ask about|asking about|remind me of"
        r"|reminding me of|remind me about|reminding me about) ",
        _avoided,
    ),
    _rule(
        "instruction:questions",
        rf"{_NOT}ask(?:ing)?(?: me)? (?:so many |too many |any )?questions\b",
    ),
    _rule(
        "instruction:{v}",
        rf"(?:{_NOT})?(?:use|using|write in|writing in) (?P<v>markdown|bullet points|exclamation marks|hashtags|tables"
        r"|all caps|capital letters|lowercase|slang|metric(?: units)?|imperial(?: units)?|celsius"
        r"|fahrenheit|british english|american english|simple words|simple english)\b",
        _for_good,
    ),
)
"""Each keeps the sentence as it was said; a later one of the same sort replaces it."""
