"""SIGTERM while answers are being written: it ends soon, and answers after the next start."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from hobnob.testing.telegram import ANN, GROUP
from tests import openai_server
from tests.acceptance.town import Town, town


async def _without_end(
    server: openai_server.FakeServer, request: web.Request
) -> web.StreamResponse:
    response = await openai_server.opened(request)
    while True:
        await openai_server.send(response, openai_server.event(content="and "))
        await asyncio.sleep(0.05)


async def _until(condition: Callable[[], object], here: Town) -> None:
    async with asyncio.timeout(60):
        while not condition():
            assert here.process is not None
            assert here.process.returncode is None, here.last_words()
            await asyncio.sleep(0.05)


def _growing(here: Town) -> bool:
    """An answer in the group was changed already, and a draft is shown in private."""
    changed = any(sent.chat == GROUP and sent.edits for sent in here.telegram.replies)
    return changed and ANN in here.telegram.drafting


async def test_it_ends_in_the_middle_of_growing_answers_and_answers_each_later_once(
    tmp_path: Path,
) -> None:
    async with openai_server.serving(_without_end) as server:
        model = f'engine = "openai"\nbase_url = "{server.url}"\nname = "tiny"'
        async with town(tmp_path, model=model) as here:
            await here.start()
            await here.connected()
            for room in here.rooms:
                room.say()
            await _until(lambda: len(server.requests) == len(here.rooms) and _growing(here), here)
            took = await here.stop()
            assert here.process is not None
            assert here.process.returncode == 0, here.last_words()
            assert took < 10
            server.answer = openai_server.echo
            await here.start()
            assert await here.all_answered(), here.last_words()
            assert [room.answers for room in here.rooms] == [[0]] * len(here.rooms)
            grown = [sent.text for sent in here.telegram.replies if sent.chat == GROUP]
            assert "this is m0" in grown[0], "the answer takes the place of its beginning"
            print(f"ended after {took:.1f} s")
