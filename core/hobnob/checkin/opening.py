"""What to say first on a visit, if anything, and why. Pure: values in, a value out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hobnob.assistant.speech import Speech
from hobnob.checkin import birthday, plans
from hobnob.checkin.manners import Manners
from hobnob.store.checkins import Known, Said, Visit

APART = timedelta(hours=12)
"""Between two visits, so that another hour or time zone brings no second one on a day."""
LATE = timedelta(hours=1)
"""A question for the day is not asked later than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    what: str
    about: str
    said: str
    reason: str
    fact: int | None = None


def on_visit(
    visit: Visit,
    plan: Known | None,
    spoken: Speech,
    manners: Manners,
    *,
    due: datetime,
    now: datetime,
    zone: ZoneInfo,
) -> Opening | str:
    """What to say now; or why nothing. `plan` is the one to ask about, if there is one."""
    if why := too_much(visit, manners):
        return why
    if any(each.what != "promise" and now - each.at < APART for each in visit.said):
        return "they were written to already"
    today = now.astimezone(zone).date()
    year = str(today.year)
    born = visit.birthday
    if (
        born
        and birthday.is_on(born.value, today)
        and born.at.astimezone(zone).date() < today  # else they speak of it just now
        and not was_said(visit.said, "birthday", year)
    ):
        said = spoken.say("birthday")
        return Opening(
            what="birthday", about=year, said=said, reason="it is their birthday", fact=born.row
        )
    if plan:
        said = spoken.say("plan", plan=plans.in_the_past(plan.text, today))
        return Opening(
            what="plan", about=str(plan.row), said=said, reason="a plan of theirs is over",
            fact=plan.row,
        )  # fmt: skip
    if visit.checkin is None or not visit.checkin.daily:
        return "there is nothing to say today"
    if now - due > LATE:
        return "it is too late for the question of the day"
    question = next_question(manners.questions or spoken.all("questions"), visit.said)
    return Opening(
        what="question", about=question, said=question, reason="a question a day was asked for"
    )


def too_much(visit: Visit, manners: Manners) -> str:
    """Why they are not to be written to at all; "": they may be."""
    if visit.unanswered >= manners.unanswered:
        return f"the last {visit.unanswered} were not answered; it waits until they write"
    return ""


def next_question(questions: Sequence[str], said: Sequence[Said]) -> str:
    """The first that was never asked, or else the one that was asked longest ago: so none comes
    again until all were asked."""
    asked = {each.about: each.at for each in said if each.what == "question"}
    return next((each for each in questions if each not in asked), None) or min(
        questions, key=lambda question: asked[question]
    )


def was_said(said: Sequence[Said], what: str, about: str) -> bool:
    return any((each.what, each.about) == (what, about) for each in said)
