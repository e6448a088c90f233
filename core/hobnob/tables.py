"""The tables of bot.toml: what may stand in each, with the errors for what may not."""

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from hobnob import cards
from hobnob.checkin.manners import Manners
from hobnob.conversation import ConversationKey
from hobnob.events import Sampling
from hobnob.hours import Span
from hobnob.policy import Rules
from hobnob.ports import Afterwards, ModelOptions
from hobnob.rooms import Rooms, Speak
from hobnob.skills.server_tool import offered
from hobnob.skills.servers import ServerOptions

_NAME = re.compile(r"\w[\w-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def _conversation(name: str) -> str:
    if name:
        ConversationKey.parse(name)
    return name


def _people(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"[a-z]+/\S+", name) for name in names):
        raise ValueError('holds something that is no person. Write them like "discord/1234567890".')
    return names


def _timezone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, like "Europe"
        if name != "UTC":  # which even a system without a time zone database knows
            raise ValueError(
                'is not a time zone. Write it like "Europe/Berlin" or "UTC".'
            ) from None
    return name


def _own_timezone(name: str) -> str:
    return name and _timezone(name)


Text = Annotated[str, Field(min_length=1)]
Conversation = Annotated[str, AfterValidator(_conversation)]
"""As `hobnob history` writes it; "": none."""
People = Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_people)]
"""As platform/id."""
Zone = Annotated[str, AfterValidator(_timezone)]
OwnZone = Annotated[str, AfterValidator(_own_timezone)]
"""A time zone; "": that of `[bot]`."""


class Table(BaseModel):
    """A table of bot.toml: fixed once read, and without keys that nobody reads."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class BotTable(Table):
    """`[bot]`."""

    name: str
    """Names the bot's folder of data. Letters, digits, - and _."""
    persona: Text = "persona.md"
    """A path relative to the bot's folder."""
    language: str = "en"
    timezone: Zone = "UTC"
    contact: str = ""
    """Whom to ask about privacy: an address, said by /privacy."""

    @field_validator("name")
    @classmethod
    def _a_name(cls, name: str) -> str:
        return valid_name(name)

    @field_validator("persona")
    @classmethod
    def _a_persona_file(cls, path: str) -> str:
        if not path.endswith((".md", ".toml", *cards.SUFFIXES)):
            raise ValueError(
                "must be a file that ends in .md or .toml, or a character card (.json, .png, "
                ".charx)."
            )
        return path

    @field_validator("language")
    @classmethod
    def _a_language(cls, code: str) -> str:
        if not _LANGUAGE.fullmatch(code):
            raise ValueError('must be a language code, like "en" or "pt-BR".')
        return code


class ModelTable(Table):
    """`[model]`. What it leaves out of the sampling, the persona says."""

    engine: Text = "transformers"
    name: Text = "starter"
    device: Text = "auto"
    dtype: Text = "auto"
    max_new_tokens: int | None = Field(default=None, ge=1, le=8192)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    repetition_penalty: float | None = Field(default=None, ge=1, le=2)
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    sees: bool = False
    """The model on the server takes pictures."""
    calls_tools: bool = False
    """The model on the server can call tools."""

    @model_validator(mode="after")
    def _no_server_in_process(self) -> Self:
        if self.engine == "transformers" and (self.base_url or self.api_key.get_secret_value()):
            raise ValueError(
                'base_url and api_key are for engine = "openai"; "transformers" needs no server.'
            )
        if self.engine in ("transformers", "openvino") and self.sees:
            raise ValueError(
                'sees is for engine = "openai": a model in this program is given text alone.'
            )
        if self.engine in ("transformers", "openvino") and self.calls_tools:
            raise ValueError(
                'calls_tools is for engine = "openai": of a model in this program its chat '
                "template says so."
            )
        return self

    @property
    def host(self) -> str:
        """Where a model that is not on this machine is."""
        host = urlsplit(self.base_url).hostname or ""
        return "" if host in ("localhost", "127.0.0.1", "::1") else host

    def options(self, report: Callable[[str], None]) -> ModelOptions:
        return ModelOptions(
            name=self.name,
            device=self.device,
            dtype=self.dtype,
            base_url=self.base_url,
            api_key=self.api_key.get_secret_value(),
            sees=self.sees,
            calls_tools=self.calls_tools,
            report=report,
        )

    def sampling(self, persona: Sampling) -> Sampling:
        """The persona's sampling, with what stands here instead."""
        keys = {each.name for each in fields(Sampling)}
        ours = self.model_dump(include=keys, exclude_none=True)
        return replace(persona, **ours)


class StoreTable(Table):
    """`[store]`."""

    url: SecretStr = SecretStr("sqlite:///hobnob.db")

    @field_validator("url")
    @classmethod
    def _a_database(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"sqlite:///.|postgresql://.", url.get_secret_value()):
            raise ValueError(
                'must be "sqlite:///hobnob.db" (three slashes) or '
                '"postgresql://user:password@host/name".'
            )
        return url


class MemoryTable(Table):
    """`[memory]`: what the bot finds again of what was said."""

    embedder: Text = "starter"
    """"starter", "none", or an embedding model: a hub id or a path."""
    linked: tuple[tuple[str, ...], ...] = Field(default=(), strict=False)
    """Conversations that are one place: what was said in one is remembered in the others."""
    facts: Literal["rules", "model"] = "rules"
    """What people say of themselves is found by rules alone, or by the model as well."""
    summaries: Literal["extract", "model"] = "extract"
    """What no longer fits the prompt is summed up by what people said, or by the model."""

    @field_validator("linked")
    @classmethod
    def _conversations(cls, groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        names = [name for group in groups for name in group]
        for name in names:
            ConversationKey.parse(name)
        if any(len(group) < 2 for group in groups):
            raise ValueError("holds a list of less than two conversations: nothing to link.")
        if len(names) != len(set(names)):
            raise ValueError(
                "names a conversation twice. Put all that belong together in one list."
            )
        return groups

    @property
    def links(self) -> tuple[frozenset[ConversationKey], ...]:
        return tuple(frozenset(map(ConversationKey.parse, group)) for group in self.linked)


class KnowledgeTable(Table):
    """`[knowledge]`: the documents that the bot answers from."""

    folder: str = ""
    """A path relative to the bot's folder; "": it has no documents."""
    links: str = ""
    """Where that folder is on the web: then answers link to their documents."""
    unknown: str = ""
    """What it says where the documents don't answer a question; "" says so in English."""

    @field_validator("links")
    @classmethod
    def _an_address(cls, links: str) -> str:
        if links and not re.fullmatch(r"https?://[^\s/]+/(?:\S*/)?", links):
            raise ValueError('must be an address that ends in /, like "https://example.com/help/".')
        return links


class EngageTable(Table):
    """`[engage]`: when the bot answers, and how much. A limit of 0 is none."""

    names: tuple[str, ...] = Field(default=(), strict=False)
    burst_seconds: float = Field(default=1.5, ge=0, le=60)
    answer_bots: bool = False
    per_user_per_minute: int = Field(default=20, ge=0, le=100_000)
    per_chat_per_minute: int = Field(default=60, ge=0, le=100_000)
    disclose: bool = True
    """The first answer in a conversation says that an AI writes it."""
    edited: Literal["keep", "update"] = "keep"
    """What becomes of an answer when its message is edited: "update" writes it anew."""
    deleted: Literal["keep", "remove"] = "remove"
    """What becomes of an answer when its message is deleted."""
    read_links: bool = False
    """The pages that a message links to are fetched and read before it is answered."""

    @field_validator("names")
    @classmethod
    def _names_with_letters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not all(re.search(r"\w", name) for name in names):
            raise ValueError("holds a name without a letter: every message would call it.")
        return names

    def rules(self, persona: str, **more: Any) -> Rules:
        """With the persona's own name among the names."""
        rules = self.model_dump(exclude={"edited", "deleted", "read_links"})
        sent = Afterwards(update=self.edited == "update", remove=self.deleted == "remove")
        return Rules(**{**rules, "names": (persona, *self.names), "sent": sent, **more})


class RoomsTable(Table):
    """`[rooms]`: what may be remembered where people talk with each other, and when the bot may
    speak there unasked."""

    remember: Literal["addressed", "all"] = "addressed"
    speak: Literal["addressed", "topics", "ambient"] = "addressed"
    topics: tuple[Text, ...] = Field(default=(), strict=False)
    one_in: int = Field(default=10, ge=1, le=10_000)
    per_hour: int = Field(default=2, ge=0, le=1000)
    quiet: tuple[str, ...] = Field(default=(), strict=False)

    @field_validator("quiet")
    @classmethod
    def _spans(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        return _valid_spans(spans)

    @model_validator(mode="after")
    def _topics_to_speak_of(self) -> Self:
        if self.speak == "topics" and not self.topics:
            raise ValueError('speak = "topics" needs topics, like topics = ["gardening"].')
        return self

    def rooms(self, zone: str) -> Rooms:
        return Rooms(
            remember_all=self.remember == "all",
            speak=Speak(self.speak),
            topics=self.topics,
            one_in=self.one_in,
            per_hour=self.per_hour,
            quiet=tuple(map(Span.parse, self.quiet)),
            zone=zone,
        )


class AssistantTable(Table):
    """`[assistant]`: reminders and to-dos."""

    enabled: bool = False


class McpTable(Table):
    """`[[tools.mcp]]`: a server of the Model Context Protocol, whose tools a model may call."""

    name: str
    allow: tuple[Text, ...] = Field(strict=False)
    """Its tools that are used."""
    reads: tuple[Text, ...] = Field(default=(), strict=False)
    """Those of them that change nothing. Before any other is called, the person is asked."""
    command: tuple[Text, ...] = Field(default=(), strict=False)
    """The program and its arguments."""
    env: Mapping[str, SecretStr] = {}
    """The program's environment."""
    url: str = ""
    """Where it is, instead of a program."""
    token: SecretStr = SecretStr("")
    """What it lets us in with."""

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z]{1,24}", name):
            raise ValueError("must be 1 to 24 letters from a to z: it begins its tools' names.")
        return name

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either a command or a url.")
        if self.url and not re.match(r"https?://[^\s/]", self.url):
            raise ValueError('url must be an address, like "https://example.com/mcp".')
        if (self.env and self.url) or (self.token.get_secret_value() and self.command):
            raise ValueError("env is for a command, and token for a url.")
        if not self.allow:
            raise ValueError("allow names no tool: then it is of no use.")
        if unknown := sorted({*self.reads} - {*self.allow}):
            raise ValueError(f"reads names what is not allowed: {', '.join(unknown)}.")
        if len({offered(self.name, tool) for tool in self.allow}) < len(self.allow):
            raise ValueError("allow names a tool twice, or two whose names differ too little.")
        return self

    def options(self, folder: Path) -> ServerOptions:
        return ServerOptions(
            name=self.name,
            allow=self.allow,
            reads=frozenset(self.reads),
            command=self.command,
            folder=folder,
            url=self.url,
            env={name: secret.get_secret_value() for name, secret in self.env.items()},
            token=self.token.get_secret_value(),
        )


class CheckinTable(Table):
    """`[checkin]`: writing first, to those who ask for it."""

    enabled: bool = False
    at: str = "10:00"
    """When it writes to those who named no hour."""
    quiet: tuple[str, ...] = Field(default=("22:00-08:00",), strict=False)
    """When it never writes first, on their own clock."""
    unanswered: int = Field(default=3, ge=1, le=100)
    """After so many that nobody answered it waits."""
    rooms: bool = False
    questions: tuple[Text, ...] = Field(default=(), strict=False)

    @field_validator("at")
    @classmethod
    def _an_hour(cls, at: str) -> str:
        if not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", at):
            raise ValueError('must be a time of the day, like "10:00".')
        return at

    @field_validator("quiet")
    @classmethod
    def _spans(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        return _valid_spans(spans)

    def manners(self, *, zone: str, language: str) -> Manners:
        hour, minute = map(int, self.at.split(":"))
        return Manners(
            at=time(hour, minute),
            quiet=tuple(map(Span.parse, self.quiet)),
            unanswered=self.unanswered,
            rooms=self.rooms,
            questions=self.questions,
            zone=zone,
            language=language,
        )


class ToolsTable(Table):
    """`[tools]`: what people can have done by command, and models that call tools by themselves."""

    skills: tuple[Text, ...] = Field(default=(), strict=False)
    """Names of installed skills, or "module:function"."""
    mcp: tuple[McpTable, ...] = Field(default=(), strict=False)

    @field_validator("skills")
    @classmethod
    def _each_once(cls, skills: tuple[str, ...]) -> tuple[str, ...]:
        if len(skills) != len(set(skills)):
            raise ValueError("names a skill twice.")
        return skills

    @field_validator("mcp")
    @classmethod
    def _names_of_their_own(cls, servers: tuple[McpTable, ...]) -> tuple[McpTable, ...]:
        if len(servers) != len({server.name for server in servers}):
            raise ValueError("has two of the same name. Each needs a name of its own.")
        return servers


def valid_name(name: str) -> str:
    """`name`, if a bot may have it. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a bot's name is 1 to 64 letters, digits, - or _, and does not begin with -."
        )
    return name


def _valid_spans(spans: tuple[str, ...]) -> tuple[str, ...]:
    for span in spans:
        Span.parse(span)
    return spans
