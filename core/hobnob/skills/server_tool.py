"""A tool of a server: what a model and people are told of it, and what it may be given. Which tools
there are, and which only read, the owner says."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hobnob.errors import SkillRefused
from hobnob.events import Tool
from hobnob.skills.skill import Context
from hobnob.text import one_line

if TYPE_CHECKING:
    from mcp.types import Tool as Listed

LONGEST_ABOUT = 500
"""Characters of a description."""
LONGEST_SCHEMA = 8000

Call = Callable[[str, Mapping[str, Any]], Awaitable[str]]
"""What a tool says, by the server's name for it and its arguments. Raises SkillRefused."""


def offered(server: str, tool: str) -> str:
    """The name under which a model knows a server's tool."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")[:64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTool:
    """A tool of a server (`hobnob.skills.doing.Doable`)."""

    server: str
    """Its name."""
    its_name: str
    """The tool's, as the server knows it."""
    tool: Tool
    writes: bool
    seconds: float
    call: Call

    @classmethod
    def of(
        cls, listed: "Listed", *, server: str, writes: bool, seconds: float, call: Call
    ) -> "ServerTool":
        schema = json.dumps(listed.input_schema, ensure_ascii=False)
        if len(schema) > LONGEST_SCHEMA:
            schema = '{"type": "object"}'
        tool = Tool(
            name=offered(server, listed.name),
            description=one_line(listed.description or listed.title or "")[:LONGEST_ABOUT],
            parameters=schema,
        )
        return cls(
            server=server,
            its_name=listed.name,
            tool=tool,
            writes=writes,
            seconds=seconds,
            call=call,
        )

    @property
    def about(self) -> str:
        """Not in the server's words: a person decides by this."""
        return f"Let {self.server} do “{self.its_name}”, with:"

    def arguments(self, text: str) -> Mapping[str, Any]:
        """What somebody wrote behind its name: a word for each parameter, of which the last takes
        the rest of the line, or JSON. Raises SkillRefused with the usage."""
        if text.startswith("{"):
            return self.checked(text)
        schema = json.loads(self.tool.parameters)
        known = _table(schema.get("properties"))
        words = text.split(maxsplit=len(known) - 1) if known else [text] * bool(text)
        given = {
            name: word if _table(kind).get("type") == "string" else _value(word)
            for (name, kind), word in zip(known.items(), words, strict=False)
        }
        try:
            if len(words) > len(known):
                raise SkillRefused("It takes less than that.")
            return self.checked(json.dumps(given))
        except SkillRefused as refused:
            needed = schema.get("required")
            needed = needed if isinstance(needed, list) else []
            shown = [f"<{name}>" if name in needed else f"[{name}]" for name in known]
            usage = " ".join([f"/{self.server} {self.its_name}", *shown])
            raise SkillRefused(f"{refused} Like this: {usage}") from None

    def checked(self, arguments: str) -> Mapping[str, Any]:
        """By the server's own schema. Raises SkillRefused."""
        from jsonschema import Draft202012Validator
        from referencing import Registry

        try:
            given: Any = json.loads(arguments)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise SkillRefused("Wrong arguments. They must be a JSON object.")
        schema = json.loads(self.tool.parameters)
        nothing: Any = Registry()  # what a schema refers to elsewhere is not fetched
        try:
            Draft202012Validator.check_schema(schema)
            errors = list(Draft202012Validator(schema, registry=nothing).iter_errors(given))
        except Exception:  # a stranger's schema: the server knows what it means, or nobody does
            return given
        if errors:
            wrong = (f"{each.json_path.lstrip('$.') or 'all'}: {each.message}" for each in errors)
            raise SkillRefused(f"Wrong arguments. {'; '.join(wrong)[:500]}")
        return given

    async def run(self, arguments: Mapping[str, Any], context: Context) -> str:
        return await self.call(self.its_name, arguments)


def _table(value: Any) -> Mapping[str, Any]:
    """`value`, if it is what belongs there in a schema."""
    return value if isinstance(value, dict) else {}


def _value(word: str) -> Any:
    """What a word means that stands for no text: 2, true; else itself."""
    try:
        return json.loads(word)
    except ValueError:
        return word
