"""bot.toml: what may stand in it, and from a folder to a bot that is ready to be put together.

The tables of the platforms stay as they are written until they are asked for, so that talking in
the terminal needs neither a platform's library nor its token; their adapters check them.
"""

import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

import hobnob_bots
from hobnob import cards
from hobnob.conversation import ConversationKey
from hobnob.errors import ConfigError
from hobnob.events import Sampling
from hobnob.persona import MAX_BYTES, Persona, nearest, parse, parse_toml
from hobnob.policy import Rules
from hobnob.ports import Afterwards, ModelOptions
from hobnob.validate import FILE, check, expand, read, read_bytes, secrets

MAX_SETTINGS_BYTES = 1024 * 1024
_NAME = re.compile(r"\w[\w-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

Text = Annotated[str, Field(min_length=1)]


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
    timezone: str = "UTC"
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

    @field_validator("timezone")
    @classmethod
    def _a_timezone(cls, name: str) -> str:
        try:
            zoneinfo.ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # OSError: a folder of zones, like "Europe"
            if name != "UTC":  # which even a system without a time zone database knows
                raise ValueError(
                    'is not a time zone. Write it like "Europe/Berlin" or "UTC".'
                ) from None
        return name


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


class Settings(Table):
    """bot.toml."""

    bot: BotTable
    model: ModelTable = ModelTable()
    store: StoreTable = StoreTable()
    memory: MemoryTable = MemoryTable()
    engage: EngageTable = EngageTable()
    platforms: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    """As written: see `platform`."""

    def platform(self, name: str) -> dict[str, Any]:
        """The table of one platform, with its environment variables. Raises ConfigError."""
        if name not in self.platforms:
            raise ConfigError(
                f"{FILE}: has no table [platforms.{name}]. {nearest(name, self.platforms)}"
            )
        return expand(self.platforms[name], at=f"platforms.{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A bot as its folder describes it."""

    folder: Path
    settings: Settings
    persona: Persona
    """With the sampling that counts: `[model]` goes before the persona's own."""
    database_url: str = field(repr=False)
    """Absolute."""

    @property
    def rules(self) -> Rules:
        settings = self.settings
        return settings.engage.rules(
            self.persona.name, contact=settings.bot.contact, model_host=settings.model.host
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show. The platforms' secrets are known to `registry.secrets`."""
        found = re.findall(r"://[^:/?@]*:([^@]+)@|[?&]password=([^&]+)", self.database_url)
        passwords = [secret for pair in found for secret in pair if secret]
        return (*secrets(self.settings.model), *passwords, *map(unquote, passwords))


def load(folder: Path, *, data: Path | None = None) -> Bot:
    """Read the bot in `folder`. Raises ConfigError with everything that is wrong.

    A relative sqlite path is relative to `data`: by default the bot's folder, or for a ready bot,
    whose folder belongs to the installation, its own folder in the user's data folder.
    """
    folder = folder.absolute()
    table = parse_toml(read(folder / FILE, most=MAX_SETTINGS_BYTES), FILE)
    platforms = {"platforms": table.pop("platforms")} if "platforms" in table else {}
    settings = check(Settings, {**expand(table), **platforms})
    persona = read_persona(folder / settings.bot.persona, settings.bot.persona)
    if data is None:
        ready = folder.parent == _shelf()
        data = platformdirs.user_data_path("hobnob") / settings.bot.name if ready else folder
    return Bot(
        folder=folder,
        settings=settings,
        persona=replace(persona, sampling=settings.model.sampling(persona.sampling)),
        database_url=_absolute(settings.store.url.get_secret_value(), data),
    )


def read_persona(file: Path, name: str) -> Persona:
    """A persona file or a character card; `name` names it in errors. Raises ConfigError."""
    if file.suffix in cards.SUFFIXES:
        return cards.load(read_bytes(file, most=cards.MAX_BYTES), name)
    return parse(read(file, most=MAX_BYTES), name)


def find(name: str) -> Path:
    """The folder of a bot: given as a path, as the path of its bot.toml, or by a ready bot's name.

    Raises ConfigError, listing the ready bots.
    """
    path, bots = Path(name), ready_bots()
    try:
        if path.name == FILE and path.is_file():
            return path.parent
        if (path / FILE).is_file():
            return path
        if name in bots:
            return bots[name]
        if path.is_dir():
            raise ConfigError(
                f"{name}: this folder has no {FILE}. Make a bot with: hobnob new FOLDER"
            )
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}.") from error
    raise ConfigError(
        f"{name}: is neither a bot's folder nor a ready bot. {nearest(name, bots, list_all=True)}"
    )


def ready_bots() -> dict[str, Path]:
    """The bots that come with hobnob, by name."""
    return {file.parent.name: file.parent for file in sorted(_shelf().glob(f"*/{FILE}"))}


def valid_name(name: str) -> str:
    """`name`, if a bot may have it. Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a bot's name is 1 to 64 letters, digits, - or _, and does not begin with -."
        )
    return name


def _shelf() -> Path:
    return Path(hobnob_bots.__path__[0]).absolute()


def _absolute(url: str, data: Path) -> str:
    scheme, slashes, rest = url.partition("sqlite:///")
    if not slashes or rest.startswith(":memory:"):
        return url
    path, mark, query = rest.partition("?")
    return f"{scheme}{slashes}{data.absolute() / path}{mark}{query}"
