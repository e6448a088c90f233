"""From a message to the clauses in which its author plainly states something. Pure.

What is not theirs (quotes, code, pasted logs, verses), not serious (play, sarcasm) or not stated
(questions, hypotheses, what others said) is left out by its form. Every step is linear in a text
of bounded length.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

LONGEST = 4000
"""Characters of a message that are read: people state facts early, and pastes are long."""
MOST_SENTENCES = 100
MOST_CLAUSES = 12
LONGEST_CLAUSE = 300
"""What follows a statement in the same sentence is hardly ever about it so far behind."""

GAP = "\ufffc"
"""Stands where a quote or code was."""

_STRAIGHT = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "\u00a0": " ",
        "\t": " ",
        "\u2028": "\n",
        "\u2029": "\n",
        "\r": "\n",
    }
)
_INVISIBLE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`|~~[^~\n]*~~", re.DOTALL)
_QUOTED_LINE = re.compile(r"^[ ]*(?:>|&gt;|\|).*$", re.MULTILINE)
_LABEL = re.compile(
    r"(?!(?:Remember|Note|Don't forget)\b)[ ]*(?:\[[^\]\n]*\] *|\([^)\n]*\) *)?<?[A-Z][\w'-]*"
    r"(?: [A-Z][\w'-]*)?(?:>|:) "
)
"""A line of a pasted conversation: "[12:30] Bob: ..."."""
_QUOTES = re.compile(
    r"“[^”\n]*(?:”|$)|„[^“”\n]*(?:[“”]|$)|«[^»\n]*(?:»|$)|\"[^\"\n]*(?:\"|$)"
    r"|(?<!\w)'(?=\w)[^\n]{1,200}?(?<=[\w.!?,])'(?!\w)",
    re.MULTILINE,
)
_LINK = re.compile(r"\b(?:https?://|www\.)\S+")
_MARKUP = re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|\|\|")
_PLAY = re.compile(
    # A turn that plays, jokes, or asks for work on a text says nothing about its author.
    r"\b(?:role-?play(?:ing)?|in character|hypothetical(?:ly)?|lyrics|grammar|let's (?:say|pretend)"
    r"|say i(?:'m| am| live| have)|how (?:do|would|can) (?:you|i) say|correct (?:my|this|the)"
    r"|fix (?:my|this)|kidding|jk|j/k|joking|yeah right|in my dreams|april fools?|sarcas\w+"
    r"|opposite day)\b"
    r"|(?:^|[.!?,:]\s|\bplease |\byou |\bjust |\bnow )(?:imagine|pretend|translate|proofread"
    r"|rephrase|paraphrase|rewrite|summari[sz]e|(?:write|tell|make|draft|compose) (?:me |us )?"
    r"(?:an?|some|the) (?:\w+ ){0,2}(?:story|poem|song|joke|letter|email|essay|scene|dialogue"
    r"|speech|bio|text|script))\b"
    r"|(?:^|\s)/s(?:arcasm)?\b|\bnot!+$|🙄|[♪♫🎵🎶]"
    r"|^[ ]*\*[a-z][^*\n ]* [^*\n]*\*(?!\*)",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE = re.compile(r"[.!?…]{1,8}(?:[\s)]+|$)")
_ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Ms|Mrs|Dr|St|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|etc|approx)\.\s*$"
)
_UNSURE = re.compile(
    # Anywhere in a sentence: it is not stated.
    r"\b(?:if|unless|whether|as though|wish|suppos(?:e|es|ed|ing)|someone else|somebody else"
    r"|hopefully|maybe|perhaps|probably|possibly|might|theoretically|guess(?! what)|not sure"
    r"|doubt)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    # Before a clause: somebody says, thinks or makes up what follows.
    r"\b(?:said|says?|saying|tells?|told|telling|asks?|asked|writes?|wrote|thinks?|thought|thinking"
    r"|believes?|believed|claims?|claimed|heard|hear|texted|replied|answered|screamed|shouted"
    r"|dream(?:s|t|ed)?|joked?|lied|character|example|instance|according|like when|feels? like"
    r"|felt like|looks? like|as if|when|whenever)\b|[:" + GAP + r"]",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:do|does|did|don't|doesn't|didn't|are|aren't|is|isn't|was|were|am|can|can't|could|would"
    r"|wouldn't|should|will|won't|have|has|haven't|had|may|might|must|shall|what|what's|whats|where"
    r"|who|who's|whom|whose|which|when|why|how|how's|any|anyone|anybody|ever|guess|u|you|so you)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"(?:can|could|will|would) you (?:please )?", re.IGNORECASE)
_ASKS_BACK = re.compile(
    r"(?:and |but |so |or )?(?:what|where|who|which|when|why|how|do|does|did|are|is|can|could|would"
    r"|will|should|have|has|any|remember|you|your|yours|u|wbu|hbu)\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    # Before a clause: nothing that changes it.
    r"(?:hi|hey|hello|hiya|heya|yo|(?:hi|hello|hey) (?:there|all|everyone)|well|so|oh|ooh|ah|aw|um"
    r"|uh|uhm|hm+|ok|okay|yes|yeah|yep|yup|nope|nah|actually|btw|by the way|fyi|anyway|also|and|but"
    r"|no(?=[,.!;: –—-]*(?:i|i'm|my|we|it's|actually|you|the)\b)|then|plus|sorry|honestly|(?:ha)+h?"
    r"|lol|wow|thanks|thank you|thx|sure|right|look|listen|guess what|you know(?: what)?"
    r"|(?:fun|random|quick) fact|update|ps|p\.s\.|edit|correction|to be honest|tbh|personally"
    r"|just so you know|for the record|to be clear|in fact|unfortunately|luckily|sadly"
    r"|good (?:morning|evening|afternoon|day)|(?:a bit |a little |more )?about me|these days"
    r"|nowadays|right now|currently|now|at the moment|since you ask(?:ed)?|like i said|as i said"
    r"|as you know|(?:the )?thing is|truth is|(?:it )?turns out(?: that)?|that's why|i (?:just"
    r" |recently )?(?:found out|learned|discovered)(?: recently| today)?(?: that)?|reminder|note"
    r"|again|because|cause|cuz|since|wait|nice to meet you|as for me|me too|same here|finally"
    r"|exactly|definitely|absolutely|totally|great|cool|nice|awesome|of course)(?:[ ,:!;.–—-]+|$)",
    re.IGNORECASE,
)
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
)
_WHEN = re.compile(
    # Before a clause: when it was or will be, moved behind it.
    r"(?:(?:earlier )?(?:today|yesterday|tomorrow|(?:last|next|this) (?:night|week|weekend|month"
    rf"|year|morning|afternoon|evening|spring|summer|autumn|fall|winter|[a-z]+day|{_MONTH}"
    r"|mon|tue|wed|thu|fri|sat|sun)|on [a-z]+day|[a-z\d]+ (?:days|weeks|months|years?) ago"
    rf"|in (?:(?:19|20)\d\d|{_MONTH})))(?:, ?| )(?=(?:i|i'm|i'll|we|we're|we'll|my)\b)",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    # Where a clause goes on about what it said.
    r"\s(?:and|but|so|since|because)\s(?=(?:it|it's|he|she|they|that|this|was|were)\b)",
    re.IGNORECASE,
)
_OPENING = re.compile(
    # A clause behind which another one of the same sentence may still be a plain statement.
    r"(?:i|i'm|i've|i'll|i'd|my|me|we|we're|we've|our|you can|you may|please|call|nice|great|good"
    r"|thanks|thank|pleased|glad|yesterday|today|tomorrow|tonight|last|next|this|since|for|it's|it"
    r"|that's|he's|she's|he|she|they|they're|his|her|their|but|never|always|don't|remember"
    r"|name's|only|just|mostly|besides|apart from|aside from)\b"
    r"|(?-i:[A-Z])[\w']*(?: (?-i:[A-Z])[\w']*)?$",
    re.IGNORECASE,
)
_I = re.compile(r"i\b|i'm\b|my name\b", re.IGNORECASE)
_BREAK = re.compile(
    r"\s*[,;()]\s*|\s+[-–—]+\s+|\s*—\s*"
    r"|\s+(?:and|but|so|because|cause|cuz|since|although|though|while|plus|yet|or)\s+"
    r"(?=(?:i|i'm|i've|i'll|my|we|our|we're|we've|please|call|don't|never|always|remember)\b)",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"\s+(?:and|but)\s+(?=(?:(?:now|also|currently|just|really) )*(?:live (?:in|near|on)"
    r"|work (?:as|at|for|in)|speak|come from|grew up in|am|don't|have (?:a|an|two|three))\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause and all that follows it in its sentence."""

    text: str
    greeted: bool = False
    """It opens the message, or follows a greeting: "Hi, I'm Ann"."""
    casual: bool = False
    """Its author writes without capitals, so that a missing one says nothing."""
    request: bool = False
    """It was a question: "Could you ...?"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    text: str
    clauses: tuple[Clause, ...]
    """Those that state something; none of a question or a hypothesis."""


def sentences(message: str) -> Iterator[Sentence]:
    """What the author of `message` says themselves and seriously, sentence by sentence."""
    return islice(_sentences(message), MOST_SENTENCES)


def straight(text: str) -> str:
    """`text` with the quotes and spaces of a typewriter."""
    return text.translate(_STRAIGHT)


def _sentences(message: str) -> Iterator[Sentence]:
    text = _own(message)
    if _PLAY.search(text) or _is_verse(text):
        return
    greeted = True
    for line in _MARKUP.sub("", text).splitlines():
        if _LABEL.match(line) and not _FILLER.match(line):
            continue
        casual = not any(c.isupper() for c in line)
        for words in _split(line.strip(" -*•")):
            stated = _stated(words, greeted, casual)
            yield Sentence(text=words, clauses=tuple(islice(stated, MOST_CLAUSES)))
            greeted = greeted and bool(_FILLER.match(words)) and len(words.split()) < 6


def _own(message: str) -> str:
    """What its author wrote themselves: no quotes, no code, no invisible characters."""
    text = message[:LONGEST]
    if len(message) > LONGEST:
        text = text[: max(text.rfind(" "), text.rfind("\n"), 0)]
    text = _INVISIBLE.sub("", straight(text))
    text = _CODE.sub(GAP, text)
    text = _QUOTED_LINE.sub("", text)
    text = _QUOTES.sub(_unquoted, text)
    return _LINK.sub(GAP, text)


def _unquoted(match: re.Match[str]) -> str:
    """A name or a word may stand in quotes; anything longer is somebody's speech."""
    inner = match[0].strip("\"'“”„«»")
    return inner if re.fullmatch(r"[^\W\d_][\w-]*(?: [A-Z][\w-]*)?", inner) else GAP


def _is_verse(text: str) -> bool:
    """Four lines and more in a row without an end, each begun with a capital: a song or a poem."""
    run = 0
    for line in text.splitlines():
        words = line.split()
        ended = not words or words[-1][-1] in ".!?…:"
        run = 0 if ended or len(words) < 3 or not words[0][0].isupper() else run + 1
        if run == 4:
            return True
    return False


def _split(line: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE.finditer(line):
        if _ABBREVIATION.search(line[max(start, match.start() - 8) : match.end()]):
            continue
        yield " ".join(line[start : match.end()].split())
        start = match.end()
    if line[start:].strip():
        yield " ".join(line[start:].split())


def _stated(sentence: str, greeted: bool, casual: bool) -> Iterator[Clause]:
    """The clauses of one sentence."""
    if _UNSURE.search(sentence):
        return
    spans = list(_spans(sentence))
    if sentence.rstrip(") ").endswith("?"):
        begin = _behind_fillers(sentence, 0)
        if asked := _REQUEST.match(sentence, begin):
            yield Clause(text=sentence[asked.end() :].rstrip("?!. "), request=True)
            return
        last = _behind_fillers(sentence, spans[-1][0])
        if len(spans) == 1 or _ASKS.match(sentence, begin) or not _ASKS_BACK.match(sentence, last):
            return
        sentence = sentence[: spans.pop()[0]].rstrip(" ,;-–—")
    hello = bool(_FILLER.match(sentence))
    shares = False
    day = ""
    for start, end, subject in spans:
        begin = _behind_fillers(sentence, start)
        if when := _WHEN.match(sentence, begin):
            day, begin = when[0].rstrip(", "), when.end()
        if begin >= end:
            continue
        if shares or not subject:
            text = sentence[begin:]
            if day:
                body = sentence[begin:end].rstrip(".!… ")
                at = m.start() if (m := _COMMENT.search(body)) else len(body)
                text = f"{body[:at]} {day}{body[at:]}"
            text = (subject + text)[:LONGEST_CLAUSE].rstrip(".!… ")
            day = ""
            yield Clause(text=text, greeted=greeted and (hello or start == 0), casual=casual)
        opening = sentence[begin:end]
        called = begin > start and opening.isalnum()  # "hey robin, ..."
        if not (called or _OPENING.match(opening)) or _OTHERS.search(sentence, start, end):
            return
        shares = bool(subject or _I.match(sentence, begin))


def _spans(sentence: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of each clause, and the subject that it shares with the one before."""
    start = 0
    subject = ""
    cuts = sorted(
        [(match.start(), match.end(), "") for match in _BREAK.finditer(sentence)]
        + [(match.start(), match.end(), "I ") for match in _ELLIPSIS.finditer(sentence)]
    )
    for before, behind, shared in cuts:
        if before < start:
            continue
        yield start, before, subject
        start = behind
        subject = shared
    yield start, len(sentence), subject


def _behind_fillers(sentence: str, start: int) -> int:
    for _ in range(4):
        match = _FILLER.match(sentence, start)
        if match is None:
            break
        start = match.end()
    return start
