"""How the model comes to write one answer: what is remembered goes in, the text comes out."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from hobnob import calling, links, prompt, sight
from hobnob.calling import Answer, Calling
from hobnob.conversation import ConversationKey
from hobnob.errors import EngineError
from hobnob.events import ChatMessage, Event, Kind, Memory
from hobnob.growing import Growing
from hobnob.jobs import Jobs
from hobnob.notes import Budget
from hobnob.persona import Persona
from hobnob.ports import Adapter, Clock, Engine, MemoryPort, Outbox


class Writing:
    """Writes answers, each of which can be interrupted."""

    def __init__(
        self,
        *,
        persona: Persona,
        engine: Engine,
        memory: MemoryPort,
        outbox: Outbox,
        adapters: Mapping[str, Adapter],
        clock: Clock,
        places: Mapping[str, asyncio.Semaphore],
        jobs: Jobs,
        fetch_page: links.Fetch | None = None,
    ) -> None:
        """`fetch_page` where the pages that messages link to are read."""
        self._persona = persona
        self._engine = engine
        self._memory = memory
        self._outbox = outbox
        self._adapters = adapters
        self._clock = clock
        self._places = places
        self._jobs = jobs
        self._fetch_page = fetch_page
        self._at_work: dict[ConversationKey, tuple[frozenset[str], asyncio.Task[Answer]]] = {}

    def __len__(self) -> int:
        """Answers that are being written."""
        return len(self._at_work)

    async def answer(self, events: Sequence[Event], memory: Memory) -> Answer | None:
        """The model's answer; None if it was stopped. Raises EngineError and EngineUnavailable."""
        key = events[-1].key
        task = asyncio.create_task(self._write(events, memory))
        self._at_work[key] = (frozenset(event.message for event in events), task)
        try:
            return await task
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            return None
        finally:
            del self._at_work[key]

    def interrupt(self, event: Event) -> None:
        """Stop writing what answers the message that `event` changes."""
        messages, task = self._at_work.get(event.key, (frozenset(), None))
        if task and event.kind in (Kind.EDIT, Kind.DELETE) and event.message in messages:
            task.cancel()

    def stop(self, key: ConversationKey) -> None:
        """Stop writing here."""
        _, task = self._at_work.get(key, (frozenset(), None))
        if task:
            task.cancel()

    async def _write(self, events: Sequence[Event], memory: Memory) -> Answer:
        sampling = self._persona.sampling
        last, written = events[-1], ""
        adapter = self._adapters[last.key.platform]
        async with adapter.composing(last) as draft:
            model, budget = await self._with_tools(events)
            memory = await self._with_what_came(events, memory)
            messages = await self._prompt(events, memory, budget)
            async with (
                Growing(
                    last,
                    outbox=self._outbox,
                    adapter=adapter,
                    clock=self._clock,
                    places=self._places[last.key.platform],
                    permit=self._jobs.permit,
                ) as growing,
                aclosing(model.stream(messages, sampling)) as pieces,
            ):
                async for piece in pieces:
                    written += piece
                    if not self._jobs.guards:
                        draft(written)
                        growing.show(written)
        if not written.strip() and not model.asks:
            raise EngineError("the model wrote nothing")
        return Answer(text=written.strip(), asks=tuple(model.asks))

    async def _with_tools(self, events: Sequence[Event]) -> tuple[Calling, Budget]:
        """The model with its tools, and what a prompt may have besides them."""
        engine = self._engine
        room = engine.context_tokens - self._persona.sampling.max_new_tokens
        tools = await self._jobs.tools(events) if engine.calls_tools else ()
        model = Calling(engine, self._jobs, events, calling.offer(engine, tools, room))
        tokens = min(model.left(room), engine.prompt_tokens)
        return model, Budget(tokens=tokens, count=engine.count_tokens)

    async def _with_what_came(self, events: Sequence[Event], memory: Memory) -> Memory:
        """`memory` with the pictures of the messages, for a model that sees, and the pages that
        they link to."""
        if self._engine.sees:
            adapter = self._adapters[events[-1].key.platform]
            memory = replace(memory, images=await sight.look(events, adapter))
        if self._fetch_page:
            memory = replace(memory, pages=await links.read(events, self._fetch_page))
        return memory

    async def _prompt(
        self, events: Sequence[Event], memory: Memory, budget: Budget
    ) -> tuple[ChatMessage, ...]:
        memory = replace(memory, brief=await self._jobs.brief(events, budget.of_brief))
        memory = prompt.fit(self._persona, memory, events, budget)
        if not memory.complete:
            recalled = await self._memory.recall(events, memory.turns)
            memory = replace(memory, recalled=recalled)
        return prompt.build(self._persona, memory, events, budget)
