"""The fake Discord's interactions: people use commands and press buttons, and the bot answers.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hobnob.testing.discord.ledger import Fault, answer, refusal, trouble
from hobnob.testing.discord.payloads import APPLICATION, BOT_USER, GUILD, MEMBER, Json, message
from hobnob.testing.wire import web

ACKNOWLEDGE_SECONDS = 3.0
_UNKNOWN = (404, "Unknown Webhook")


@dataclass(slots=True)
class Use:
    """One use of a command, and what became of it."""

    id: str
    channel: str
    user: Json
    began: float
    acknowledged: float | None = None
    kind: int = 0
    """Of the acknowledgement: 5 shows that we think, 6 nothing, 8 completes."""
    ephemeral: bool = False
    thinking: bool = False
    original: Json | None = None
    completions: list[str] = field(default_factory=list)
    whispers: list[Json] = field(default_factory=list)
    """What the user alone sees."""

    @property
    def token(self) -> str:
        return f"token-of-{self.id}"


class Desk:
    """`tell` sends an event over the gateway, `post` makes a message of the bot's and shows it,
    `remove` takes it away."""

    def __init__(
        self,
        new_id: Callable[[], str],
        channel: Callable[[str], Json],
        tell: Callable[[str, Json], None],
        post: Callable[..., Json],
        remove: Callable[[str], None],
    ) -> None:
        self.registered: list[Json] = []
        self.registrations = 0
        self.uses: dict[str, Use] = {}
        self.expired = False
        """Whether tokens hold no more."""
        self.slow = False
        """Whether acknowledgements never arrive."""
        self.faults: list[Fault] = []
        """For the next answers that take the place of a command."""
        self._new_id = new_id
        self._channel = channel
        self._tell = tell
        self._post = post
        self._remove = remove

    def use(self, text: str, channel: str, user: Json, *, direct: bool, kind: int = 2) -> Use:
        """Somebody picks a slash command, or types its argument (`kind` 4)."""
        name, _, argument = text.removeprefix("/").partition(" ")
        known = next(command for command in self.registered if command["name"] == name)
        options = known.get("options", [])
        given = [
            {"name": options[0]["name"], "type": 3, "value": argument, "focused": kind == 4}
            for _ in options[:1]
            if argument or kind == 4
        ]
        data = {"id": "1", "name": name, "type": 1, "options": given}
        return self._begin(kind, data, channel, user, direct=direct)

    def press(self, under: Json, command: str, user: Json, *, direct: bool) -> Use:
        """Somebody presses the button that carries the command."""
        buttons = [each for row in under["components"] for each in row["components"]]
        key = next(each["custom_id"] for each in buttons if each["custom_id"].endswith(command))
        data = {"custom_id": key, "component_type": 2}
        return self._begin(3, data, under["channel_id"], user, direct=direct, message=under)

    def complaints(self) -> list[str]:
        now = time.monotonic()
        return [
            f"interaction {use.id} was not acknowledged in time"
            for use in self.uses.values()
            if (use.acknowledged or now) - use.began > ACKNOWLEDGE_SECONDS and not self.slow
        ]

    # REST

    async def register(self, request: web.Request) -> web.Response:
        self.registered = await request.json()
        self.registrations += 1
        for command in self.registered:
            fits = len(command["description"]) <= 100 and all(
                option["name"] == option["name"].lower() and " " not in option["name"]
                for option in command["options"]
            )
            if not fits:
                return refusal(400, "Invalid Form Body", code=50035)
        return answer(self.registered)

    async def callback(self, request: web.Request) -> web.Response:
        use = self.uses[request.match_info["interaction"]]
        wanted = await request.json()
        if use.acknowledged is not None:
            return refusal(400, "Interaction has already been acknowledged.", code=40060)
        if self.slow or time.monotonic() - use.began > ACKNOWLEDGE_SECONDS:
            return refusal(404, "Unknown interaction", code=10062)
        use.acknowledged, use.kind = time.monotonic(), wanted["type"]
        data = wanted.get("data") or {}
        use.thinking = use.kind == 5
        use.ephemeral = bool(data.get("flags", 0) & 64)
        use.completions = [choice["name"] for choice in data.get("choices", [])]
        return answer({"interaction": {"id": use.id, "type": 2}})

    async def show(self, request: web.Request) -> web.Response:
        use = self._of(request)
        if use is None or use.kind != 5 or not (use.thinking or use.original):
            return refusal(*_UNKNOWN, code=10015)
        loading = message(use.id, use.channel, "", BOT_USER) | {"flags": 1 << 7}
        return answer(use.original or loading)

    async def edit(self, request: web.Request) -> web.Response:
        use = self._of(request)
        if use is None or use.kind != 5 or not (use.thinking or use.original):
            return refusal(*_UNKNOWN, code=10015)
        wanted = await request.json()
        if wrong := trouble(wanted):
            return wrong
        fault = self.faults.pop(0) if self.faults else None
        if fault is Fault.LOST and request.transport:
            request.transport.abort()
            return answer({})
        if fault is Fault.BROKEN:
            return refusal(503, "upstream")
        use.thinking = False
        if use.original is not None:
            use.original |= {"content": wanted["content"].strip()}
        elif use.ephemeral:
            use.original = self._whisper(use, wanted)
        else:
            kept = {"id": use.id, "type": 2, "user": use.user}
            use.original = self._post(use.channel, wanted, interaction_metadata=kept)
        if fault is Fault.DROPPED and request.transport:
            request.transport.abort()
        return answer(use.original)

    async def delete(self, request: web.Request) -> web.Response:
        use = self._of(request)
        if use is None or not (use.thinking or use.original):
            return refusal(*_UNKNOWN, code=10015)
        use.thinking = False
        if use.original is not None and not use.ephemeral:
            self._remove(use.original["id"])
        return web.Response(status=204)

    async def follow_up(self, request: web.Request) -> web.Response:
        use = self._of(request)
        if use is None or use.acknowledged is None:
            return refusal(*_UNKNOWN, code=10015)
        wanted = await request.json()
        if wrong := trouble(wanted):
            return wrong
        if wanted.get("flags", 0) & 64:
            return answer(self._whisper(use, wanted))
        return answer(self._post(use.channel, wanted))

    def _begin(
        self, kind: int, data: Json, channel: str, user: Json, *, direct: bool, **more: Any
    ) -> Use:
        use = Use(id=self._new_id(), channel=channel, user=user, began=time.monotonic())
        self.uses[use.id] = use
        who = {"user": user} if direct else {"member": {**MEMBER, "user": user, "permissions": "0"}}
        where = {} if direct else {"guild_id": str(GUILD)}
        self._tell(
            "INTERACTION_CREATE",
            {
                "id": use.id,
                "application_id": str(APPLICATION),
                "type": kind,
                "token": use.token,
                "version": 1,
                "data": data,
                "channel_id": channel,
                "channel": self._channel(channel),
                "attachment_size_limit": 10,
                **where,
                **who,
                **more,
            },
        )
        return use

    def _of(self, request: web.Request) -> Use | None:
        token = request.match_info["token"]
        found = [use for use in self.uses.values() if use.token == token]
        return found[0] if found and not self.expired else None

    def _whisper(self, use: Use, wanted: Json) -> Json:
        text = wanted["content"].strip()
        whisper = message(self._new_id(), use.channel, text, BOT_USER) | {"flags": 64}
        use.whispers.append(whisper)
        return whisper
