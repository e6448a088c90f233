"""A model of two layers that knows nothing, made in a second: real enough for an engine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOLS = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}"
    "<|im_end|>\n{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}{% for call in message.tool_calls or [] %}\n<tool_call>\n"
    '{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}\n'
    "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""A template that shows tools, and calls in the way of Hermes."""
CONTEXT = 512
TEXT = "Once upon a time a fox met a goose at the river. Hello, you said to me, how are you? "


def make(
    folder: Path, *, template: str | None = TEMPLATE, says: str = "", vocabulary: int = 0
) -> Path:
    """Write a Llama with random weights, and a byte-level tokenizer, into `folder`.

    With `says`, the model writes this text over and over; no token may come twice in it.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        [TEXT] * 4,
        trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    extra: dict[str, Any] = {"chat_template": template} if template else {}
    tokenizer_class: Any = PreTrainedTokenizerFast
    tokenizer = tokenizer_class(
        tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>", **extra
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary or len(tokenizer),
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.2,
        )
    )
    if says:
        _teach(model, tokenizer(says)["input_ids"])
    model.save_pretrained(folder)
    return folder


@contextmanager
def one_thread() -> Iterator[None]:
    """One is enough here, and several wait for each other when other programs are busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def edit_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _teach(model: Any, tokens: list[int]) -> None:
    """Set weights with which each of `tokens`, all different, is followed by the next."""
    import torch

    assert len(set(tokens)) == len(tokens) < model.config.hidden_size
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.zero_()
        model.model.embed_tokens.weight[:, -1] = 1.0  # anything else is followed by the first
        model.lm_head.weight.zero_()
        model.lm_head.weight[tokens[0], -1] = 1.0
        for place, token in enumerate(tokens):
            model.model.embed_tokens.weight[token] = 0.0
            model.model.embed_tokens.weight[token, place] = 1.0
            model.lm_head.weight[tokens[(place + 1) % len(tokens)], place] = 1.0
