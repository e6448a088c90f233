"""What is said in conversations that are not to be remembered: kept until the program ends or
the conversation stops being incognito, in this process's memory and nowhere else."""

from collections import OrderedDict
from collections.abc import Sequence

from hobnob.conversation import ConversationKey
from hobnob.events import Turn

MOST_CONVERSATIONS = 1000


class Incognito:
    def __init__(self, turns: int) -> None:
        """`turns` is how many are kept of a conversation."""
        self._most = turns
        self._said: OrderedDict[ConversationKey, tuple[Turn, ...]] = OrderedDict()

    def add(self, key: ConversationKey, turns: Sequence[Turn]) -> None:
        self._said[key] = (*self.turns(key), *turns)[-self._most :]
        self._said.move_to_end(key)
        if len(self._said) > MOST_CONVERSATIONS:
            self._said.popitem(last=False)

    def turns(self, key: ConversationKey) -> tuple[Turn, ...]:
        return self._said.get(key, ())

    def drop(self, key: ConversationKey) -> None:
        self._said.pop(key, None)
