"""What a grammar allows, token by token, and the starter under one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hobnob.engine.grammar import Grammars
from hobnob.engine.single import SingleWriter
from hobnob.engine.writer import Request
from hobnob.errors import EngineError
from hobnob.events import Sampling
from tests import tiny_model

YES = Sampling(temperature=0.0, schema=json.dumps({"enum": ["yes", "no"]}))


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder = tiny_model.make(tmp_path_factory.mktemp("tiny"))
    loader: Any = AutoTokenizer
    return loader.from_pretrained(folder)


def asked(sampling: Sampling = YES, written: tuple[int, ...] = ()) -> Request:
    return Request(prompt=(5, 6), sampling=sampling, most=40, written=list(written))


def allowed(tokenizer: Any, written: str, vocabulary: int) -> set[str]:
    tokens = tokenizer(written)["input_ids"] if written else []
    request = asked(written=tuple(tokens))
    Grammars(tokenizer, [tokenizer.eos_token_id]).prepare(request)
    assert request.grammar is not None
    mask = request.grammar.allowed(request.written, vocabulary)
    assert len(mask) == vocabulary
    return {str(tokenizer.decode([int(each)])) for each in np.flatnonzero(mask)}


def test_only_what_leads_to_an_answer_of_that_shape_may_come(tokenizer: Any) -> None:
    for vocabulary in (len(tokenizer), len(tokenizer) + 60):  # embeddings may be padded
        assert allowed(tokenizer, "", vocabulary) == {'"'}
        assert {each[0] for each in allowed(tokenizer, '"', vocabulary)} == {"y", "n"}
        assert allowed(tokenizer, '"yes"', vocabulary) == {"<|im_end|>"}


def test_what_was_written_before_a_new_start_is_followed(tokenizer: Any) -> None:
    grammars = Grammars(tokenizer, [tokenizer.eos_token_id])
    request = asked()
    grammars.prepare(request)
    step_by_step = []
    for token in tokenizer('"no"')["input_ids"]:
        assert request.grammar is not None
        step_by_step.append(request.grammar.allowed(request.written, 400))
        request.written.append(token)
    again = asked(written=tuple(request.written[:-1]))
    grammars.prepare(again)
    assert again.grammar is not None
    assert (again.grammar.allowed(again.written, 400) == step_by_step[-1]).all()


def test_an_answer_that_left_its_schema_is_an_error(tokenizer: Any) -> None:
    with pytest.raises(EngineError, match="left its schema"):
        allowed(tokenizer, "maybe", 400)


def test_without_a_tokenizer_no_schema_is_followed() -> None:
    grammars = Grammars(None, [2])
    plain = asked(Sampling())
    grammars.prepare(plain)
    assert plain.grammar is None
    with pytest.raises(EngineError, match="can't follow a schema"):
        grammars.prepare(asked())


def test_one_answer_at_a_time_follows_schemas_too(tmp_path: Path, tokenizer: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    loader: Any = AutoModelForCausalLM
    ends = [tokenizer.eos_token_id]
    writer = SingleWriter(
        loader.from_pretrained(tiny_model.make(tmp_path)),
        device=torch.device("cpu"),
        end_tokens=ends,
        grammars=Grammars(tokenizer, ends),
        what="",
    )
    for sampling in (YES, Sampling(temperature=2.0, repetition_penalty=1.5, schema=YES.schema)):
        request = asked(sampling)
        writer.add(request)
        while not any(each.ended for each in writer.step()):
            pass
        assert tokenizer.decode(request.written) in ('"yes"', '"no"')
