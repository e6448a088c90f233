"""What a first bot does: `model.generate`, one message after the other, the whole prompt each time.

No batches, nothing reused, as many threads as torch likes. In bfloat16, with the library's own
streamer, so that the first words are seen when they are written.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from hobnob.events import ChatMessage, Sampling


class Naive:
    """Answers like `hobnob.ports.Engine.stream`, the simplest way."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
        self._one_at_a_time = asyncio.Lock()

    async def stream(
        self, messages: Sequence[ChatMessage], sampling: Sampling
    ) -> AsyncGenerator[str, None]:
        """Greedy, whatever `sampling` says about temperature."""
        from transformers import AsyncTextIteratorStreamer

        prompt = self._tokenizer.apply_chat_template(
            [{"role": row.role.value, "content": row.content} for row in messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        async with self._one_at_a_time:
            streamer: Any = AsyncTextIteratorStreamer(self._tokenizer, skip_prompt=True)
            writing = asyncio.create_task(
                asyncio.to_thread(
                    self._model.generate,
                    **prompt,
                    streamer=streamer,
                    max_new_tokens=sampling.max_new_tokens,
                    do_sample=False,
                )
            )
            async for piece in streamer:
                if piece:
                    yield piece
            await writing
