"""The job of writing first: it takes who wants that, visits them at their hour, and keeps what the
bot said that it would do.

Everything is rows of the database (`hobnob.store.checkins`), written in the transaction that ends
the event it came of. See the package for how it decides.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from hobnob import hours
from hobnob.assistant.speech import Speech, speech
from hobnob.assistant.when.grammar import LANGUAGES
from hobnob.checkin import opening, plans, promises
from hobnob.checkin.asking import COMMANDS, Asked, by_command, in_words
from hobnob.checkin.manners import Manners, rule
from hobnob.checkin.opening import Opening
from hobnob.events import Addressed, Event, Kind
from hobnob.jobs import Deed, Job
from hobnob.policy import Action, Decision
from hobnob.ports import Clock
from hobnob.recurrence import next_due
from hobnob.store import checkins as rows
from hobnob.store import reminders, schedule
from hobnob.store.checkins import CHECKIN, Checkin, Known, Said, SqlCheckins, Theirs, Visit
from hobnob.text import clean_name, uncalled

MOST_PROMISES = 5
"""To one person at a time."""
_OURS = re.compile(r"schedule:([0-9]+):.*")

Change = Callable[[sa.Connection], None]


class Checkins(Job):
    """See `hobnob.jobs.Job`."""

    commands = COMMANDS

    def __init__(
        self, store: SqlCheckins, clock: Clock, manners: Manners, *, names: Sequence[str] = ()
    ) -> None:
        """`names` are what the bot is called by in rooms."""
        self._store = store
        self._clock = clock
        self._manners = manners
        code = manners.language.partition("-")[0].casefold()
        self._language = code if code in LANGUAGES else "en"
        self._names = names

    async def take(self, events: Sequence[Event], decision: Decision) -> Deed | None:
        last = events[-1]
        if last.kind is Kind.SCHEDULED:
            return await self._ring(last)
        if decision.action in (Action.NOTICE, Action.CHIME) or last.addressed is Addressed.NONE:
            return None
        now, zone = self._clock.now(), self._manners.zone
        asked = by_command(last, now, zone)
        if asked is None and decision.action is Action.ANSWER:
            text = " ".join(uncalled(event.text, self._names) for event in events)
            asked = in_words(text, now, zone, [self._language])
        return await self._answer(last, asked) if asked else None

    async def review(self, events: Sequence[Event], deed: Deed) -> Deed:
        """Note what the model said that it would do, for somebody who wants to be written to."""
        last = events[-1]
        if deed.incognito or not promises.are_in(deed.remembered):
            return deed
        theirs = await self._store.of(last)
        zone = theirs.zone or self._manners.zone
        promise = promises.find(deed.remembered, self._clock.now(), zone)
        if promise is None or not _is_on(theirs.checkin) or theirs.promises >= MOST_PROMISES:
            return deed

        def also(connection: sa.Connection) -> None:
            if deed.also:
                deed.also(connection)
            rows.promised(connection, last, promise.due, zone)

        return replace(deed, also=also)

    # ------------------------------------------------------------------ asking for it

    async def _answer(self, event: Event, asked: Asked) -> Deed:
        theirs = await self._store.of(event)
        known = theirs.checkin.language if theirs.checkin else self._language
        spoken = speech(asked.language or known, __package__)
        answer = partial(_told, event, asked, theirs)
        if asked.wanted is None:
            if not asked.clear:
                return answer("said too little", spoken.say("usage"))
            said = self._how(spoken, theirs.checkin, theirs.zone) or spoken.say("never")
            return answer("asked whether it writes first", said)
        if not asked.wanted:
            row = theirs.checkin.row if theirs.checkin else 0
            return answer(
                "they want to be left alone",
                spoken.say("ended"),
                also=lambda connection: rows.end(connection, row),
            )
        if event.addressed is not Addressed.DIRECT and not self._manners.rooms:
            return answer("it writes first in private only", spoken.say("room"))
        if theirs.incognito:
            return answer("the conversation is incognito", spoken.say("incognito"))
        return self._agree(event, asked, theirs, spoken, answer)

    def _agree(
        self,
        event: Event,
        asked: Asked,
        theirs: Theirs,
        spoken: Speech,
        answer: Callable[..., Deed],
    ) -> Deed:
        wanted = asked.hour or self._manners.at
        hour = self._manners.hour(wanted)
        if hour is None:
            return answer("these are always quiet hours", spoken.say("always_quiet"))
        zone = asked.zone or theirs.zone or self._manners.zone
        new = Checkin(
            row=0,
            language=spoken.code,
            daily=asked.hour is not None,
            rule=rule(hour),
            zone=zone,
            due=next_due(rule(hour), zone, self._clock.now()),
        )
        said = [self._how(spoken, new, zone)]
        if asked.hour and hour != wanted:
            said.insert(0, spoken.say("quiet", clock=f"{hour:%H:%M}"))

        def also(connection: sa.Connection) -> None:
            rows.agree(connection, event, new)
            if asked.zone:
                reminders.set_zone(connection, event.key, event.author.id, zone)

        return answer("they want to be written to", "\n".join(said), also=also)

    def _how(self, spoken: Speech, checkin: Checkin | None, zone: str) -> str:
        """What they asked for; "" if they did not."""
        if checkin is None or checkin.due is None:
            return ""
        hour = next_due(checkin.rule, "UTC", self._clock.now())  # as the clock on a wall shows it
        what = "agreed_daily" if checkin.daily else "agreed"
        told = spoken.say(what, clock=f"{hour:%H:%M}", zone=zone or checkin.zone)
        return f"{told}\n{spoken.say('how')}"

    # ------------------------------------------------------------------ writing first

    async def _ring(self, event: Event) -> Deed | None:
        """What is due, if it is ours."""
        ours = _OURS.fullmatch(event.id)
        now = self._clock.now()
        visit = await self._store.visit(int(ours[1]), now, now - plans.LATEST) if ours else None
        if visit is None or ours is None:
            return None
        kept = visit.event
        if kept != replace(event, id=kept.id, at=kept.at):
            return None  # it was dropped since, and SQLite gave its row to another, of anybody's
        row = int(ours[1])
        zone = ZoneInfo(visit.zone or self._manners.zone)
        due = hours.end(self._manners.quiet, now.astimezone(zone))
        if visit.checkin is None or visit.incognito:
            why = "the conversation is incognito" if visit.incognito else "they took it back"
            return _silent(why, also=lambda connection: _give_up(connection, visit, row))
        if visit.elsewhere and visit.job == CHECKIN:
            return _silent(
                "they are written to elsewhere", also=lambda connection: rows.end(connection, row)
            )
        if due is None:
            return _silent("these are always quiet hours")
        if due > now:
            wait = f"these are quiet hours: at {due.astimezone(zone):%H:%M}"
            return _silent(wait, also=lambda connection: schedule.move(connection, row, due))
        if visit.job == CHECKIN:
            return await self._visit(event, visit, visit.checkin, zone)
        return self._keep(event, visit, visit.checkin, row)

    async def _visit(self, event: Event, visit: Visit, checkin: Checkin, zone: ZoneInfo) -> Deed:
        """The daily look at whether there is something to say."""
        now = self._clock.now()
        spoken = speech(checkin.language, __package__)
        plan = await self._plan(visit, now, zone)
        found = opening.on_visit(
            visit, plan, spoken, self._manners, due=event.at, now=now, zone=zone
        )
        moved = None
        if checkin.zone != zone.key:  # their clock is another now
            moved = partial(
                rows.follow,
                row=checkin.row,
                zone=zone.key,
                due=next_due(checkin.rule, zone.key, now),
            )
        if isinstance(found, str):
            return _silent(found, also=moved)
        return self._say(event, visit, checkin, found, then=moved)

    async def _plan(self, visit: Visit, now: datetime, zone: ZoneInfo) -> Known | None:
        """The last plan of theirs that they may be asked about."""
        today = now.astimezone(zone).date()
        kept = [each.at.astimezone(zone).date() for each in visit.said if each.what == "promise"]
        for plan in reversed(visit.plans):
            day = plans.day_of(plan.text)
            if (
                day
                and plans.is_news(day, today)
                and not any(day <= each for each in kept)  # it asked then
                and not opening.was_said(visit.said, "plan", str(plan.row))
            ):
                said = await self._store.spoken(visit.event, plan.at)
                if not plans.is_settled(plan.text, plan.value, day, said, zone):
                    return plan
        return None

    def _keep(self, event: Event, visit: Visit, checkin: Checkin, row: int) -> Deed:
        """A promise whose time has come."""
        promise = None
        if words := visit.promised:
            promise = promises.find(words.text, words.at, words.zone)
        drop = partial(schedule.drop, number=row)
        if words is None or promise is None:
            return _silent("what was promised is forgotten", also=drop)
        if why := opening.too_much(visit, self._manners):
            return _silent(why, also=drop)
        spoken = speech(checkin.language, __package__)
        said = promise.question or spoken.say("promised", said=promise.said)
        found = Opening(what="promise", about="", said=said, reason="it said that it would")
        return self._say(event, visit, checkin, found, source=words.turn, then=drop)

    def _say(
        self,
        event: Event,
        visit: Visit,
        checkin: Checkin,
        found: Opening,
        *,
        source: int | None = None,
        then: Change | None = None,
    ) -> Deed:
        said = found.said
        if event.addressed is not Addressed.DIRECT:
            said = f"{clean_name(event.author.name)}: {said}"
        noted = Said(what=found.what, about=found.about, at=self._clock.now())

        def also(connection: sa.Connection) -> None:
            rows.note(connection, checkin.row, event, noted, fact=found.fact, source=source)
            if then:
                then(connection)

        return Deed(
            reason=f"wrote first: {found.reason}",
            said=said,
            remembered=said,
            also=also,
        )


def _is_on(checkin: Checkin | None) -> bool:
    return checkin is not None and checkin.due is not None


def _told(
    event: Event, asked: Asked, theirs: Theirs, reason: str, said: str, also: Change | None = None
) -> Deed:
    """What is said in words is remembered, as all talk is."""
    in_words = bool(asked.language)
    return Deed(
        reason=reason,
        said=said,
        private=not in_words,
        remembered=said if in_words else "",
        incognito=theirs.incognito,
        also=also,
    )


def _silent(reason: str, also: Change | None = None) -> Deed:
    return Deed(action=Action.SILENT, reason=reason, also=also)


def _give_up(connection: sa.Connection, visit: Visit, row: int) -> None:
    """Nothing more comes of it."""
    if visit.checkin:
        rows.end(connection, visit.checkin.row)
    if visit.job != CHECKIN:
        schedule.drop(connection, row)
