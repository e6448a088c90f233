"""Who the bot is, and the file it is read from. Pure; knows nothing but the standard library.

persona.md is TOML between two lines of `+++`, then the system text:

    +++
    name = "Robin"
    greeting = "Hello!"

    [[examples]]
    user = "Who are you?"
    assistant = "I'm Robin, the bot of this server."

    [sampling]
    temperature = 0.6
    +++
    You are Robin ...

A source that ends in `.toml` is TOML throughout, with the system text under `text`.
"""

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hobnob.errors import ConfigError
from hobnob.events import Sampling
from hobnob.lorebook import Lorebook

MAX_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sample exchange that shows the voice."""

    user: str
    assistant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A character: the stable text that comes first in every prompt."""

    name: str
    text: str
    """The system text."""
    style: str = ""
    """How it writes; appended to the system text."""
    greeting: str = ""
    """Said when somebody opens a conversation without a question (/start). {{user}} in it stands
    for their name."""
    examples: tuple[Example, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    lore: Lorebook | None = None
    """What it knows of its world and tells when somebody speaks of it."""


SAMPLING = tuple(each.name for each in fields(Sampling) if each.name != "schema")
"""What an owner may set of it: a schema is for what the program itself asks."""


def parse(text: str, source: str) -> Persona:
    """Read a persona file. `source` is its name, for errors and to tell .md from .toml.

    Raises ConfigError, with everything that is wrong unless the TOML itself is. Control characters
    are refused, not cleaned: they come from a broken copy, and the owner should see it.
    """
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise ConfigError(
            f"{source}: is larger than {MAX_BYTES // 1024} kB. Nothing near that fits a prompt."
        )
    text = text.replace("\r\n", "\n")
    _refuse_control_characters(text, source)
    known = ("name", "style", "greeting", "examples", "sampling")
    if source.endswith(".toml"):
        reader = _Reader(parse_toml(text, source), (*known, "text"))
        system, where = reader.text("text"), "text:"
    else:
        front, system = _front_matter(text, source)
        reader = _Reader(parse_toml(front, source, lines_before=1), known)
        where = "the part below the second +++ line"
    if not system.strip():
        reader.problems.append(f"{where} is empty. Describe there who the bot is.")
    persona = Persona(
        name=reader.text("name", required=True, one_line=True),
        text=system.strip(),
        style=reader.text("style"),
        greeting=reader.text("greeting"),
        examples=tuple(
            Example(
                user=example.text("user", required=True),
                assistant=example.text("assistant", required=True),
            )
            for example in reader.tables("examples", ("user", "assistant"))
        ),
        sampling=_sampling(reader.table("sampling", SAMPLING)),
    )
    if reader.problems:
        raise ConfigError("\n".join(f"{source}: {problem}" for problem in reader.problems))
    return persona


def parse_toml(text: str, source: str, *, lines_before: int = 0) -> dict[str, Any]:
    """`text` as TOML. Raises ConfigError with the line, counted from `lines_before`."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # besides TOML's own: a number of thousands of digits
        place = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error))
        if place is None:
            end = "unexpected end of the file" if "end of document" in str(error) else error
            raise ConfigError(f"{source}: not valid TOML: {end}.") from None
        hint = " Texts need quotes around them." if place[1] == "Invalid value" else ""
        line = int(place[2]) + lines_before
        raise ConfigError(
            f"{source}: line {line}, column {place[3]}: not valid TOML: {place[1]}.{hint}"
        ) from None
    except RecursionError:
        raise ConfigError(f"{source}: not valid TOML: nested too deeply.") from None


def nearest(word: str, known: Iterable[str], *, list_all: bool = False) -> str:
    """A sentence that helps on somebody who wrote `word`, which isn't known: the nearest that is,
    and all that are if none is near or `list_all` is set."""
    known = list(known)
    near = [f"Did you mean {match}?" for match in difflib.get_close_matches(word, known, n=1)]
    if list_all or not near:
        near.append(f"Known: {', '.join(known) or 'none'}.")
    return " ".join(near)


def kind_of(value: object) -> str:
    """What a TOML value is, in words."""
    kinds: list[tuple[type, str]] = [
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number with a point"),
        (str, "text"),
        (list, "a list"),
        (Mapping, "a table"),
    ]
    return next((words for kind, words in kinds if isinstance(value, kind)), "a date or time")


def _front_matter(text: str, source: str) -> tuple[str, str]:
    lines = text.split("\n")
    marks = [number for number, line in enumerate(lines) if line.rstrip() == "+++"]
    if not marks or marks[0] != 0:
        raise ConfigError(
            f"{source}: line 1: must be +++. The file begins with TOML between two lines of +++ "
            '(at least name = "..."), and below them follows who the bot is.'
        )
    if len(marks) == 1:
        raise ConfigError(f"{source}: line 1: the +++ here has no second +++ line below it.")
    return "\n".join(lines[1 : marks[1]]), "\n".join(lines[marks[1] + 1 :])


def _refuse_control_characters(text: str, source: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        bad = _control_character(line)
        if bad:
            raise ConfigError(f"{source}: line {number}: holds the control character {bad}.")


def _control_character(text: str) -> str:
    """The first character that has no business in a prompt, as U+0000; "" if there is none."""
    return next(
        (
            f"U+{ord(c):04X}"
            for c in text
            if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"
        ),
        "",
    )


class _Reader:
    """A table that is read key by key; what is wrong with it gathers in `problems`."""

    def __init__(
        self,
        table: Mapping[str, Any],
        known: Iterable[str],
        *,
        at: str = "",
        problems: list[str] | None = None,
    ) -> None:
        self._table = table
        self._at = at
        self.problems: list[str] = [] if problems is None else problems
        for key in table:
            if key not in known:
                self._wrong(key, f"unknown key. {nearest(key, known)}")

    def text(self, key: str, *, required: bool = False, one_line: bool = False) -> str:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            self._wrong(key, f"must be text in quotes, not {kind_of(value)}.")
            return ""
        if bad := _control_character(value):
            self._wrong(key, f"holds the control character {bad}.")
        if one_line and "\n" in value:
            self._wrong(key, "must be one line.")
        if required and not value.strip():
            self._wrong(key, "is empty." if key in self._table else "is missing.")
        return value.strip()

    def number(
        self, key: str, default: float, low: float, high: float, *, above: bool = False
    ) -> float:
        """A number from `low` to `high`; with `above`, more than `low`. Whole if `default` is."""
        value: Any = self._table.get(key, default)
        whole = isinstance(default, int)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            expected = "a whole number" if whole else "a number"
            self._wrong(key, f"must be {expected}, not {kind_of(value)}.")
        elif not low <= value <= high or (above and value == low):
            least = f"more than {low:g}" if above else f"at least {low:g}"
            self._wrong(key, f"must be {least} and at most {high:g}.")
        else:
            return value
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self._wrong(key, 'must be a list of texts, like ["one", "two"].')
        return ()

    def table(self, key: str, known: Iterable[str]) -> "_Reader":
        value = self._table.get(key, {})
        if not isinstance(value, Mapping):
            self._wrong(key, f"must be a table, written as [{key}], not {kind_of(value)}.")
            value = {}
        return _Reader(value, known, at=f"{self._at}{key}.", problems=self.problems)

    def tables(self, key: str, known: Iterable[str]) -> "list[_Reader]":
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            self._wrong(key, f"must be tables, each begun with [[{key}]].")
            value = []
        return [
            _Reader(item, known, at=f"{self._at}{key}[{number}].", problems=self.problems)
            for number, item in enumerate(value, start=1)
        ]

    def _wrong(self, key: str, what: str) -> None:
        self.problems.append(f"{self._at}{key}: {what}")


def _sampling(table: _Reader) -> Sampling:
    default = Sampling()
    return Sampling(
        max_new_tokens=int(table.number("max_new_tokens", default.max_new_tokens, 1, 8192)),
        temperature=float(table.number("temperature", default.temperature, 0, 2)),
        top_p=float(table.number("top_p", default.top_p, 0, 1, above=True)),
        repetition_penalty=float(
            table.number("repetition_penalty", default.repetition_penalty, 1, 2)
        ),
        stop=table.texts("stop"),
    )
