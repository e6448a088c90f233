"""What hobnob tells its owner on stderr while it runs, without a secret in it."""

import logging
import re
import sys
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def configure(verbose: bool, secrets: Iterable[str]) -> None:
    """Log to stderr, one line for each record, instead of what an earlier call set up.

    hobnob and packages named hobnob_* tell what they do, with `verbose` in detail; of everybody
    else only warnings pass: httpx tells of every request, with Telegram's token in its URL.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("hobnob")
    handler.setFormatter(Formatter(secrets))
    handler.addFilter(_is_for_the_owner)
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == "hobnob"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)


class Formatter(logging.Formatter):
    """One line for a record, secrets as ***, and a traceback indented below it.

    What people wrote may be in a message, so nothing in it can begin a line or move the cursor.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(longest_first)) if forms else None

    def format(self, record: logging.LogRecord) -> str:
        when = self.formatTime(record, "%Y-%m-%d %H:%M:%S")
        message = f"{when} {record.levelname:7} {record.name}: {_message(record)}"
        lines = [self._without_secrets(message)]
        # Not record.exc_text: another formatter may have left its own words there, secrets and all.
        if record.exc_info:
            trace = self._without_secrets(self.formatException(record.exc_info))
            lines += [f"    {line}" for line in trace.splitlines()]
        return "\n".join(_CONTROL.sub(lambda match: repr(match[0])[1:-1], line) for line in lines)

    def _without_secrets(self, text: str) -> str:
        return self._secrets.sub("***", text) if self._secrets else text


def _is_for_the_owner(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.startswith("hobnob")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # left to itself, logging prints the raw record, secrets and all
        return f"{record.msg} (with values that do not fit this text)"


def _forms(secret: str) -> tuple[str, str]:
    """Patterns of a secret: each character plain or quoted as in a URL, and as Python's repr."""
    quoted = (f"(?:{re.escape(c)}|(?i:{_quoted(c)}))" for c in secret)
    return "".join(quoted), re.escape(repr(secret)[1:-1])


def _quoted(character: str) -> str:
    percent = "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))
    return rf"{percent}|\+" if character == " " else percent
