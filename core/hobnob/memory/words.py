"""A text's words, as recall counts them: folded, stemmed, without those that say nothing.

Chinese, Japanese and Korean have no spaces: each pair of neighbouring characters counts as a word,
and so does each character. English is stemmed (Porter 2); words of other languages in Latin
letters mostly stay as they are.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

LONGEST = 20_000
"""Characters of a text that are looked at."""
QUESTION, TIME, NUMBER, NAME = "?", "@", "#", "A"
"""Not words but what kind of text it is: it asks something, tells a time, has a number in it, has
a name in it."""

_STOP = frozenset(
    """
    a about all also am an and any anything are as at be because been before being but by
    can could d did do does doing done else ever every for from get gets getting go goes
    going got had has have having he her hers him his how i if in into is it its just kind
    like ll long m many may me mention mentioned might much my need of off on one only or
    our out over own re s said say says shall she should so some someone something such t
    than that the their them then there these they thing things this those to too type up
    upon us ve very want was way we were what when where whether which while who whom whose
    why will with would you your yours
    的 了 是 我 你 他 她 吗 呢 吧 啊 在 有 和 就
    都 也 不 么 什 这 那 哪 个 们 过 着 给 跟 把
    被 很 说 会 要 想 没 什么 怎么 哪里 时候 多少 为什 我们 你们
    他们 我的 你的 他的 她的 的时 是什 了什 是哪 哪个 是谁
    """.split()  # noqa: SIM905 - a list of so many words is not read
)
_CJK = "\u2e80-\u2fdf\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+(?:'[^\W_{_CJK}]+)*")
_IS_CJK = re.compile(rf"[{_CJK}]")
_TIME = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|last|next|ago|weeks?|weekend|months?|years?|days?|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july|august|"
    r"september|october|november|december|morning|evening|summer|winter|spring|fall|autumn|recently|"
    r"since|(?:19|20)\d\d)\b|[年月日周天号]"
)
_NUMBER = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|few|couple|several|twice|once)\b"
    r"|[\d一二两三四五六七八九十百]"
)
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]+|\"[^\"]+\"", re.MULTILINE)
"""A capital that doesn't stand where a sentence or a line begins, or a title in quotes."""
_stemmer = snowballstemmer.stemmer("english")


def words(text: str) -> list[str]:
    """The words of a text, folded: runs of letters and digits."""
    return _WORD.findall(fold(text[:LONGEST]))


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")


def terms(text: str) -> list[str]:
    """What is counted of a text, in its order."""
    return [term for word in words(text) for term in _terms(word)]


def term(word: str) -> str:
    """What is counted of one word that isn't Chinese, Japanese or Korean; "" if nothing is."""
    folded = fold(word)
    found = () if _IS_CJK.match(folded) else _terms(folded)
    return found[0] if found else ""


def named_at(name: str, text: str) -> int | None:
    """Where `text` speaks of somebody called so: by the first word of the name, or all of one that
    has no spaces. None if it doesn't."""
    folded = fold(text[:LONGEST])
    first = words(name)[:1]
    if first and _IS_CJK.match(first[0]):
        return at if (at := folded.find(fold(name))) >= 0 else None
    found = (each.start() for each in _WORD.finditer(folded) if each[0].removesuffix("'s") in first)
    return next(found, None)


def is_latin(text: str) -> bool:
    """Whether most of its letters are Latin."""
    letters = [character for character in text[:LONGEST] if character.isalpha()]
    latin = sum(character < "\u0250" or "\u1e00" <= character < "\u1f00" for character in letters)
    return 2 * latin >= len(letters)


def kinds(text: str) -> list[str]:
    """What kind of text it is: of QUESTION, TIME, NUMBER and NAME those that hold."""
    folded = fold(text[:LONGEST]).strip()
    found = {
        QUESTION: folded.endswith("?"),
        TIME: _TIME.search(folded),
        NUMBER: _NUMBER.search(folded),
        NAME: _NAME.search(text[:LONGEST].strip()),
    }
    return [kind for kind, holds in found.items() if holds]


def hashes(terms: Sequence[str]) -> NDArray[np.uint32]:
    """The same number for the same term, in every process."""
    return np.array([zlib.crc32(term.encode("utf-8", "replace")) for term in terms], np.uint32)


@lru_cache(50_000)
def _terms(word: str) -> tuple[str, ...]:
    if _IS_CJK.match(word):
        pairs = [word[at : at + 2] for at in range(len(word) - 1)]
        return tuple(each for each in (*word, *pairs) if each not in _STOP)
    word = word.removesuffix("'s").split("'")[0]
    if not word or word in _STOP:
        return ()
    return (_stemmer.stemWord(word),)
