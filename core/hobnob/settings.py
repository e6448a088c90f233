"""From a bot's folder to a bot that is ready to be put together.

The tables of the platforms stay as they are written until they are asked for, so that talking in
the terminal needs neither a platform's library nor its token; their adapters check them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import platformdirs
from pydantic import Field, field_validator

import hobnob_bots
from hobnob import cards
from hobnob.errors import ConfigError
from hobnob.persona import MAX_BYTES, Persona, nearest, parse, parse_toml
from hobnob.policy import Rules
from hobnob.posts.table import PostTable, ReviewTable
from hobnob.support.table import SupportTable
from hobnob.tables import (
    AssistantTable,
    BotTable,
    CheckinTable,
    EngageTable,
    KnowledgeTable,
    MemoryTable,
    ModelTable,
    RoomsTable,
    StoreTable,
    Table,
    ToolsTable,
)
from hobnob.validate import FILE, check, expand, read, read_bytes, secrets

MAX_SETTINGS_BYTES = 1024 * 1024
LEAST_SECRET = 8
"""Characters."""


class Settings(Table):
    """bot.toml."""

    bot: BotTable
    model: ModelTable = ModelTable()
    store: StoreTable = StoreTable()
    memory: MemoryTable = MemoryTable()
    engage: EngageTable = EngageTable()
    rooms: RoomsTable = RoomsTable()
    assistant: AssistantTable = AssistantTable()
    checkin: CheckinTable = CheckinTable()
    tools: ToolsTable = ToolsTable()
    review: ReviewTable = ReviewTable()
    posts: tuple[PostTable, ...] = Field(default=(), strict=False)
    knowledge: KnowledgeTable = KnowledgeTable()
    support: SupportTable = SupportTable()
    platforms: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, repr=False)
    """As written: see `platform`."""

    @field_validator("posts")
    @classmethod
    def _names_of_their_own(cls, posts: tuple[PostTable, ...]) -> tuple[PostTable, ...]:
        names = [post.name for post in posts]
        if len(names) != len(set(names)):
            raise ValueError("has two of the same name. Each needs a name of its own.")
        return posts

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
            self.persona.name,
            contact=settings.bot.contact,
            model_host=settings.model.host,
            rooms=settings.rooms.rooms(settings.bot.timezone),
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show. The platforms' secrets are known to `registry.secrets`."""
        found = re.findall(r"://[^:/?@]*:([^@]+)@|[?&]password=([^&]+)", self.database_url)
        passwords = [secret for pair in found for secret in pair if secret]
        # A short value in a program's environment is a setting: "1" would hide every 1.
        of_tools = [each for each in secrets(self.settings.tools) if len(each) >= LEAST_SECRET]
        return (*secrets(self.settings.model), *of_tools, *passwords, *map(unquote, passwords))


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


def _shelf() -> Path:
    return Path(hobnob_bots.__path__[0]).absolute()


def _absolute(url: str, data: Path) -> str:
    scheme, slashes, rest = url.partition("sqlite:///")
    if not slashes or rest.startswith(":memory:"):
        return url
    path, mark, query = rest.partition("?")
    return f"{scheme}{slashes}{data.absolute() / path}{mark}{query}"
