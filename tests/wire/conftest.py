"""What tests over a wire have in common."""

from collections.abc import AsyncIterator

import pytest

from tests.wire.fake_mastodon import FakeMastodon
from tests.wire.receiver import RecordingReceiver


@pytest.fixture
async def server() -> AsyncIterator[FakeMastodon]:
    """Whatever happens: nothing that a server of Mastodon's would mind."""
    async with FakeMastodon() as opened:
        yield opened
    assert opened.ledger.complaints == []


@pytest.fixture
def receiver() -> RecordingReceiver:
    return RecordingReceiver()
