"""The chat page and what a browser may do in it."""

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files

HTML = files("hobnob_web").joinpath("widget.html").read_text(encoding="utf-8")


def headers(origins: Sequence[str]) -> dict[str, str]:
    """Nothing is loaded or run but what is in the page itself, and nothing is asked but our own
    socket; pages of `origins` may show it in a frame."""
    shown_by = " ".join(("'self'", *origins))
    policy = (
        "default-src 'none'",
        f"script-src {_hash('script')}",
        f"style-src {_hash('style')}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {shown_by}",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def _hash(tag: str) -> str:
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", HTML, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
