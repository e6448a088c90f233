"""How the fake of Mastodon answers, and how it fails to."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from hobnob.testing.wire import web

ERROR_PAGE = "<!doctype html><title>502</title><h1>Bad Gateway</h1>"


class Fault(Enum):
    """What happens to the next request."""

    NONE = "nothing"
    LIMITED = 429
    BROKEN = 500
    PAGE = "502, with a page of HTML"
    PAGE_200 = "a page of HTML that says that all is well"
    DROPPED = "the post is kept, and the connection closed without an answer"
    HANGS = "the post is not kept, and no answer comes until the server closes"
    BROKEN_AFTER = "the post is kept, and the answer is 500"


def page(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    """As https://docs.joinmastodon.org/api/guidelines/#pagination says: newest first; min_id
    asks for the rows next to it, since_id for the newest of all behind it."""
    query = {name: int(request.query.get(name, 0)) for name in ("min_id", "since_id", "max_id")}
    limit = min(int(request.query.get("limit", 40)), 80)
    after = max(query["min_id"], query["since_id"])
    before = query["max_id"] or 10**18
    rows = sorted((r for r in rows if after < int(r["id"]) < before), key=lambda r: int(r["id"]))
    rows = rows[:limit] if query["min_id"] or "min_id" in request.query else rows[-limit:]
    rows.reverse()
    headers = {}
    if rows:
        url = f"{request.url.origin()}{request.path}?limit={limit}"
        headers["Link"] = (
            f'<{url}&max_id={rows[-1]["id"]}>; rel="next", '
            f'<{url}&min_id={rows[0]["id"]}>; rel="prev"'
        )
    return web.json_response(rows, headers=headers)


def error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)
