"""What an answer promises that no excerpt says: such an answer is for a person to look at. Pure.

A promise is a quantity (a price, a share, a duration, a time of the day), a day, or a commitment
(money back, a guarantee, something for nothing, a discount, that something will be done). It is
supported if an excerpt names the same.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hobnob.daynames import WEEKDAYS
from hobnob.knowledge.citing import plain
from hobnob.knowledge.quantities import Quantity, quantities


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    kind: str
    words: str
    """As they stand in the answer."""


_COMMITMENTS = {
    "refund": r"refund\w*|money back|reimburs\w+|credited|geld zurück|erstatt\w*|退款|退钱",
    "guarantee": r"guarantee\w*|warrant(?:y|ies)|lifetime|promise\w*|assure\w*|24/7|unlimited"
    r"|garantie\w*|garantier\w*|versprech\w*|保修|保证",
    "free": r"(?<!feel )free\b(?! to\b)|no (?:extra |additional )?(?:cost|charge|fee)s?\b"
    r"|at no (?:extra )?cost|without (?:paying|charge)|nothing extra|costs? nothing|on the house"
    r"|kostenlos\w*|gratis|免费",
    "discount": r"discount\w*|vouchers?\b|half price|price match\w*|compensat\w+|rabatt\w*"
    r"|gutschein\w*|折扣|优惠",
}
_COMMITMENT = {
    kind: re.compile(rf"(?<![A-Za-z])(?:{pattern})", re.IGNORECASE)
    for kind, pattern in _COMMITMENTS.items()
}
_DEED = re.compile(
    r"\b(?:i|we|our (?:team|mechanics?|courier)|somebody|someone)(?:'ll| will| can| are going to"
    r"|'re going to)\s+(?:\w+ ){0,2}?(?P<deed>send|replace|exchange|ship|deliver|call|fix|"
    r"repair|pay|give|lend|cancel|extend|reserve|hold|collect|pick|install|upgrade|waive)\b",
    re.IGNORECASE,
)
_WEEK = tuple(name.lower() for name in WEEKDAYS)
_DAY = re.compile(
    rf"\b(?:{'|'.join(_WEEK)})s?\b|\b(?:today|tonight|tomorrow|same day|next (?:week|month|day)"
    r"|this (?:week|weekend|afternoon|evening)|overnight|immediately|weekends?"
    r"|(?:january|february|march|april|june|july|august|september|october|november|december))\b"
    r"|\b(?:heute|morgen|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonntags?)\b"
    r"|今天|明天|后天|(?:星期|周)[一二三四五六日天]",
    re.IGNORECASE,
)
_SPAN = re.compile(rf"\b({'|'.join(_WEEK)})s?\s*(?:to|-|–|until)\s*({'|'.join(_WEEK)})s?\b", re.I)
_NO_PROMISE = re.compile(
    r"[?？]\s*$|\bdon'?t know\b|\bdo not know\b|\bnot sure\b|\bcan(?:'t|not) (?:say|tell|find)\b"
    r"|\bdon'?t find\b|\bno information\b|/human\b|\bask (?:a|the|our|somebody|someone|us)\b"
    r"|\b(?:you|they) (?:said|wrote|told|mentioned)\b|\bweiß (?:ich )?nicht\b|不知道|不清楚",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|no|never|cannot|nor|neither|without|unable|nicht|keine?n?)\b|n't\b|不|没有?|无法)"
    r"(?:\W+\w+){0,4}\W*$",
    re.IGNORECASE,
)
_MARK = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*])\s+", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+|(?<=[。！？])")


def unsupported(text: str, excerpts: Sequence[str], asked: str = "") -> tuple[Promise, ...]:
    """The promises in an answer that none of the excerpts it was made from supports. What the
    question names (`asked`) may be named again, but no money and no share of it."""
    known = _Known("\n".join(excerpts), asked)
    found = [
        promise
        for sentence in _SENTENCE.split(_MARK.sub("", plain(text)))
        if sentence.strip() and not _NO_PROMISE.search(sentence)
        for promise in known.lacking(sentence)
    ]
    return tuple(dict.fromkeys(found))


class _Known:
    """What the excerpts say."""

    def __init__(self, text: str, asked: str) -> None:
        self._text = text
        self._quantities = list(quantities(text))
        self._asked = [
            each for each in quantities(asked) if each.kind not in ("money", "share", "bare")
        ] + [each for each in quantities(asked) if each.kind == "bare" and not each.is_word]
        self._days = set(_days(text)) | set(_days(asked))

    def lacking(self, sentence: str) -> Iterator[Promise]:
        for quantity in quantities(sentence):
            if _is_claim(quantity) and not self._has(quantity):
                yield Promise(kind=quantity.kind, words=quantity.words)
        for match in _DAY.finditer(sentence):
            if _day(match[0]) not in self._days and not _is_negated(sentence, match):
                yield Promise(kind="day", words=match[0])
        for kind, pattern in _COMMITMENT.items():
            for match in pattern.finditer(sentence):
                if not pattern.search(self._text) and not _is_negated(sentence, match):
                    yield Promise(kind=kind, words=match[0])
        for match in _DEED.finditer(sentence):
            if not re.search(rf"\b{match['deed'][:4]}", self._text, re.IGNORECASE):
                yield Promise(kind="deed", words=match[0])

    def _has(self, quantity: Quantity) -> bool:
        asked = () if quantity.kind in ("money", "share") else self._asked
        return any(quantity.is_like(each) for each in (*self._quantities, *asked))


def _is_claim(quantity: Quantity) -> bool:
    """ "One of them", "a bicycle" and "half" are no quantities."""
    return not (
        quantity.is_word and (quantity.kind == "bare" or quantity.words[:2] in ("a ", "an"))
    )


def _is_negated(sentence: str, match: re.Match[str]) -> bool:
    """That something will not be is no promise."""
    return _NEGATED.search(sentence[: match.start()]) is not None


def _days(text: str) -> Iterator[str]:
    """All days that a text names, also those within a span: Tuesday to Friday."""
    for match in _DAY.finditer(text):
        yield _day(match[0])
    for match in _SPAN.finditer(text):
        first, last = (_WEEK.index(match[each].lower()) for each in (1, 2))
        yield from (_WEEK[day % 7] for day in range(first, last + (7 if last < first else 0) + 1))


def _day(word: str) -> str:
    return word.lower().removesuffix("s")
