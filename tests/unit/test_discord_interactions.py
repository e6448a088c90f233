"""What commands Discord is offered, and what an answer to one is recognised by."""

import json
from datetime import UTC, datetime, timedelta

import discord
import pytest

from hobnob.commands import COMMANDS
from hobnob.events import Button
from hobnob.ports import Command
from hobnob_discord.interactions import Ticket, fingerprint, offered, view

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
TICKET = Ticket(
    id=discord.utils.time_snowflake(NOW), user=1000, under=0, shown="one", token="aW50:x:y-_Z"
)


def test_a_ticket_is_the_id_of_a_message_and_read_back_from_it() -> None:
    assert Ticket.read(str(TICKET)) == TICKET


@pytest.mark.parametrize("message", ["", "123", "interaction", "interaction:1:2", "abc:1:2:3:4:5"])
def test_what_is_no_ticket_is_not_read_as_one(message: str) -> None:
    assert Ticket.read(message) is None


def test_a_ticket_holds_for_a_quarter_of_an_hour() -> None:
    assert TICKET.holds(NOW + timedelta(minutes=14))
    assert not TICKET.holds(NOW + timedelta(minutes=15))


def test_every_command_is_offered_as_discord_wants_it() -> None:
    payload = offered(COMMANDS)
    assert [each["name"] for each in payload] == [command.name for command in COMMANDS]
    for each in payload:
        assert 1 <= len(each["description"]) <= 100
        for option in each["options"]:
            assert 1 <= len(option["description"]) <= 100
            assert option["required"] is False
    forget = next(each for each in payload if each["name"] == "forget")
    assert forget["options"][0]["autocomplete"] is True
    assert next(each for each in payload if each["name"] == "help")["options"] == []
    json.dumps(payload)


def test_commands_are_offered_again_only_if_they_changed() -> None:
    one = offered([Command(name="one", description="The first")])
    again = offered([Command(name="one", description="The first")])
    other = offered([Command(name="one", description="The other")])
    assert fingerprint(12, one) == fingerprint(12, again)
    assert len({fingerprint(12, one), fingerprint(12, other), fingerprint(13, one)}) == 3


async def test_buttons_are_as_many_as_discord_takes_and_none_is_like_another() -> None:
    made = view([Button(label="Do it", command="/do 1")] * 30)
    keys = [item.to_component_dict()["custom_id"] for item in made.children]
    assert len(keys) == 25
    assert len(set(keys)) == 25
    assert keys[0] == "hobnob0:/do 1"
