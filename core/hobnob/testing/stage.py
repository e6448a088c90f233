"""A bot on a stage: put together as everywhere, with all of its jobs, but on a platform in memory,
a clock that is moved by hand, and a scripted model, unless another is given."""

import tempfile
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self

from hobnob import app, employ
from hobnob.conversation import ConversationKey
from hobnob.events import ChatMessage, Event, Sampling, Tool, ToolCall
from hobnob.ports import Engine
from hobnob.recurrence import next_due
from hobnob.settings import Bot, Settings
from hobnob.store import migrate
from hobnob.store.database import Database
from hobnob.store.schedule import SqlSchedule
from hobnob.testing.adapter import FakeAdapter, key
from hobnob.testing.clock import FakeClock
from hobnob.testing.engine import ScriptedEngine
from hobnob.validate import check

DESK = key("desk")
NOTHING: Mapping[str, Any] = {}


class Stage:
    """Enter it, let the bot `hear` events or time pass until `later`, and look at what it says."""

    def __init__(
        self,
        bot: Bot,
        engine: Engine | None = None,
        *,
        window: int = 100_000,
        settings: Mapping[str, Any] = NOTHING,
    ) -> None:
        """`window` is how many characters a prompt may have on the scripted model. The staff of
        its support desk, if it has one, is told in `DESK`. `settings` are tables that stand in
        place of those in its bot.toml. Raises ConfigError."""
        self.platform = FakeAdapter()
        self.clock = FakeClock()
        self.answer = "ok"
        """What the scripted model writes."""
        self._bot = _with_desk(_with(bot, settings))
        self._keys: set[ConversationKey] = {DESK}
        room = window + bot.persona.sampling.max_new_tokens
        self._shown = _Recorder(engine or ScriptedEngine(self._script(), context_tokens=room))
        self._stack = AsyncExitStack()

    @property
    def prompt(self) -> str:
        """What the model was shown for what was heard last; "" if it was not asked."""
        return self._shown.prompt

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def hear(self, event: Event) -> str | None:
        """What the bot says because of `event`, to whomever; None if it stays silent."""
        self._shown.prompt = ""
        await self._chat.receive(event, None)
        return await self._said(event.key)

    async def later(self, days: float) -> str:
        """Let time pass, in which the bot learns, and what is due comes; what it says by itself."""
        self.clock.advance(days * 86_400)
        while await self._memory.learner.some():
            pass
        said = []
        for found in await self._schedule.ring([self.platform.name]):
            self._chat.wake(found)
            said.append(await self._said(found) or "")
        for job in self._jobs:
            for found in await job.work():
                self._chat.wake(found)
                said.append(await self._said(found) or "")
        return "\n".join(said)

    async def _set_up(self, stack: AsyncExitStack) -> None:
        bot = self._bot
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        self.database = database = await stack.enter_async_context(
            Database(f"sqlite:///{folder}/stage.db")
        )
        embedder = await stack.enter_async_context(app.open_embedder(bot))
        await migrate.upgrade(database)
        self._memory = app.open_memory(bot, database, self.clock, embedder)
        self._schedule = SqlSchedule(database, self.clock, next_due)
        place = employ.Workplace(
            bot=bot,
            database=database,
            clock=self.clock,
            engine=self._shown,
            memory=self._memory,
            embedder=embedder,
            adapters={self.platform.name: self.platform},
        )
        self._jobs = await employ.jobs(place, stack)
        self._chat = app.build(
            bot,
            place.adapters,
            rules=replace(bot.rules, burst_seconds=0),
            engine=place.engine,
            memory=self._memory,
            database=database,
            clock=self.clock,
            jobs=self._jobs,
        )
        stack.push_async_callback(self._chat.close, 1)

    async def _said(self, key: ConversationKey) -> str | None:
        """What was said since this was asked last, once the conversation is idle; None: nothing."""
        self._keys.add(key)
        for _ in range(2):  # what is said in one may be for another
            for each in self._keys:
                await self._chat.settled(each)
        texts = self.platform.texts
        self.platform.sent.clear()
        return "\n".join(texts) if texts else None

    def _script(self) -> Iterator[str]:
        while True:
            yield self.answer


def _with(bot: Bot, settings: Mapping[str, Any]) -> Bot:
    if not settings:
        return bot
    own = {"bot": {"name": bot.settings.bot.name}}
    given = check(Settings, {**own, **settings}, file="settings of the dialog")
    update = {name: getattr(given, name) for name in settings}
    return replace(bot, settings=bot.settings.model_copy(update=update))


def _with_desk(bot: Bot) -> Bot:
    support = bot.settings.support.model_copy(update={"where": str(DESK)})
    return replace(bot, settings=bot.settings.model_copy(update={"support": support}))


class _Recorder:
    """An engine that keeps what the engine inside was last shown."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.prompt = ""

    @property
    def what(self) -> str:
        return self._engine.what

    @property
    def busy(self) -> str:
        return self._engine.busy

    @property
    def sees(self) -> bool:
        return self._engine.sees

    @property
    def calls_tools(self) -> bool:
        return self._engine.calls_tools

    @property
    def context_tokens(self) -> int:
        return self._engine.context_tokens

    @property
    def prompt_tokens(self) -> int:
        return self._engine.prompt_tokens

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None: ...

    def count_tokens(self, messages: Sequence[ChatMessage]) -> int:
        return self._engine.count_tokens(messages)

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        self._keep(messages)
        async for piece in self._engine.stream(messages, sampling):
            yield piece

    async def stream_with_tools(
        self, messages: Sequence[ChatMessage], sampling: Sampling, tools: Sequence[Tool]
    ) -> AsyncGenerator[str | ToolCall, None]:
        self._keep(messages)
        async for piece in self._engine.stream_with_tools(messages, sampling, tools):
            yield piece

    def _keep(self, messages: Sequence[ChatMessage]) -> None:
        self.prompt = "\n".join(message.content for message in messages)
