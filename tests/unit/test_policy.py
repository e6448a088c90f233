"""Shall we answer, and why."""

from typing import Any

import pytest

from hobnob.events import Addressed, Attachment, Author, Kind
from hobnob.policy import Action, Rules, decide
from hobnob.ports import Usage
from hobnob.testing.adapter import FakeAdapter

people = FakeAdapter()
ROBIN = Rules(names=("Robin",), per_user_per_minute=3, per_chat_per_minute=5)


@pytest.mark.parametrize(
    ("fields", "action", "reason"),
    [
        ({}, Action.ANSWER, "a direct message"),
        ({"addressed": Addressed.MENTION}, Action.ANSWER, "it mentions me"),
        ({"addressed": Addressed.REPLY}, Action.ANSWER, "it replies to me"),
        ({"addressed": Addressed.NONE}, Action.SILENT, "it is not addressed to me"),
        ({"text": "what say you, ROBIN?", "addressed": Addressed.NONE}, Action.ANSWER, "Robin"),
        ({"text": "robins sing", "addressed": Addressed.NONE}, Action.SILENT, "not addressed"),
        ({"text": "  \n "}, Action.SILENT, "empty"),
        ({"author": Author(id="bot", name="Robin")}, Action.SILENT, "I said it myself"),
        ({"author": Author(id="9", name="X", is_bot=True)}, Action.SILENT, "the author is a bot"),
        ({"kind": Kind.JOIN}, Action.SILENT, "join"),
        ({"kind": Kind.REACTION}, Action.SILENT, "reaction"),
        ({"kind": Kind.COMMAND, "text": "/start"}, Action.GREET, "/start"),
        ({"kind": Kind.COMMAND, "text": "/START now"}, Action.GREET, "/start"),
        ({"kind": Kind.COMMAND, "text": "/start@robin_bot"}, Action.GREET, "/start"),
        ({"kind": Kind.COMMAND, "text": "/memory why 2"}, Action.MEMORY, "/memory"),
        ({"text": " /Forget everything"}, Action.MEMORY, "/forget"),
        ({"text": "@Robin /memory", "addressed": Addressed.MENTION}, Action.MEMORY, "/memory"),
        ({"text": "@Robin"}, Action.ANSWER, "a direct message"),
        ({"text": "/incognito", "addressed": Addressed.NONE}, Action.SILENT, "not addressed"),
        ({"text": "/etc/passwd is a file"}, Action.ANSWER, "a direct message"),
        ({"kind": Kind.COMMAND, "text": "/frobnicate"}, Action.TELL, "no command /frobnicate"),
        ({"kind": Kind.COMMAND, "text": "/"}, Action.TELL, "no command"),
        (
            {"kind": Kind.COMMAND, "text": "/other", "addressed": Addressed.MENTION},
            Action.SILENT,
            "no such command",
        ),
        ({"text": "/help"}, Action.GREET, "/help"),
        ({"text": "/privacy please"}, Action.TELL, "/privacy"),
        ({"text": "/language german"}, Action.MEMORY, "/language"),
        ({"kind": Kind.COMMAND, "text": "/reset"}, Action.MEMORY, "/reset"),
        ({"text": "Robin, are you a bot?"}, Action.TELL, "whether I am an AI"),
        (
            {"text": "@robin are you real??", "addressed": Addressed.MENTION},
            Action.TELL,
            "whether I am an AI",
        ),
    ],
)
def test_each_decision_has_its_reason(fields: dict[str, Any], action: Action, reason: str) -> None:
    decision = decide([people.event(**({"text": "hello"} | fields))], ROBIN, Usage())
    assert (decision.action, reason in decision.reason) == (action, True), decision


def test_a_picture_without_words_is_not_empty() -> None:
    event = people.event("", attachments=(Attachment(media_type="image/png"),))
    assert decide([event], ROBIN, Usage()).action is Action.ANSWER


def test_one_addressed_message_makes_the_whole_burst_ours() -> None:
    burst = [
        people.event("hey", addressed=Addressed.MENTION),
        people.event("are you there", addressed=Addressed.NONE),
    ]
    assert decide(burst, ROBIN, Usage()).action is Action.ANSWER


def test_bots_are_answered_where_the_owner_wants_it() -> None:
    event = people.event("hi", author=Author(id="9", name="X", is_bot=True))
    assert decide([event], Rules(answer_bots=True), Usage()).action is Action.ANSWER


@pytest.mark.parametrize(
    ("usage", "action"),
    [
        (Usage(by_user=2, by_chat=4), Action.ANSWER),
        (Usage(by_user=3), Action.NOTICE),
        (Usage(by_chat=5), Action.NOTICE),
        (Usage(by_user=3, noticed=True), Action.SILENT),
    ],
)
def test_limits_are_announced_once(usage: Usage, action: Action) -> None:
    assert decide([people.event("hello")], ROBIN, usage).action is action


def test_zero_means_no_limit() -> None:
    rules = Rules(per_user_per_minute=0, per_chat_per_minute=0)
    usage = Usage(by_user=999, by_chat=999)
    assert decide([people.event("hello")], rules, usage).action is Action.ANSWER


def test_what_is_not_for_us_gets_no_notice_either() -> None:
    event = people.event("hello", addressed=Addressed.NONE)
    assert decide([event], ROBIN, Usage(by_user=99)).action is Action.SILENT
