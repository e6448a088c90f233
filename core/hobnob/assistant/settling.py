"""What somebody meant, once they were asked, and what another time they want. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hobnob.assistant.speech import speech
from hobnob.assistant.when import Doubt, Reading, When, change, read, request
from hobnob.assistant.when.grammar import fold
from hobnob.store.reminders import REMINDER, TODO, Reminder

_CHOICE = re.compile(r"\s*#?([1-4])[.)]?\s*")
_SPAN = re.compile(r"\+?([0-9]{1,4}) ?(m|min|h|d|w)", re.IGNORECASE)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def understood(
    text: str, now: datetime, zone: str, languages: Sequence[str]
) -> tuple[str, Reading] | None:
    """What is asked for, and when: of a command, or of words that ask to be reminded."""
    for command, kind in (("/todo ", TODO), ("/remind ", REMINDER)):
        if text.startswith(command):
            return kind, read(text.removeprefix(command), now, zone, languages)
    reading = request(text, now, zone, languages)
    return (REMINDER, reading) if reading else None


def settled(
    answer: str, asked: Reminder, now: datetime, languages: Sequence[str]
) -> tuple[str, Reading] | None:
    """What is meant, now that `answer` was said to what was asked; None if that is no answer."""
    original = understood(asked.event.text, now, asked.zone, languages)
    if original is None:
        return None
    kind, reading = original
    if found := _CHOICE.fullmatch(answer):
        chosen = reading.whens[int(found[1]) - 1 : int(found[1])]
        if chosen:
            return kind, _certain(reading, chosen[0])
    alone = change(answer, now, asked.zone, languages)
    if alone is None:
        return None
    both = understood(f"{asked.event.text} {answer}", now, asked.zone, languages)
    if both and both[1].doubt is None:
        alone = both[1]
    elif reading.whens:
        alone = _of_each(answer, reading.whens, asked, now, languages)
    elif alone.dayless and not _today(alone, reading):
        alone = replace(alone, doubt=Doubt.UNCLEAR, whens=())  # a day was said: which?
    return kind, replace(alone, task=reading.task, language=reading.language)


def _of_each(
    answer: str, whens: Sequence[When], asked: Reminder, now: datetime, languages: Sequence[str]
) -> Reading:
    """What the answer makes of each time that it may have meant: an hour on its day, or a day at
    its hour."""
    made: dict[datetime, When] = {}
    for when in whens:
        reading = change(answer, now, asked.zone, languages, when.due)
        for new in reading.whens if reading else ():
            made[new.due] = new if new.rule else _again(new, when) or new
    found = tuple(made[due] for due in sorted(made))
    doubt = None if len(found) == 1 else Doubt.WHICH if found else Doubt.UNCLEAR
    return Reading(language=asked.language, task="", whens=found, doubt=doubt)


def _today(reading: Reading, original: Reading) -> bool:
    """Whether an hour alone is an answer: nobody named a day, or the one that it is on."""
    return original.doubt is Doubt.WHEN or (
        original.doubt is Doubt.PAST and len({when.due.date() for when in reading.whens}) == 1
    )


def _again(new: When, before: When) -> When | None:
    """As often as before, at a new hour; None on another day, when the rule means other days."""
    if not before.rule or new.due.date() != before.due.astimezone(new.due.tzinfo).date():
        return None
    rule = f"DTSTART:{new.due:%Y%m%dT%H%M%S} RRULE:{before.rule.partition('RRULE:')[2]}"
    return replace(new, rule=rule)


def picked(
    due: str, asked: Reminder, now: datetime, languages: Sequence[str]
) -> tuple[str, Reading] | None:
    """What is meant, now that somebody pressed the button of this time."""
    original = understood(asked.event.text, now, asked.zone, languages)
    if original is None:
        return None
    kind, reading = original
    for when in reading.whens:
        if f"{when.due:%Y-%m-%d %H:%M}" == due:
            return kind, _certain(reading, when)
    return None


def corrected(text: str, reminder: Reminder, now: datetime) -> Reading | None:
    """The other time that "no, at 9" names; None if it is no correction."""
    found = speech(reminder.language).corrections.match(fold(text))
    if found is None:
        return None
    rest = text[found.end() :]
    reading = change(rest, now, reminder.zone, [reminder.language], reminder.due)
    if reading is None or not reminder.rule or not reading.whens or reading.whens[0].rule:
        return reading
    before = When(due=reminder.due or now, rule=reminder.rule)
    again = _again(reading.whens[0], before)
    if again is None:
        return replace(reading, doubt=Doubt.UNCLEAR, whens=())  # which days, from now on?
    return replace(reading, whens=(again, *reading.whens[1:]))


def moved(text: str, reminder: Reminder, now: datetime) -> Reading | None:
    """When it is to come instead: so much later ("10m", "1h", "1d"), or at another time. What
    comes again and again comes once more, so much later than now."""
    if found := _SPAN.fullmatch(text.strip()):
        span = timedelta(**{_UNITS[found[2].lower()]: int(found[1])})
        waits = reminder.due is not None and reminder.due > now and not reminder.rule
        start = reminder.due if waits and reminder.due else now
        when = When(due=(start + span).replace(second=0, microsecond=0))
        return Reading(language=reminder.language, task="", whens=(when,))
    reading = change(text, now, reminder.zone, [reminder.language], reminder.due)
    if reading is None or reading.doubt is Doubt.WHEN:
        return change(f"in {text}", now, reminder.zone, [reminder.language])
    return reading


def _certain(reading: Reading, when: When) -> Reading:
    return replace(reading, whens=(when,), doubt=None, other=None)
