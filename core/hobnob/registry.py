"""Adapters, engines and skills by name: the entry points of what is installed.

A package adds its own under the groups `hobnob.adapters`, `hobnob.engines` and `hobnob.skills`. An
adapter's class has `Options`, a pydantic model of its table in bot.toml (secrets as SecretStr), and
is constructed from one; an engine's class is made from `ModelOptions`; a skill is a function.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from pydantic import BaseModel

from hobnob import validate
from hobnob.errors import ConfigError, MissingExtra
from hobnob.persona import nearest
from hobnob.ports import Adapter, Engine, ModelOptions

ADAPTERS = "hobnob.adapters"
ENGINES = "hobnob.engines"
SKILLS = "hobnob.skills"
SKILLS_KEY = "tools.skills"


def adapter(name: str, options: Mapping[str, Any]) -> Adapter:
    """The adapter of a platform, from its table in bot.toml.

    Raises ConfigError with all that is wrong in the table, and MissingExtra.
    """
    kind = _load(ADAPTERS, name, f"platforms.{name}")
    made: Adapter = kind(_checked(kind, name, options))
    return made


def secrets(name: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """What no log may show of a platform's table. Raises like `adapter`."""
    kind = _load(ADAPTERS, name, f"platforms.{name}")
    return tuple(validate.secrets(_checked(kind, name, options)))


def engine(name: str, options: ModelOptions) -> Engine:
    """The engine of that name. Raises ConfigError and MissingExtra."""
    made: Engine = _load(ENGINES, name, "model.engine")(options)
    return made


def skill(name: str, folder: Path) -> Callable[..., Any]:
    """The function of a skill: an installed one by its name, or "module:function", where the
    module is a file in `folder` or can be imported. Raises ConfigError and MissingExtra."""
    module, colon, function = name.partition(":")
    if not colon:
        found = _load(SKILLS, name, SKILLS_KEY)
    else:
        found = getattr(_module(module, folder), function, None) if module else None
    if not callable(found):
        raise ConfigError(f'{validate.FILE}: {SKILLS_KEY}: "{name}": there is no such function.')
    return cast("Callable[..., Any]", found)


def _module(name: str, folder: Path) -> ModuleType:
    """The owner's own code may fail in any way while it is read."""
    file = folder / f"{name}.py"
    at = f'{validate.FILE}: {SKILLS_KEY}: "{name}"'
    try:
        if not file.is_file():
            return import_module(name)
        spec = spec_from_file_location(f"hobnob_bot_{name}", file)
        if spec is None or spec.loader is None:
            raise ConfigError(f"{at}: {file} cannot be read as Python.")
        module = module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    except ModuleNotFoundError as error:
        if error.name != name:
            raise ConfigError(f"{at}: needs {error.name}, which is not installed.") from error
        raise ConfigError(f"{at}: there is no {file.name} beside {validate.FILE}.") from error
    except Exception as error:
        raise ConfigError(f"{at}: cannot be read: {type(error).__name__}: {error}") from error


def known(group: str) -> dict[str, EntryPoint]:
    """What is installed in a group, by name. hobnob's own can't be replaced by another's."""
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name not in found or _package(point) == "hobnob":
            found[point.name] = point
    return found


def _checked(kind: Any, name: str, options: Mapping[str, Any]) -> BaseModel:
    model: type[BaseModel] = kind.Options
    return validate.check(model, options, at=f"platforms.{name}")


def _load(group: str, name: str, key: str) -> Any:
    points = known(group)
    if name not in points:
        what = group.removeprefix("hobnob.").removesuffix("s")
        raise ConfigError(
            f'{validate.FILE}: {key}: unknown {what} "{name}". '
            + nearest(name, points, list_all=True)
        )
    point = points[name]
    try:
        return point.load()
    except ImportError as error:
        if (error.name or "").partition(".")[0] == point.module.partition(".")[0]:
            raise  # a module of its own is missing: no library would help
        raise MissingExtra(
            f"{name.capitalize()} needs a library that is not installed: "
            f"pip install '{_with_extra(point)}'"
        ) from error


def _with_extra(point: EntryPoint) -> str:
    extras = (point.dist.metadata.get_all("Provides-Extra") if point.dist else None) or []
    package = _package(point)
    return f"{package}[{point.name}]" if point.name in extras else package


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else ""
