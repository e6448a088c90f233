"""From a file to a checked table, with errors that tell its owner what to do.

Used for bot.toml and for the tables of the adapters. No error ever shows a value: it may be a
secret.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from hobnob.errors import ConfigError
from hobnob.persona import kind_of, nearest

FILE = "bot.toml"
Checked = TypeVar("Checked", bound=BaseModel)

_VARIABLE = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})?")
_EXPECTED = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": 'a list, like ["one", "two"]',
    "tuple": 'a list, like ["one", "two"]',
    "dict": "a table",
    "model": "a table",
}
_BOUNDS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}


def read_bytes(path: Path, *, most: int) -> bytes:
    """A file of at most `most` bytes. Raises ConfigError with what is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder, not a file.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(f"{path}: cannot be read: {why}.") from error
    if len(content) > most:
        raise ConfigError(f"{path}: is larger than {most // 1024} kB, so it is the wrong file.")
    return content


def read(path: Path, *, most: int) -> str:
    """The text of such a file. Raises ConfigError with what is wrong."""
    content = read_bytes(path, most=most)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: is not UTF-8 text. Save it as UTF-8.") from None


def expand(table: Mapping[str, Any], *, at: str = "") -> dict[str, Any]:
    """`table` with `$NAME` and `${NAME}` in its texts replaced by environment variables.

    `$$` is a dollar. Raises ConfigError with every variable that is missing or empty.
    """
    problems: list[str] = []
    expanded: dict[str, Any] = {}

    def replaced(value: Any, key: str) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda match: variable(match, key), value)
        if isinstance(value, Mapping):
            return {name: replaced(item, _join(key, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [replaced(item, key) for item in value]
        return value

    def variable(match: re.Match[str], key: str) -> str:
        if match[1]:
            return "$"
        name = match[2] or match[3]
        if name is None:
            problems.append(
                f"{FILE}: {key}: $ begins a variable's name here. Write $$ for a dollar."
            )
            return ""
        value = os.environ.get(name, "")
        if not value:
            problems.append(
                f"{FILE}: {key}: the environment variable {name} is not set or empty. "
                f"Set it before you start hobnob: export {name}=..."
            )
        return value

    try:
        expanded = replaced(table, at)
    except RecursionError:
        problems = [f"{FILE}: {at or 'a table'}: is nested too deeply."]
    if problems:
        raise ConfigError("\n".join(problems))
    return expanded


def check(
    model: type[Checked], table: Mapping[str, Any], *, at: str = "", file: str = FILE
) -> Checked:
    """`table`, found in `file` at the key `at`, as a `model`.

    Raises ConfigError with all that is wrong.
    """
    try:
        return model.model_validate(table, extra="forbid")
    except ValidationError as error:
        details = error.errors(include_url=False)
    # Out here, so that pydantic's error with the values in it is not chained to ours.
    raise ConfigError("\n".join(f"{file}: {_explain(model, problem, at)}" for problem in details))


def secrets(model: BaseModel) -> Iterator[str]:
    """Every secret in a checked table."""
    yield from _secrets(dict(model))


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr) and value.get_secret_value():
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        yield from secrets(value)
    elif isinstance(value, Mapping | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets(each)


def _explain(model: type[BaseModel], problem: ErrorDetails, at: str) -> str:
    *parents, last = problem["loc"] or ("",)
    key = _join(at, *problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{key}: unknown key. {nearest(str(last), _keys(model, parents))}"
    return f"{key}: {_what(problem)}"


def _what(problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    family, _, failure = kind.partition("_")
    if kind == "missing":
        return "is missing."
    if family in _EXPECTED and failure in ("type", "parsing", "from_float", "attributes_type"):
        return f"must be {_EXPECTED[family]}, not {kind_of(problem['input'])}."
    if kind in _BOUNDS:
        (bound,) = context.values()
        return f"must be {_BOUNDS[kind]} {bound:g}."
    if kind == "string_too_short":
        return "must not be empty."
    if kind == "value_error":
        return str(context["error"])
    return problem["msg"].replace("Input should be", "must be") + "."


def _keys(model: type[BaseModel], parents: list[str | int]) -> list[str]:
    """The keys that the table at `parents` knows; none where that cannot be told."""
    current: type[BaseModel] | None = model
    for parent in parents:
        if isinstance(parent, int):
            continue  # a table in a list: the list's field has led to its kind
        field = current.model_fields.get(parent) if current else None
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        tables = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
        current = next(tables, None)
    return [field.alias or name for name, field in current.model_fields.items()] if current else []


def _join(*parts: str | int) -> str:
    return ".".join(str(part) for part in parts if part != "")
