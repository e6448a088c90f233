"""What tests over a wire have in common."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hobnob.store.database import Database
from hobnob.testing.discord import FakeDiscord
from hobnob.testing.mastodon import FakeMastodon
from hobnob.testing.receiver import RecordingReceiver
from tests.wire.discord_life import Life


@pytest.fixture
async def server() -> AsyncIterator[FakeMastodon]:
    """Whatever happens: nothing that a server of Mastodon's would mind."""
    async with FakeMastodon() as opened:
        yield opened
    assert opened.ledger.complaints == []


@pytest.fixture
def receiver() -> RecordingReceiver:
    return RecordingReceiver()


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    """Whatever happens: nothing that Discord would mind."""
    async with FakeDiscord() as opened:
        yield opened
        assert opened.complaints == []


@pytest.fixture
def life(discord: FakeDiscord, sqlite: Database, tmp_path: Path) -> Life:
    return Life(discord, sqlite, tmp_path)
