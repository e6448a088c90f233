"""The assistant's job: it takes what people want to be reminded of, and reminds them.

Everything is a row of the database (`hobnob.store.reminders`), written in the transaction that
ends the message it came from. What is not clear is a row too, until somebody says what they meant.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hobnob import zones
from hobnob.assistant import answers
from hobnob.assistant.asker import Asker, Change
from hobnob.assistant.requests import COMMANDS, Request, Verb, by_command, in_words, is_command
from hobnob.assistant.settling import corrected, moved, picked, settled
from hobnob.assistant.speech import speech
from hobnob.assistant.when import Doubt, Reading, read, request
from hobnob.assistant.when.grammar import LANGUAGES
from hobnob.events import Addressed, ChatMessage, Event, Kind, Speaker, Visibility
from hobnob.jobs import Deed, Job
from hobnob.notes import Budget
from hobnob.policy import Action, Decision
from hobnob.ports import Clock
from hobnob.store import reminders as rows
from hobnob.store import schedule
from hobnob.store.reminders import ASKED, REMINDER, TODO, Reminder, SqlReminders
from hobnob.text import uncalled

MOST = 200
"""Reminders and to-dos of one person."""
USAGE = {
    "remind": "/remind tomorrow at 9:00 call the dentist",
    "todo": "/todo buy milk by Friday",
    "snooze": "/snooze 2 10m",
    "cancel": "/cancel 2",
    "done": "/done 2",
}


class Assistant(Job):
    commands = COMMANDS

    def __init__(
        self,
        store: SqlReminders,
        clock: Clock,
        *,
        zone: str = "UTC",
        language: str = "en",
        names: Sequence[str] = (),
    ) -> None:
        """`zone` and `language` are the bot's own; `names` are what it is called by in rooms."""
        self._store = store
        self._clock = clock
        self._zone = zone
        code = language.partition("-")[0].casefold()
        self._languages = [code] if code in LANGUAGES else ["en"]
        self._names = names

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        last = events[-1]
        if last.kind is Kind.SCHEDULED:
            return await self._ring(last)
        if decision.action in (Action.NOTICE, Action.CHIME):
            return None
        command = by_command(last)
        if command and last.addressed is not Addressed.NONE:
            return self._do(await self._asker(last, last.text), command)
        if decision.action is not Action.ANSWER or is_command(last):
            return None
        text = " ".join(self._plain(event) for event in events)
        return self._of_words(await self._asker(last, text))

    async def brief(self, events: Sequence[Event], budget: Budget) -> str:
        """What is to come, where the message speaks of a time."""
        asker = await self._asker(events[-1], self._plain(events[-1]))
        reading = read(asker.text, asker.now, asker.zone, self._languages)
        coming = [each for each in asker.theirs.reminders if answers.is_open(each)]
        if reading.doubt is Doubt.WHEN:
            return ""
        now = asker.spoken.time(asker.now.astimezone(ZoneInfo(asker.zone)))
        while coming:
            lists = (answers.listed(asker.spoken, coming, kind) for kind in (REMINDER, TODO))
            brief = "\n".join([f"For them it is {now}.", *lists])
            if budget.count([ChatMessage(role=Speaker.USER, content=brief)]) <= budget.tokens:
                return brief
            coming = coming[: len(coming) // 2]
        return ""

    async def _asker(self, event: Event, text: str) -> Asker:
        direct = event.addressed is Addressed.DIRECT
        theirs = await self._store.of(event, everywhere=direct)
        spoken = theirs.reminders[-1].language if theirs.reminders else self._languages[0]
        return Asker(
            event=event,
            text=text,
            theirs=theirs,
            zone=theirs.zone or self._zone,
            spoken=speech(spoken),
            now=self._clock.now(),
        )

    def _plain(self, event: Event) -> str:
        """What somebody says, without whom they say it to."""
        return uncalled(event.text, self._names)

    async def _ring(self, event: Event) -> Deed | None:
        """What is due, if it is ours."""
        number = schedule.number_of(event)
        reminder = await self._store.find(number) if number is not None else None
        if reminder is None:
            return None
        kept = reminder.event
        if kept != replace(event, id=kept.id, at=kept.at):
            return None  # it was dropped since, and SQLite gave its row to another, of anybody's
        spoken = speech(reminder.language)
        return Deed(
            reason=f"number {reminder.number} is due",
            said=answers.rung(spoken, reminder, event.at, self._clock.now()),
            buttons=answers.after_ringing(spoken, reminder),
            private=event.visibility is not None and event.addressed is not Addressed.DIRECT,
            also=lambda connection: rows.tidy(connection, event.key, event.author.id),
        )

    def _of_words(self, asker: Asker) -> Deed | None:
        latest = asker.latest
        if latest and latest.kind == ASKED:
            answer = settled(asker.text, latest, asker.now, self._languages)
            if answer:
                return self._take_on(
                    asker, *answer, source=latest.event.text, of=latest.event, instead=latest
                )
        elif latest and latest.due and (other := corrected(asker.text, latest, asker.now)):
            return self._move(asker, latest, other)
        reading = request(asker.text, asker.now, asker.zone, self._languages)
        if reading:
            return self._take_on(asker, REMINDER, reading, source=asker.text)
        words = in_words(asker.text, self._languages)
        if words:
            return self._do(replace(asker, spoken=speech(words.language)), words)
        return None

    def _do(self, asker: Asker, wanted: Request) -> Deed:
        """What a command, or words for it, ask for."""
        match wanted.verb:
            case Verb.REMIND | Verb.TODO if wanted.text:
                return self._note(asker, wanted)
            case Verb.REMINDERS | Verb.TODOS:
                kind = REMINDER if wanted.verb is Verb.REMINDERS else TODO
                said = answers.listed(asker.spoken, asker.theirs.reminders, kind)
                return asker.deed("asked what there is", said)
            case Verb.CANCEL | Verb.DONE | Verb.SNOOZE if wanted.number is not None:
                return self._numbered(asker, wanted, wanted.number)
            case Verb.TIMEZONE:
                return self._set_zone(asker, wanted.text)
            case _:
                usage = asker.spoken.say("usage", usage=USAGE[wanted.verb])
                return asker.deed("said too little", usage)

    def _note(self, asker: Asker, wanted: Request) -> Deed:
        source = f"/{wanted.verb} {wanted.text}"
        kind = TODO if wanted.verb is Verb.TODO else REMINDER
        reading = read(wanted.text, asker.now, asker.zone, self._languages)
        if kind == TODO and reading.doubt not in (None, Doubt.WHICH):
            unclear = reading.doubt is not Doubt.WHEN  # its words stay as they are
            reading = replace(reading, task=wanted.text, whens=(), doubt=None)
            if unclear:
                return self._take_on(asker, kind, reading, source=source, notes=("undated",))
        return self._take_on(asker, kind, reading, source=source)

    def _numbered(self, asker: Asker, wanted: Request, number: int) -> Deed:
        found = asker.one(number)
        if found is None:
            return asker.deed("no such number", asker.spoken.say("unknown", number=number))
        if wanted.verb is not Verb.SNOOZE:
            task = answers.shown(asker.spoken, found.event.text)
            what = "done" if wanted.verb is Verb.DONE else "cancelled"
            said = asker.spoken.say(what, number=number, task=task)
            return asker.deed(f"number {number} is {what}", said, also=_dropping(found))
        if found.kind == ASKED:
            answer = picked(wanted.text, found, asker.now, self._languages)
            answer = answer or settled(wanted.text, found, asker.now, self._languages)
            if answer:
                return self._take_on(
                    asker, *answer, source=found.event.text, of=found.event, instead=found
                )
        elif reading := moved(wanted.text, found, asker.now):
            return self._move(asker, found, reading)
        usage = asker.spoken.say("usage", usage=USAGE["snooze"])
        return asker.deed("said no time", usage)

    def _move(self, asker: Asker, reminder: Reminder, reading: Reading) -> Deed:
        """Another time for it. What comes again and again comes once more then."""
        spoken = speech(reminder.language)
        if reading.doubt is not None or not reading.whens:
            buttons = answers.options(spoken, reminder.number, reading.whens)
            return asker.deed("which time?", answers.asked(spoken, reading), buttons=buttons)
        once_more = bool(reminder.rule) and not reading.whens[0].rule
        return self._take_on(
            replace(asker, zone=reminder.zone),
            reminder.kind,
            replace(reading, task=reminder.event.text, language=reminder.language),
            of=reminder.event,
            instead=None if once_more else reminder,
        )

    def _take_on(
        self,
        asker: Asker,
        kind: str,
        reading: Reading,
        *,
        source: str = "",
        of: Event | None = None,
        instead: Reminder | None = None,
        notes: Sequence[str] = (),
    ) -> Deed:
        """Note it, or ask what is not clear. `source` is how it can be read again; `of` is what
        it was asked for in, if that was earlier."""
        spoken = speech(reading.language)
        of = of or (instead.event if instead else asker.event)
        source = source or (instead.event.text if instead else "")
        if instead is None and len(asker.theirs.reminders) >= MOST:
            return asker.deed("they have too many", spoken.say("full", number=MOST))
        clear = reading.doubt is None
        when = reading.whens[0] if clear and reading.whens else None
        new = Reminder(
            row=0,
            number=instead.number if instead else asker.theirs.next_number,
            kind=kind if clear else ASKED,
            event=_kept(of, reading.task if clear else source, asker.event.at),
            rule=when.rule if when else "",
            zone=asker.zone,
            due=when.due if when else None,
            language=reading.language,
        )
        if clear:
            said = [answers.told(spoken, new, reading), *map(spoken.say, notes)]
            buttons = answers.correcting(spoken, new, reading.other)
        else:
            said = [answers.asked(spoken, reading)]
            buttons = answers.options(spoken, new.number, reading.whens)
        if not asker.theirs.zone and (reading.whens or not clear):
            said.append(spoken.say("hint", zone=asker.zone))
        if asker.theirs.incognito:
            said.append(spoken.say("incognito"))
        reason = f"number {new.number} is noted" if clear else f"asked back: {reading.doubt}"
        return asker.deed(
            reason, "\n".join(said), buttons=buttons, also=_noting(asker, new, instead)
        )

    def _set_zone(self, asker: Asker, name: str) -> Deed:
        zone = zones.find(name) if name else asker.zone
        if zone is None:
            return asker.deed("no such time zone", asker.spoken.say("no_zone"))
        time = asker.spoken.time(asker.now.astimezone(ZoneInfo(zone)))
        event = asker.event

        def also(connection: sa.Connection) -> None:
            rows.set_zone(connection, event.key, event.author.id, zone)

        said = asker.spoken.say("zone", zone=zone, time=time)
        return asker.deed("their time zone", said, also=also if name else None)


def _kept(event: Event, text: str, at: datetime) -> Event:
    """What is kept of an event until its time: who and where, and when it was noted. What a command
    asked for in a room comes to them alone, as its answer did; what words did, to all there."""
    alone = is_command(event) and event.addressed is not Addressed.DIRECT
    kept = replace(event, visibility=Visibility.DIRECT) if alone else event
    return replace(kept, text=text, at=at, quoted=None, attachments=(), reply_to=None)


def _dropping(reminder: Reminder) -> Change:
    return lambda connection: schedule.drop(connection, reminder.row)


def _noting(asker: Asker, new: Reminder, instead: Reminder | None) -> Change:
    """It may be done again, where it was undone."""
    event = asker.event

    def also(connection: sa.Connection) -> None:
        if instead is not None:
            schedule.drop(connection, instead.row)
        rows.add(connection, new)
        if not asker.theirs.zone:
            rows.set_zone(connection, event.key, event.author.id, asker.zone)
        rows.tidy(connection, event.key, event.author.id)

    return also
