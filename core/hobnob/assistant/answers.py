"""What is answered about reminders and to-dos, and the buttons below. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hobnob.assistant.speech import Speech
from hobnob.assistant.when import Doubt, Reading, When
from hobnob.events import Addressed, Button
from hobnob.recurrence import next_due
from hobnob.store.reminders import REMINDER, TODO, Reminder
from hobnob.text import clean_name

MOST_LISTED = 50
LONGEST_TASK = 300
LATE = timedelta(minutes=2)
"""What comes later than this after its time says so."""


def told(spoken: Speech, new: Reminder, reading: Reading | None = None) -> str:
    """What was noted, with its time in full, and why it is this one."""
    task = shown(spoken, new.event.text)
    lines = [
        spoken.say("added" if new.kind == TODO else "set", number=new.number, task=task),
    ]
    if new.due is not None:
        lines += times(spoken, When(due=new.due.astimezone(ZoneInfo(new.zone)), rule=new.rule), new)
    if reading is not None and reading.assumed and new.due is not None:
        lines.append(spoken.say("assumed"))
    return "\n".join(lines)


def times(spoken: Speech, when: When, new: Reminder) -> list[str]:
    lines = [spoken.say("at", time=spoken.time(when.due), zone=new.zone)]
    if when.rule and (then := next_due(when.rule, new.zone, when.due)):
        again = spoken.time(then.astimezone(ZoneInfo(new.zone)))
        lines.append(spoken.say("again", time=again))
    return lines


def asked(spoken: Speech, reading: Reading) -> str:
    """What has to be said before anything can come of it."""
    if reading.doubt is Doubt.WHICH or (reading.doubt is Doubt.UNCLEAR and reading.whens):
        numbered = enumerate(reading.whens, 1)
        options = [f"{number}. {spoken.time(when.due)}" for number, when in numbered]
        return "\n".join([spoken.say("which"), *options])
    return spoken.say(str(reading.doubt))


def options(spoken: Speech, number: int, whens: Sequence[When]) -> tuple[Button, ...]:
    return tuple(
        Button(label=spoken.short(when.due), command=f"/snooze {number} {when.due:%Y-%m-%d %H:%M}")
        for when in whens
    )


def correcting(spoken: Speech, new: Reminder, other: When | None) -> tuple[Button, ...]:
    """Below what was noted: to say that it was meant otherwise."""
    buttons = [Button(label=spoken.say("button_cancel"), command=f"/cancel {new.number}")]
    if other is not None and not new.rule:
        buttons += options(spoken, new.number, [other])
    if new.due is not None and not new.rule:
        buttons += _later(new.number, "1h", "1d")
    return tuple(buttons)


def rung(spoken: Speech, reminder: Reminder, due: datetime, now: datetime) -> str:
    """The reminder itself."""
    said = spoken.say("ring", task=shown(spoken, reminder.event.text))
    if reminder.event.addressed is not Addressed.DIRECT:
        said = f"{clean_name(reminder.event.author.name)}: {said}"
    if now - due > LATE:
        late = spoken.time(due.astimezone(ZoneInfo(reminder.zone)))
        said = f"{said}\n{spoken.say('late', time=late)}"
    return said


def after_ringing(spoken: Speech, reminder: Reminder) -> tuple[Button, ...]:
    buttons = _later(reminder.number, "10m", "1h", "1d")
    if reminder.kind == TODO:
        done = Button(label=spoken.say("button_done"), command=f"/done {reminder.number}")
        return (done, *buttons)
    if reminder.rule:
        stop = Button(label=spoken.say("button_cancel"), command=f"/cancel {reminder.number}")
        return (*buttons, stop)
    return tuple(buttons)


def listed(spoken: Speech, reminders: Sequence[Reminder], kind: str) -> str:
    """All that are still to come or to be done."""
    todo = kind == TODO
    found = [each for each in reminders if each.kind == kind and (todo or each.due is not None)]
    if not found:
        return spoken.say("none_todo" if todo else "none")
    lines = [spoken.say("list_todo" if todo else "list")]
    for each in found[:MOST_LISTED]:
        line = f"{each.number}. {shown(spoken, each.event.text)}"
        if each.due is not None:
            due = spoken.time(each.due.astimezone(ZoneInfo(each.zone)))
            line += f" ({due}{' ↻' if each.rule else ''})"
        lines.append(line)
    return "\n".join(lines)


def shown(spoken: Speech, task: str) -> str:
    return task[:LONGEST_TASK] or spoken.say("nothing")


def is_open(reminder: Reminder) -> bool:
    """It is still to come, or to be done."""
    return reminder.kind == TODO or (reminder.kind == REMINDER and reminder.due is not None)


def _later(number: int, *spans: str) -> list[Button]:
    names = {"10m": "+10 min", "1h": "+1 h", "1d": "+1 d"}
    return [Button(label=names[span], command=f"/snooze {number} {span}") for span in spans]
