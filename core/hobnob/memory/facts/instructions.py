"""The rules for what a person wants of the bot for good, and for what it shall keep. Data, mostly.

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
from hobnob.memory.facts.values import Reader, Reading

LONGEST = 160
"""Characters of a sentence that is kept as it was said."""

_ASK = (
    r"(?:(?:please|pls|plz|always|from now on|in (?:the )?future|going forward|only|just|and|but"
    r"|also|(?:can|could|would|will) you|i want you to|i'd like you to|i would like you to"
    r"|i need you to|you should|you can|try to|when you (?:answer|reply|write)(?: to)?(?: me)?"
    r"),? )*"
)
_NOT = r"(?:don't|do not|dont|never|stop|quit|avoid|no more|no)(?: ever)? "
_FOR_GOOD = re.compile(
    r"\b(?:always|from now on|in (?:the )?future|going forward|every time|for good|generally)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?:dude|bro|bruh|sir|madam|ma'am|honey|hun|babe|baby|man|mate|buddy|bud|boss|sweetie"
    r"|sweetheart|dear|darling|girl|miss)\b",
    re.IGNORECASE,
)
PRIVILEGED = re.compile(
    # Not about the speaker, or better not kept.
    r"\b(?:you|your|u|ur|system|prompt|instructions?|obey|ignore|admin|password|passwort|passcode"
    r"|pin|secret|key|token|credit card|cvv|iban|ssn)\b",
    re.IGNORECASE,
)


def _language(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """A language, and nothing behind it that makes this a single task."""
    match = re.match(r"[A-Za-z]+", rest)
    if match is None or read.languages(match[0], clause, at) is None:
        return None
    tail = rest[match.end() :]
    goes_on = re.match(r" (?:from now|only|always|with me|to me|in)\b", tail)
    return Reading(values=(match[0].title(),)) if goes_on or values.ends(tail) else None


def _for_good(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """Meant for more than this once."""
    return Reading() if _FOR_GOOD.search(clause.text) else None


def _called(rest: str, clause: Clause, at: datetime) -> Reading | None:
    match = _ADDRESS.match(rest)
    return Reading(values=(match[0],)) if match else values.person(rest, clause, at)


def _note(rest: str, clause: Clause, at: datetime) -> Reading | None:
    """About the speaker; no secrets, and nothing that tells the bot who to be."""
    if PRIVILEGED.search(rest) or len(rest) > LONGEST or len(rest.split()) < 3:
        return None
    return Reading(values=(rest,))


def _rule(what: str, pattern: str, reader: Reader = read.anything) -> Rule:
    attribute = f"instruction:{what}"
    return rule(FactKind.INSTRUCTION, attribute, _ASK + pattern, reader, "You asked: “{said}”")


REMEMBER = re.compile(
    r"(?:(?:please|pls|and|also) )*(?:remember|don't forget|do not forget|keep in mind|note)"
    r"(?: that)?[:,]? (?=(?:i|i'm|i've|my|we|we're|our)\b)",
    re.IGNORECASE,
)
"""What follows is a fact by some rule; or else it is a note."""

NOTE = rule(FactKind.INSTRUCTION, "remember:{k}", "", _note, "You asked: “remember that {v}”")

INSTRUCTIONS = (
    _rule("language", r"(?:let's )?(?:answer|reply|respond|speak|talk|write|text|chat|communicate)"
                      r"(?: back)?(?: to| with)?(?: me| us)?(?: back)?(?: only| always)?"
                      r"(?: in)? ",
          _language),
    _rule("length", r"(?:keep|make) (?:it|this|things|them) (?:very |more |a bit |nice and )?"
                    r"(?:short|shorter|brief|concise|long|longer|detailed|simple)\b",
          _for_good),
    _rule("length", r"(?:keep|make) your (?:answers|replies|messages|responses|texts) (?:very "
                    r"|more |a bit )?(?:short|shorter|brief|concise|long|longer|detailed|simple)\b"
                    r"|(?:write|give(?: me)?|use|send(?: me)?) (?:short|shorter|brief|long|longer)"
                    r" (?:answers|replies|messages|responses|sentences)\b"
                    r"|be (?:more |less )(?:brief|concise|verbose|detailed|wordy)\b"
                    r"|(?:answer|reply|respond)(?: to)?(?: me)? (?:briefly|in one sentence)\b"),
    _rule("emojis", rf"(?:{_NOT}(?:(?:use|using|send|sending|put|putting|add|adding|with|the|all"
                    r"|any|so|many) )*|use (?:more |fewer |less |lots of |some )?)emojis?\b"),
    _rule("name:{k}", rf"{_NOT}call(?:ing)? me ", _called),
    _rule("tone", r"(?:be|talk|speak|sound|write) (?:a bit |a little )?(?:more|less) (?:formal"
                  r"|informal|casual|polite|serious|funny|direct|blunt|friendly|sarcastic)(?:ly)?\b"
                  r"|don't be so (?:formal|polite|serious)\b"),
    _rule("tone", r"be (?:formal|informal|casual|polite|serious|funny|direct|blunt|friendly"
                  r"|honest)\b",
          _for_good),
    _rule("swearing", rf"{_NOT}(?:swear|curs|us(?:e|ing) (?:swear|bad|curse))"),
    _rule("avoid:{k}", rf"{_NOT}(?:mention|mentioning|bring up|bringing up"
                       r"|(?:talk|talking)(?: to me)? about|(?:ask|asking)(?: me)? about"
                       r"|(?:remind|reminding) me (?:of|about)) ",
          values.thing),
    _rule("questions", rf"{_NOT}ask(?:ing)?(?: me)? (?:so many |too many |any )?questions\b"),
    _rule("{v}", rf"(?:{_NOT})?(?:use|using|write in|writing in) (?P<v>markdown|bullet points"
                 r"|exclamation marks|hashtags|tables|all caps|capital letters|lowercase|slang"
                 r"|metric(?: units)?|imperial(?: units)?|celsius|fahrenheit|british english"
                 r"|american english|simple words|simple english)\b",
          _for_good),
)  # fmt: skip
"""Each keeps the sentence as it was said; a later one of the same sort replaces it."""
