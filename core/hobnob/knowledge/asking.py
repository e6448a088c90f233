"""Whether a message asks something that the documents should answer, or is talk. Pure."""

import re
from collections.abc import Sequence

from hobnob.memory.words import fold, term, words
from hobnob.text import unaddressed

LONGEST = 2000
"""Characters of a message that are looked at."""
FEW = 2
"""A question with no more words of its own may go on with what was asked before."""

_TALK = frozenset(
    term(word) or word
    for word in """
    hello hi hey hiya hallo guten tag morgen abend moin servus good morning evening night bye cheers
    thanks thank thx ty danke schön bitte tschüss welcome please pls sorry ok okay great fine nice
    cool perfect yes no yeah nope yep ja nein help question ask mean again explain simply simple
    really sure name old made make created built robot ai bot human person machine joke talk speak
    chat mine wait moment right wrong understand english german chinese deutsch wie geht es dir
    ihnen wer bist du sind sie heißt heisst how's there here today lol haha funny true weather day
    last now u r anybody anyone somebody else tell more
    你好 您好 谢谢 多谢 好的 再见 早上好 晚上好 早安 晚安 是的 不是 好 嗯
    """.split()  # noqa: SIM905 - a list of so many words is not read
)
_ASKS = re.compile(
    r"[?？]|吗|呢|什么|怎么|怎样|多少|多久|几|哪|谁|为什么|能不能|可不可以|有没有|是不是"
    r"|(?:^|[.!,;:]\s*)(?:(?:hi|hello|hey|so|and|but|ok|also|please|pls)[ ,!.]+)*"
    r"(?:what|whats|where|wheres|when|whens|who|whos|which|why|how|hows|is|are|am|was|were|do|does|"
    r"did|can|could|will|would|should|shall|may|must|have|has|any|anyone know|tell me|"
    r"i (?:want|need|would like|'?d like) to know|price (?:of|for)|cost (?:of|for)|"
    r"was|wer|wie|wo|wann|warum|welche[rsn]?|wieso|woher|wohin|kann|können|könnt|gibt|haben|habt|"
    r"ist|sind|darf|muss|bietet|bieten|nehmt|nehmen)\b"
)
_PAST = re.compile(
    r"\b(?:remember|recall|remind me)\b|\b(?:told|tell) (?:you|me (?:before|earlier))\b"
    r"|\b(?:did|have) i (?:just )?(?:say|said|tell|told|write|ask|mention)"
    r"|\b(?:did|have) you (?:just )?(?:say|said|mean|write)\b"
)
_YOURSELF = re.compile(
    r"\bdo you (?:like|love|enjoy|hate|dream|sleep|feel)\b|\bare you (?:ok|okay|well|there|sure|"
    r"tired|happy|sad|angry|free|busy|back|serious|kidding)\b|你(?:是谁|叫什么|好吗|还好吗)"
    r"|(?:什么意思|真的吗)"
)
_GOES_ON = re.compile(
    r"^(?:and|but|so|or|then|und|aber|那)\b|\b(?:it|its|it's|that|this|they|them|those|these|one|"
    r"ones|there|das|es|dort)\b|那么?|它"
)


def asks(text: str, names: Sequence[str] = ()) -> bool:
    """It is a question, or the beginning of one, about something. `names` are ours."""
    folded = fold(unaddressed(text)[:LONGEST]).strip()
    return bool(_ASKS.search(folded)) and is_about_something(text, names)


def is_about_something(text: str, names: Sequence[str] = ()) -> bool:
    """It speaks of anything but the talk itself."""
    folded = fold(unaddressed(text)[:LONGEST])
    if _PAST.search(folded) or _YOURSELF.search(folded):
        return False
    ours = {word for name in names for word in words(name)}
    return bool(_subjects(folded) - {term(word) or word for word in ours})


def goes_on(text: str) -> bool:
    """It may be about what was asked before: it says little, or speaks of "it"."""
    folded = fold(unaddressed(text)[:LONGEST]).strip()
    return len(_subjects(folded)) <= FEW or bool(_GOES_ON.search(folded))


def shares_a_word(text: str, excerpt: str) -> bool:
    """Something that the text speaks of stands in the excerpt, or it speaks of nothing itself."""
    subjects = _subjects(fold(unaddressed(text)[:LONGEST]))
    return not subjects or bool(subjects & _subjects(fold(excerpt)))


def _subjects(text: str) -> set[str]:
    """Its words but those that say nothing, or belong to talk; a run of Chinese counts as one."""
    found = {word if not word.isascii() else term(word) for word in words(text)}
    return {word for word in found if word and word not in _TALK}
