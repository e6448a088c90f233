"""Calls of the library that make, change and find posts. They run in the library's thread."""

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from mastodon import Mastodon

from hobnob.events import Media, Reply, Visibility
from hobnob_mastodon.plain import Counting, to_post

_VISIBILITIES = {
    Visibility.PUBLIC: "public",
    Visibility.UNLISTED: "unlisted",
    Visibility.FOLLOWERS: "private",
    Visibility.DIRECT: "direct",
}


def compose(reply: Reply) -> str:
    """The text to post: to whoever asked, and mentioning nobody else."""
    text = to_post(reply.text, keep=reply.mention)
    if not reply.mention or text.split(maxsplit=1)[:1] == [reply.mention]:
        return text
    return f"{reply.mention} {text}"


def visibility(reply: Reply) -> str:
    """Never more than the conversation's. What has none of its own (scheduled, or by a job) can be
    seen by everybody where everybody sees the conversation, but is in no public timeline."""
    if reply.private:
        return "direct"
    if reply.visibility:
        return _VISIBILITIES[reply.visibility]
    return {"direct": "direct", "followers": "private"}.get(reply.key.thread, "unlisted")


def upload(api: Mastodon, file: Media) -> tuple[str, bool]:
    """Its id, and whether it is ready for a post. What no post takes the server soon forgets."""
    made = api.media_post(
        io.BytesIO(file.data),
        file.media_type,
        description=file.alt,
        file_name=PurePosixPath(file.file).name,
    )
    return f"{made['id']}", bool(made["url"])


def is_ready(api: Mastodon, file_id: str) -> bool:
    """Whether the server is done with a file, so that a post can have it."""
    return bool(api.media(file_id)["url"])


def post(api: Mastodon, reply: Reply, counting: Counting, files: Sequence[str] = ()) -> str:
    """The id of the new post. `files` are ids that `upload` gave."""
    text = compose(reply)
    status = api.status_post(
        text,
        in_reply_to_id=_answered(reply),
        visibility=visibility(reply),
        spoiler_text=_warning(reply, text, counting),
        idempotency_key=reply.nonce,
        media_ids=list(files) or None,
    )
    return f"{status['id']}"


def change(api: Mastodon, reply: Reply, counting: Counting) -> str:
    """Give the post `reply.replaces` another text; without one, delete it. Returns its id. Who may
    see a post can't be changed, so that it stays as it was."""
    if reply.text:
        text = compose(reply)
        api.status_update(reply.replaces, text, spoiler_text=_warning(reply, text, counting) or "")
    else:
        api.status_delete(reply.replaces)
    return reply.replaces


def find(api: Mastodon, account: str, reply: Reply, since: datetime) -> str | None:
    """The id of the account's post since then that says the same in answer to the same."""
    text, oldest = compose(reply), None
    while page := api.account_statuses(account, exclude_reblogs=True, max_id=oldest, limit=40):
        for status in page:
            if status["created_at"] < since:
                return None
            parent = status.get("in_reply_to_id")
            if (f"{parent}" if parent else None) != _answered(reply):
                continue
            if api.status_source(status["id"])["text"].strip() == text.strip():
                return f"{status['id']}"
        oldest = page[-1]["id"]
    return None


def _answered(reply: Reply) -> str | None:
    return reply.follows or reply.in_reply_to or None


def _warning(reply: Reply, text: str, counting: Counting) -> str | None:
    """A content warning counts against the limit like the text; a long one gives way to it."""
    mention = f"{reply.mention} "
    if reply.mention and text.startswith(mention):
        taken = counting.length(mention) + counting.posted(text.removeprefix(mention))
    else:
        taken = counting.posted(text)
    room = counting.most - taken
    warning = reply.warning
    return (warning if len(warning) <= room else f"{warning[: max(0, room - 1)]}…") or None
