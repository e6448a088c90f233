"""The account, its token, its server, and its owner."""

import asyncio

import pytest
from pydantic import SecretStr, ValidationError

from hobnob.errors import AdapterStopped
from hobnob.testing.live import until
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.receiver import RecordingReceiver
from hobnob_mastodon.adapter import MastodonOptions
from tests.wire.mastodon_kit import SECONDS, an_adapter, running


async def test_limits_come_from_the_server(receiver: RecordingReceiver) -> None:
    async with FakeMastodon(max_characters=5000) as server:
        assert an_adapter(server).limits.max_length == 500
        async with running(server, receiver) as adapter:
            assert adapter.limits.max_length == 5000
            assert adapter.limits.length("https://example.com/" + "x" * 90) == 23


async def test_a_wrong_token_stops_the_adapter_and_is_not_told(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    with pytest.raises(AdapterStopped, match="does not accept the access token") as stopped:
        async with asyncio.timeout(SECONDS):
            await an_adapter(server, "wrong-token").run(receiver)

    assert "access_token" in str(stopped.value)
    assert "wrong-token" not in str(stopped.value)


async def test_a_token_that_is_revoked_stops_the_adapter(
    server: FakeMastodon, receiver: RecordingReceiver
) -> None:
    task = asyncio.create_task(an_adapter(server).run(receiver))
    await until(lambda: bool(server.streams))

    server.access_token = "another"
    server.cut_streams()
    server.say("ann", "hello?")

    with pytest.raises(AdapterStopped):
        async with asyncio.timeout(SECONDS):
            await task


async def test_check_is_content_with_an_account_in_order(server: FakeMastodon) -> None:
    found = await an_adapter(server).check()

    assert [finding.ok for finding in found] == [True] * 4
    assert "@bot" in found[0].what
    assert "500 characters" in found[1].what


async def test_check_tells_what_to_switch_on() -> None:
    async with FakeMastodon(bot_flag=False) as server:
        server.private_mentions = "filter"
        found = await an_adapter(server).check()

    wrong = [finding for finding in found if not finding.ok]
    assert ["automated account" in wrong[0].fix, "Accept" in wrong[1].fix] == [True, True]
    assert len(wrong) == 2


async def test_check_tells_what_the_token_may_not(server: FakeMastodon) -> None:
    server.scopes = ["read"]
    found = await an_adapter(server).check()

    (wrong,) = [finding for finding in found if not finding.ok]
    assert wrong.what == "the access token lacks the scope write"


async def test_check_tells_a_wrong_token(server: FakeMastodon) -> None:
    *_, last = await an_adapter(server, "wrong-token").check()

    assert not last.ok
    assert "does not accept the access token (it answers 401" in last.what
    assert "Preferences, Development" in last.fix
    assert "wrong-token" not in last.what + last.fix


async def test_check_tells_a_server_that_is_not_there(server: FakeMastodon) -> None:
    await server.close()

    (finding,) = await an_adapter(server).check()

    assert not finding.ok
    assert "can't be reached" in finding.what
    assert "base_url" in finding.fix


def test_options_are_checked_and_hide_the_token() -> None:
    options = MastodonOptions(base_url="here.example/", access_token=SecretStr("s3cret"))

    assert options.base_url == "https://here.example"
    assert "s3cret" not in repr(options)
    for wrong in ("ftp://here.example", "https://", "https://here.example/@robin", ""):
        with pytest.raises(ValidationError, match="address of a server"):
            MastodonOptions(base_url=wrong, access_token=SecretStr("s3cret"))
    with pytest.raises(ValidationError, match="access token"):
        MastodonOptions(base_url="here.example", access_token=SecretStr("two\nlines"))
    with pytest.raises(ValidationError) as error:
        MastodonOptions.model_validate({"base_url": "here.example", "access_token": "s3 cret"})
    assert "s3" not in str(error.value)
