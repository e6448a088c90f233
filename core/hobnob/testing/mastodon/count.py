"""How a Mastodon server counts, after its status_length_validator.rb and twitter_regex.rb: written
anew from what these do, and not from what the adapter does."""

import regex

_TLDS = "com|org|net|edu|gov|io|dev|app|social|online|de|uk|fr|co|us|me|рф|xn--p1ai"
_LETTER = r"[^\s\p{P}\p{S}]"
_DOMAIN = (
    rf"(?:{_LETTER}(?:[_-]|{_LETTER})*\.)*?{_LETTER}(?:-|{_LETTER})*"
    rf"\.(?:{_TLDS})(?=[^0-9a-z@+-]|$)"
)
_CHARS = r"[^\s<>()?]"
_PARENS = rf"\((?:{_CHARS}+|{_CHARS}*\({_CHARS}+\){_CHARS}*)\)"
_ENDING = rf"(?:[^\s()?!*\"'「」<>;:=,.$%\[\]~&|@]|{_PARENS})"
_PATH = rf"(?:{_CHARS}*(?:{_PARENS}{_CHARS}*)*{_ENDING}|{_CHARS}+/)"
_OTHERS = "\u00a0-\U0010fffd"
_QUERY = rf"\?[a-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@\^{_OTHERS}]*[a-z0-9_&=#/\-{_OTHERS}]"
_URL = regex.compile(
    rf"(?:[^A-Za-z0-9@＠$#＃]|^)"
    rf"(?P<url>(?:https?|dat|dweb|ipfs|ipns|ssb|gopher|gemini)://(?P<domain>{_DOMAIN})"
    rf"(?::[0-9]+)?(?:/{_PATH}*)?(?:{_QUERY})?)",
    regex.IGNORECASE,
)  # fmt: skip
_MENTION = regex.compile(
    r"(?<![=/[:word:]])@([a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)(@[[:word:]]+(?:[.-]+[[:word:]]+)*)?",
    regex.IGNORECASE,
)
_CHARACTER = regex.compile(r"\X")


def status_length(text: str, warning: str = "") -> int:
    """What a post takes of the limit."""
    links = (m.span("url") for m in _URL.finditer(text) if len(m["url"]) <= 4096)
    found = [(begin, _end(text, begin, end), "x" * 23) for begin, end in links]
    found += [(m.start(), m.end(), f"@{m[1]}") for m in _MENTION.finditer(text)]
    kept, after = "", 0
    for begin, end, instead in sorted(found):
        if begin >= after:
            kept, after = kept + text[after:begin] + instead, end
    return len(_CHARACTER.findall(warning + kept + text[after:]))


def _end(text: str, begin: int, end: int) -> int:
    """Links of t.co end behind their first word."""
    match = regex.match(r"https?://t\.co/[a-z0-9]+", text[begin:end], regex.IGNORECASE)
    return begin + match.end() if match else end
