"""Answers that follow a JSON schema: which tokens may come next. By llguidance.

https://guidance-ai.github.io/llguidance/
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hobnob.engine.writer import Request
from hobnob.errors import EngineError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

COMPACT = {"whitespace_flexible": False}
"""No white space between the parts: a weak model would write nothing else."""


class Grammars:
    """The grammars of one model's answers. Its tokenizer is read when the first is asked for: that
    takes a moment, and most bots never ask."""

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase | None", end_tokens: Sequence[int]
    ) -> None:
        self._tokenizer = tokenizer
        self._ends = list(end_tokens)
        self._vocabulary: Any = None

    def prepare(self, request: Request) -> None:
        """Give `request` its grammar, if it has a schema. Raises EngineError for one that can't be
        followed."""
        if not request.sampling.schema:
            return
        try:
            import llguidance

            self._vocabulary = self._vocabulary or self._read()
            matchers: Any = llguidance.LLMatcher
            rules = matchers.grammar_from_json_schema(request.sampling.schema, defaults=COMPACT)
            matcher = matchers(self._vocabulary, rules)
        except Exception as error:
            raise EngineError(f"this model can't follow a schema: {error}") from error
        if matcher.is_error():
            raise EngineError(f"the schema can't be followed: {matcher.get_error()}")
        request.grammar = Grammar(matcher)

    def _read(self) -> Any:
        from llguidance.hf import from_tokenizer

        tokenizer: Any = self._tokenizer
        return from_tokenizer(tokenizer, eos_token=self._ends)


class Grammar:
    """One answer's way through its grammar."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher
        self._followed = 0

    def allowed(self, written: Sequence[int], vocabulary: int) -> NDArray[np.bool_]:
        """(vocabulary,), whether each token may come after `written`, which only ever grows. When
        all is said, only what ends the answer. Raises EngineError if `written` broke the rules."""
        if not self._matcher.consume_tokens(list(written[self._followed :])):
            raise EngineError(f"an answer left its schema: {self._matcher.get_error()}")
        self._followed = len(written)
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        known = np.unpackbits(bits, bitorder="little")[:vocabulary].astype(np.bool_)
        return np.pad(known, (0, vocabulary - len(known)))
