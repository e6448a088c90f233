"""What the fake of Telegram does with the messages of a bot.

https://core.telegram.org/bots/api#available-methods
"""

import asyncio
import json
import math
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from hobnob.testing.telegram.rules import (
    CAPTION,
    FILES,
    LONGEST,
    SENDS,
    Allowed,
    Json,
    Ledger,
    trouble,
    units,
)
from hobnob.testing.wire import web

BOT, USERNAME = 11, "hobnob_bot"


class Fault(Enum):
    """What happens to the next request of a method."""

    LIMITED = 429
    FORBIDDEN = 403
    BROKEN = 500
    ENTITIES = "Bad Request: can't parse entities: we just say so"
    GONE = "Bad Request: message to edit not found"
    UNEDITABLE = "Bad Request: message can't be edited"
    GARBAGE = "the message is kept, and the answer is an HTML page"
    DROPPED = "the message is kept, and the connection closed without an answer"
    MIGRATED = "the group has become another"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message of the bot's, as people see it now."""

    id: int
    chat: int
    text: str
    reply_to: int | None = None
    topic: int | None = None
    business: str | None = None
    entities: tuple[Json, ...] = ()
    keyboard: tuple[tuple[str, str], ...] = ()
    """Labels and what they carry."""
    files: tuple[str, ...] = ()
    """Media types of the files that it has; the text is their caption."""
    edits: int = 0


class TelegramMessages:
    """What the bot says, as people see it."""

    def __init__(self, allowed: Allowed) -> None:
        self.replies: list[Sent] = []
        self.typing: list[int] = []
        self.drafts: list[tuple[int, int, str]] = []
        """Every one: chat, number and text."""
        self.drafting: dict[int, str] = {}
        """What is shown now, until a message takes its place."""
        self.faults_of: dict[str, deque[Fault]] = defaultdict(deque)
        self.reads_groups = True
        self.answer_seconds = 0.0
        """How late a message that was sent is acknowledged."""
        self.limited_seconds = 7
        """What whoever is LIMITED is told."""
        self.closed: set[int] = set()
        """The chats of people who never wrote to the bot: it may not begin."""
        self.moved: dict[int, int] = {}
        self.ledger = Ledger(allowed)
        self._limits: dict[int | None, float] = {}
        self._messages: dict[int, Json] = {}
        self._ids = iter(range(1, 10**9))

    @property
    def faults(self) -> deque[Fault]:
        return self.faults_of["sendMessage"]

    # ------------------------------------------------------------------------- what is said

    async def _speak(self, request: web.Request, method: str, data: Json) -> web.StreamResponse:
        chat = int(data.get("chat_id", 0))
        if method == "sendChatAction":
            self.typing.append(chat)
            return ok(True)
        self.ledger.asked(method, chat)
        faults = self.faults_of[method]
        fault = faults.popleft() if faults else None
        if refused := self._refused(chat, fault):
            return refused
        does = {
            "sendMessage": self._send,
            **dict.fromkeys(FILES, self._send_file),
            "sendMediaGroup": self._send_album,
            "editMessageText": self._edit,
            "deleteMessage": self._delete,
            "deleteBusinessMessages": self._delete,
            "sendMessageDraft": self._draft,
        }
        if method not in does:
            self.ledger.complaints.append(f"there is no method {method}")
            return error(404, "Not Found: method not found")
        answer = does[method](chat, data)
        if method in SENDS:
            await asyncio.sleep(self.answer_seconds)
        if fault is Fault.DROPPED and request.transport is not None:
            request.transport.abort()
        if fault is Fault.GARBAGE:
            return web.Response(text="<html>bad day</html>", content_type="text/html")
        return answer

    def _refused(self, chat: int, fault: Fault | None) -> web.Response | None:
        limit = max(self._limits.get(chat, 0), self._limits.get(None, 0)) - time.monotonic()
        if fault is Fault.LIMITED or limit > 0:
            seconds = self.limited_seconds if fault is Fault.LIMITED else math.ceil(limit)
            self.ledger.limited(chat, seconds)
            return error(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})
        if chat in self.closed:
            return error(403, "Forbidden: bot can't initiate conversation with a user")
        if fault is Fault.FORBIDDEN:
            return error(403, "Forbidden: bot was blocked by the user")
        if fault is Fault.BROKEN:
            return error(500, "Internal Server Error")
        if fault in (Fault.ENTITIES, Fault.GONE, Fault.UNEDITABLE):
            return error(400, str(fault.value))
        if chat in self.moved:
            new = {"migrate_to_chat_id": self.moved[chat]}
            return error(400, "Bad Request: group chat was upgraded to a supergroup chat", new)
        return None

    def _send_file(self, chat: int, data: Json) -> web.Response:
        caption = {"text": data["caption"], "entities": data.get("caption_entities", "[]")}
        files = [each for each in data.values() if isinstance(each, web.FileField)]
        return self._send(chat, {**data, **caption}, files)

    def _send_album(self, chat: int, data: Json) -> web.Response:
        """All as one here: nobody looks at the messages of an album one by one."""
        pictures = json.loads(data["media"])
        captions = [each["caption"] for each in pictures if each.get("caption")]
        entities = json.dumps(pictures[0].get("caption_entities", []))
        caption = {"text": "\n\n".join(captions), "entities": entities}
        files = [data[each["media"].removeprefix("attach://")] for each in pictures]
        if any(units(each) > CAPTION for each in captions):
            return error(400, "Bad Request: message caption is too long")
        answer = self._send(chat, {**data, **caption}, files, longest=LONGEST)
        message = json.loads(answer.text or "")
        return ok([message["result"]]) if message["ok"] else answer

    def _send(
        self,
        chat: int,
        data: Json,
        files: Sequence[web.FileField] = (),
        *,
        longest: int = CAPTION,
    ) -> web.Response:
        text, entities = data.get("text", ""), json.loads(data.get("entities", "[]"))
        if files and units(text) > longest:
            return error(400, "Bad Request: message caption is too long")
        if wrong := trouble(text, entities):
            return error(400, wrong)
        keyboard = _keyboard(data)
        if any(len(carried.encode()) > 64 for _, carried in keyboard):
            return error(400, "Bad Request: BUTTON_DATA_INVALID")
        reply = json.loads(data.get("reply_parameters", "{}"))
        sent = Sent(
            id=next(self._ids),
            chat=chat,
            text=text.strip(),
            reply_to=reply.get("message_id"),
            topic=int(data["message_thread_id"]) if "message_thread_id" in data else None,
            business=data.get("business_connection_id"),
            entities=tuple(entities),
            keyboard=keyboard,
            files=tuple(file.content_type for file in files),
        )
        self.replies.append(sent)
        self.drafting.pop(chat, None)
        message: Json = {
            "message_id": sent.id,
            "date": int(time.time()),
            "chat": self._chat(chat),
            "from": me(self.reads_groups),
            "text": text,
        }
        if sent.topic is not None:
            message |= {"message_thread_id": sent.topic, "is_topic_message": True}
        self._messages[sent.id] = message
        return ok(message)

    def _edit(self, chat: int, data: Json) -> web.Response:
        text, entities = data.get("text", ""), tuple(json.loads(data.get("entities", "[]")))
        if wrong := trouble(text, entities):
            return error(400, wrong)
        index = self._found(chat, int(data["message_id"]))
        if index is None:
            return error(400, "Bad Request: message to edit not found")
        now, keyboard = self.replies[index], _keyboard(data)
        if (now.text, now.entities, now.keyboard) == (text.strip(), entities, keyboard):
            return error(400, "Bad Request: message is not modified: specified new message content")
        self.replies[index] = replace(
            now, text=text.strip(), entities=entities, keyboard=keyboard, edits=now.edits + 1
        )
        message = self._messages[now.id]
        message["text"] = text
        return ok(message)

    def _delete(self, chat: int, data: Json) -> web.Response:
        numbers = json.loads(data.get("message_ids") or f"[{data.get('message_id')}]")
        found = [self._found(chat, number) for number in numbers]
        if None in found:
            return error(400, "Bad Request: message to delete not found")
        self.replies = [sent for sent in self.replies if sent.id not in numbers]
        return ok(True)

    def _found(self, chat: int, number: int) -> int | None:
        places = (chat, 0) if chat else (0, *{sent.chat for sent in self.replies})
        found = (i for i, sent in enumerate(self.replies) if sent.id == number)
        return next((i for i in found if self.replies[i].chat in places), None)

    def _draft(self, chat: int, data: Json) -> web.Response:
        text, entities = data.get("text", ""), json.loads(data.get("entities", "[]"))
        if int(data["draft_id"]) == 0 or chat < 0:
            self.ledger.complaints.append("a draft that can't be")
            return error(400, "Bad Request: TEXTDRAFT_PEER_INVALID")
        if wrong := trouble(text, entities):
            return error(400, wrong)
        self.drafts.append((chat, int(data["draft_id"]), text))
        self.drafting[chat] = text
        return ok(True)

    def _chat(self, chat: int) -> Json:
        raise NotImplementedError


def me(reads_groups: bool) -> Json:
    return {
        "id": BOT,
        "is_bot": True,
        "first_name": "Hobnob",
        "username": USERNAME,
        "can_join_groups": True,
        "can_read_all_group_messages": reads_groups,
        "supports_inline_queries": False,
    }


def _keyboard(data: Json) -> tuple[tuple[str, str], ...]:
    rows = json.loads(data.get("reply_markup") or "{}").get("inline_keyboard", [])
    return tuple((each["text"], each["callback_data"]) for row in rows for each in row)


def ok(result: object) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def error(status: int, description: str, parameters: Json | None = None) -> web.Response:
    answer = {"ok": False, "error_code": status, "description": description}
    return web.json_response(
        answer | ({"parameters": parameters} if parameters else {}), status=status
    )
