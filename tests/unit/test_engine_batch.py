"""Many answers at once, on random models: each is what the model says when it is asked alone."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from hobnob.engine import kv
from hobnob.engine.batch import BatchWriter
from hobnob.engine.grammar import Grammars
from hobnob.engine.join import join
from hobnob.engine.single import SingleWriter
from hobnob.engine.torch_writer import batched, torch_writer
from hobnob.engine.writer import Request, Writer
from hobnob.errors import EngineError
from hobnob.events import Sampling
from tests import tiny_model

GREEDY = Sampling(temperature=0.0)
END = 2
VOCABULARY = 120
SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 48,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 12,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": END,
}
BATCHED: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": 16},
    "qwen3": {},
    "gemma3_text": {
        "sliding_window": 16,
        "query_pre_attn_scalar": 12,
        "layer_types": ["sliding_attention", "full_attention"],
    },
}
ALONE: dict[str, dict[str, Any]] = {
    "lfm2": {"layer_types": ["conv", "full_attention"]},
    "gemma2": {"sliding_window": 16, "query_pre_attn_scalar": 12},
}


def model_of(kind: str) -> Any:
    """A model with random weights in float32, on its own attention."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(1)
    settings = {**SMALL, **(BATCHED | ALONE)[kind]}
    config = AutoConfig.for_model(kind, **settings)
    make: Any = AutoModelForCausalLM.from_config
    return make(config, dtype=torch.float32).eval()


class World:
    """A model, a writer on it, and what plain `generate` says."""

    def __init__(self, kind: str = "llama") -> None:
        self.plain = model_of(kind)
        self.model = model_of(kind)
        join(self.model)
        self.writer = torch_writer(self.model, [END])
        self._known: dict[tuple[int, ...], list[int]] = {}

    def generate(self, prompt: tuple[int, ...], most: int) -> list[int]:
        import torch

        if len(self._known.get(prompt, ())) < most:
            with torch.inference_mode():
                ids = self.plain.generate(
                    torch.tensor([prompt]),
                    attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                    max_new_tokens=most,
                    do_sample=False,
                    eos_token_id=END,
                    pad_token_id=0,
                )
            self._known[prompt] = ids[0, len(prompt) :].tolist()
        answer = self._known[prompt][:most]
        return answer[: answer.index(END)] if END in answer else answer

    def with_budget(self, tokens: int) -> BatchWriter:
        """The writer, with room for keys and values of so many tokens."""
        layout = batched(model_of("llama"))
        assert layout is not None
        return BatchWriter(
            self.model,
            layout=layout,
            end_tokens=[END],
            grammars=Grammars(None, [END]),
            budget=tokens * layout.token_bytes,
            what="small",
        )


def asked(prompt: Sequence[int], most: int = 12, sampling: Sampling = GREEDY) -> Request:
    return Request(prompt=tuple(prompt), sampling=sampling, most=most)


def finish(writer: Writer, *requests: Request) -> list[list[int]]:
    """Add all, step until all are done; what was written."""
    for request in requests:
        writer.add(request)
    ended: set[Request] = set()
    for _ in range(2000):
        if ended.issuperset(requests):
            break
        ended |= {written.request for written in writer.step() if written.ended}
    assert ended.issuperset(requests)
    return [request.written for request in requests]


def text(rng: random.Random, length: int) -> tuple[int, ...]:
    return tuple(rng.randrange(3, VOCABULARY) for _ in range(length))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with tiny_model.one_thread():
        yield


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("kind", [*BATCHED, *ALONE])
def test_answers_are_those_of_generate_alone_and_together_and_with_reuse(kind: str) -> None:
    world = World(kind)
    assert isinstance(world.writer, BatchWriter if kind in BATCHED else SingleWriter)
    rng = random.Random(2)
    persona = text(rng, 40)
    prompts = [persona + text(rng, 3 + 7 * number) for number in range(4)]
    expected = [world.generate(prompt, 12) for prompt in prompts]
    assert finish(world.writer, *map(asked, prompts)) == expected
    again = [asked(prompt) for prompt in prompts]
    assert finish(world.writer, *again) == expected
    assert all(request.reused >= len(persona) for request in again)


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_arrivals_turns_cancellations_and_evictions(world: World, seed: int) -> None:
    """Conversations of several turns arrive at any time, some are given up, memory is short."""
    rng = random.Random(seed)
    writer = world.with_budget(rng.choice([700, 1200, 5000]))
    personas = [text(rng, rng.randrange(20, 90)) for _ in range(rng.choice([1, 1, 2]))]
    history = {number: rng.choice(personas) for number in range(10)}
    running: dict[Request, int] = {}
    done = 0
    for _ in range(400):
        for number in history:
            if number not in running.values() and rng.random() < 0.15:
                history[number] += text(rng, rng.randrange(1, 30))
                if len(history[number]) > 250:  # the window moves on
                    history[number] = personas[0] + history[number][-60:]
                request = asked(history[number], rng.randrange(1, 25))
                writer.add(request)
                running[request] = number
        for written in writer.step():
            if written.ended:
                number = running.pop(written.request)
                request = written.request
                assert request.written == world.generate(request.prompt, request.most)
                history[number] += (*request.written, END)
                done += 1
        for request in [request for request in running if rng.random() < 0.02]:
            writer.drop(request)
            del running[request]
    assert done > 50


def test_an_answer_under_way_goes_on_where_it_was(world: World) -> None:
    prompt = text(random.Random(5), 50)
    expected = world.generate(prompt, 20)
    request = asked(prompt, 20)
    request.written += expected[:7]
    assert finish(world.with_budget(5000), request) == [expected]


def test_a_persona_is_computed_once_though_all_come_at_once(world: World) -> None:
    rng = random.Random(6)
    persona = text(rng, 200)
    requests = [asked(persona + text(rng, 10)) for _ in range(16)]
    finish(world.with_budget(20_000), *requests)
    assert [request.reused for request in requests] == [0] + [200] * 15


def test_a_conversation_that_comes_back_computes_only_what_is_new(world: World) -> None:
    writer = world.with_budget(5000)
    first = asked(text(random.Random(7), 100))
    finish(writer, first)
    second = asked((*first.tokens, END, 5, 6, 7))
    finish(writer, second)
    assert second.reused == len(first.tokens) - 1  # the last token was written, never read


def test_the_least_recently_used_leaves_first(world: World) -> None:
    rng = random.Random(8)
    writer = world.with_budget(700)
    prompts = [text(rng, 150) for _ in range(4)]
    for prompt in (*prompts[:3], prompts[0], prompts[3]):
        finish(writer, asked(prompt, 4))
    kept = [asked(prompt, 4) for prompt in (prompts[0], prompts[1])]
    for request in kept:
        finish(writer, request)
    assert [request.reused for request in kept] == [149, 0]


def test_memory_stays_within_its_budget(world: World) -> None:
    rng = random.Random(9)
    writer = world.with_budget(2000)
    for _ in range(60):
        finish(writer, *(asked(text(rng, rng.randrange(20, 200))) for _ in range(3)))
        assert writer._cache.bytes + writer._running_bytes() <= writer._cache.budget


def test_what_can_never_fit_is_refused_and_the_others_go_on(world: World) -> None:
    writer = world.with_budget(300)
    with pytest.raises(EngineError, match="MB are allowed"):
        writer.add(asked(text(random.Random(1), 290), 20))
    prompt = text(random.Random(1), 200)
    assert finish(writer, asked(prompt)) == [world.generate(prompt, 12)]


def test_dropping_frees_the_place_at_once_in_every_state(world: World) -> None:
    rng = random.Random(3)
    writer = world.with_budget(50_000)
    requests = [asked(text(rng, 400), 50) for _ in range(80)]  # more than rows
    for request in requests:
        writer.add(request)
    for _ in range(3):
        writer.step()
    for request in requests:
        writer.drop(request)
    assert writer._running_bytes() == 0
    assert list(writer.step()) == []
    prompt = text(rng, 30)
    assert finish(writer, asked(prompt)) == [world.generate(prompt, 12)]


def test_a_repetition_penalty_is_that_of_generate(world: World) -> None:
    import torch

    prompt = text(random.Random(4), 30)
    with torch.inference_mode():
        ids = world.plain.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, 30, dtype=torch.long),
            max_new_tokens=20,
            do_sample=False,
            repetition_penalty=1.5,
            eos_token_id=END,
            pad_token_id=0,
        )[0, 30:].tolist()
    request = asked(prompt, 20, Sampling(temperature=0.0, repetition_penalty=1.5))
    other = asked(text(random.Random(5), 20), 20)
    [penalised, plain] = finish(world.with_budget(5000), request, other)
    assert penalised == [token for token in ids if token != END]
    assert plain == world.generate(other.prompt, 20)


@pytest.mark.parametrize("top_p", [0.3, 1.0])
def test_sampling_draws_from_what_generate_draws_from(top_p: float) -> None:
    import torch
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    from hobnob.engine.pick import pick

    torch.manual_seed(3)
    logits = torch.randn(1, 400) * 3
    ids: Any = torch.tensor([[0]])
    scores = TopPLogitsWarper(top_p)(ids, TemperatureLogitsWarper(0.7)(ids, logits))
    chances = torch.softmax(scores, dim=-1)[0]
    request = asked([1], 5, Sampling(temperature=0.7, top_p=top_p))
    counts = torch.zeros(400)
    for _ in range(20):
        for token in pick(logits.expand(200, -1), [request] * 200):
            counts[token] += 1
    assert bool((counts[chances == 0] == 0).all())
    assert float((counts / 4000 - chances).abs().sum()) < 0.25


def test_a_base_of_a_base_holds_all_of_both(world: World) -> None:
    """Two levels of what is shared: the persona, and then a story that some have in common."""
    rng = random.Random(11)
    persona, story = text(rng, 60), text(rng, 60)
    prompts = [persona + text(rng, 5), persona + text(rng, 5)]
    prompts += [persona + story + text(rng, 5) for _ in range(3)]
    expected = [world.generate(prompt, 12) for prompt in prompts]
    writer = world.with_budget(20_000)
    requests = [asked(prompt) for prompt in prompts]
    assert finish(writer, *requests) == expected
    assert [request.reused for request in requests] == [0, 60, 60, 120, 120]
    assert kv.LEAST_SHARED < 60


def test_off_the_processor_attention_is_computed_by_hand_with_the_same_result() -> None:
    import torch

    from hobnob.engine.attention import LOWEST, _softmax

    torch.manual_seed(4)
    q, k, v = torch.randn(3, 2, 5, 8), torch.randn(3, 2, 9, 8), torch.randn(3, 2, 9, 8)
    mask = torch.where(torch.rand(3, 1, 5, 9) < 0.7, 0.0, LOWEST)
    mask[0] = LOWEST  # sees nothing at all
    kernel, its_weight = _softmax(q, k, v, mask, 0.3)
    by_hand, my_weight = _softmax(q, k, torch.cat([v, v], dim=-1), mask, 0.3)
    torch.testing.assert_close(by_hand[1:, ..., :8], kernel[1:])
    torch.testing.assert_close(my_weight, its_weight)
    assert bool(torch.isfinite(by_hand).all())
