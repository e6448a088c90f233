"""What people may ask of their memory: /memory, /memory why N, /forget N, /forget everything,
/incognito, /link, /reset and /language. Each answers with what was done, in words."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hobnob.commands import LANGUAGES, words
from hobnob.events import Event, Fact
from hobnob.memory.facts.stated import BY_MODEL
from hobnob.recollection import Rights, Scope

HELP = (
    "/memory shows what I know about you, /memory why 2 where I have number 2 from.\n"
    "/forget 2 makes me forget it, /forget everything all that you ever said to me.\n"
    "/incognito on: I remember nothing of what is said here from now on; /incognito off ends it."
)
RESET = "A fresh start. What was said before I still remember; /forget everything deletes it."
SPEAK = "/language French makes me answer in French, /language any in the language you write in."
LONGEST_LANGUAGE = 32
NOTHING = "I know nothing about you yet."
MOST_SHOWN = 100
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""None that is taken for another."""
CODE_LENGTH = 8
"""40 bits, for ten minutes, at a few tries a minute."""
CODE_LASTS = timedelta(minutes=10)
LINK = (
    "Write me “/link {code}” in private on the other platform within {minutes} minutes. Then I "
    "know you as one person, with one memory, and /forget everything goes for both. Give this "
    "code to nobody: whoever uses it reads your memories. /link off separates the two again."
)
LINKED = (
    "I know you now as the one who wrote to me on {platform}: what you told me there I remember "
    "here, and the other way round. /link off separates the two again."
)
UNLINKED = "From now on I know you here as somebody else than on the other platforms."
NOT_LINKED = "This conversation is linked with no other. /link gives you a code for that."
NO_SUCH_CODE = (
    "I don't know that code; perhaps it is too old. /link, on the other platform, gives one."
)
LINK_IN_PRIVATE = "That concerns you alone: write me /link in a direct message."
BY_A_MODEL = "A language model read this out of it, and may have misunderstood."


class Commands:
    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    def answer(self, connection: Any, event: Event, scope: Scope) -> str:
        """Do what `event`, one of the commands `policy.MEMORY`, asks for: a part of the transaction
        that ends it."""
        match words(event):
            case ["reset", *_]:
                self._rights.begin_anew(connection, scope.key)
                return RESET
            case ["language", *name]:
                return self._speak(connection, scope, " ".join(name))
            case ["memory"]:
                return _listed(self._rights.facts(connection, scope), scope)
            case ["memory", "why", number] if _is_number(number):
                return self._why(connection, scope, int(number))
            case ["forget", number] if _is_number(number):
                return self._forget(connection, scope, int(number))
            case ["forget", "everything"]:
                return self._forget_all(connection, scope)
            case ["link", *rest]:
                return self._link(connection, scope, "".join(rest))
            case ["incognito", "on" | "off" as way]:
                return self._switch(connection, scope, on=way == "on")
            case ["incognito"]:
                return self._switch(connection, scope, on=True)
            case _:
                return HELP

    @staticmethod
    def drops(event: Event) -> bool:
        """It asks for something after which what is only in this process's memory is gone too."""
        match words(event):
            case ["reset", *_] | ["forget", "everything"] | ["incognito", "off"] | ["link", _, *_]:
                return True
            case _:
                return False

    @staticmethod
    def forgets(event: Event) -> bool:
        """It asks for something of which nothing may be left in the database's files."""
        return words(event)[:1] == ["forget"] or words(event)[:2] == ["incognito", "off"]

    def _link(self, connection: Any, scope: Scope, code: str) -> str:
        if not scope.direct:
            return LINK_IN_PRIVATE
        if code == "off":
            return UNLINKED if self._rights.unlink(connection, scope.key) else NOT_LINKED
        if not code:
            code = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
            self._rights.offer_link(connection, scope, _hashed(code), CODE_LASTS)
            return LINK.format(code=f"{code[:4]}-{code[4:]}", minutes=CODE_LASTS.seconds // 60)
        other = self._rights.link(connection, scope, _hashed(code))
        if other is None:
            return NO_SUCH_CODE
        return LINKED.format(platform=other.platform.capitalize())

    def _speak(self, connection: Any, scope: Scope, name: str) -> str:
        known = LANGUAGES.get(name, name.title())
        if not known or len(known) > LONGEST_LANGUAGE or not known.replace(" ", "").isalpha():
            return SPEAK
        language = "" if known == "Any" else known
        self._rights.set_language(connection, scope.key, language)
        return f"From now on I answer in {language or 'the language that you write in'}."

    def _why(self, connection: Any, scope: Scope, number: int) -> str:
        receipt = self._rights.why(connection, scope, number)
        if receipt is None:
            return _no(number)
        said = "\n".join(
            f"{turn.at:%-d %B %Y, %H:%M} UTC: {_quoted(turn.text)}" for turn in receipt.sources
        )
        ended = ""
        if receipt.fact.ended is not None:
            ended = f"\nIt holds until {receipt.fact.ended:%-d %B %Y}."
        doubt = f"\n{BY_A_MODEL}" if receipt.fact.confidence <= BY_MODEL else ""
        return f"{number}. {receipt.fact.text}\nYou said:\n{said}{ended}{doubt}"

    def _forget(self, connection: Any, scope: Scope, number: int) -> str:
        if not self._rights.forget_fact(connection, scope, number):
            return _no(number)
        return f"Number {number} is forgotten, with the messages in which you told me."

    def _forget_all(self, connection: Any, scope: Scope) -> str:
        key = scope.key
        count = self._rights.forget_all(connection, scope)
        return (
            f"Everything is forgotten: {count} messages of yours, my answers to them, and all "
            f"that I knew from them. What {key.platform.capitalize()} itself keeps, only you can "
            "delete there."
        )

    def _switch(self, connection: Any, scope: Scope, *, on: bool) -> str:
        self._rights.set_incognito(connection, scope.key, on)
        if on:
            return "From now on I remember nothing of what is said here. /incognito off ends it."
        return "What was said in between is gone. From now on I remember again."


def _listed(facts: Sequence[Fact], scope: Scope) -> str:
    if not facts:
        return NOTHING
    lines = [f"{fact.number}. {fact.text} ({fact.at:%-d %B %Y})" for fact in facts[-MOST_SHOWN:]]
    where = "" if scope.direct else " from here"
    return "\n".join([f"What I know about you{where}:", *lines])


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) < 10  # databases have a largest one


def _no(number: int) -> str:
    return f"There is nothing with number {number}. /memory lists what I know about you."


def _quoted(text: str) -> str:
    return "“" + " ".join(text.split())[:500] + "”"


def _hashed(code: str) -> str:
    plain = "".join(c for c in code.upper() if c.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
