"""A typed Python function as something people can ask for: its command, and its arguments out of
what they wrote."""

import asyncio
import contextlib
import inspect
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model

from hobnob.errors import ConfigError, SkillRefused
from hobnob.events import Tool
from hobnob.ports import Command

NAME = re.compile(r"[a-z]{1,32}")
KINDS = (str, int, float, bool)
LONGEST_DESCRIPTION = 100
LONGEST_ARGUMENT = 32
SECONDS = 5.0
"""That a skill may take."""

Function = TypeVar("Function", bound=Callable[..., Any])
WRITING: set[Callable[..., Any]] = set()


def writes(function: Function) -> Function:
    """A skill that changes something, and is to do that once: a model that wants it has to have
    the person asked first, and it is not run again after a crash."""
    WRITING.add(function)
    return function


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a function is given if it has a parameter of this type."""

    now: datetime
    zone: str
    """That of whoever asks, where it is known (`/timezone`); else `[bot] timezone`."""
    chance: Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    function: Callable[..., Any]
    command: Command
    usage: str
    parameters: type[BaseModel]
    """What people say."""
    context: str
    """The name of the parameter that takes the `Context`; "": none does."""
    rest: bool
    """The last parameter is text, and takes the rest of the line."""
    writes: bool
    """It changes something, and is not to be run twice."""
    seconds: float = SECONDS

    @classmethod
    def of(cls, function: Callable[..., Any], at: str) -> "Skill":
        """Raises ConfigError, which says at which key of bot.toml, if `function` cannot be one."""
        name = getattr(function, "__name__", "")
        about = (inspect.getdoc(function) or "").partition("\n")[0].strip().removesuffix(".")
        if not NAME.fullmatch(name):
            raise ConfigError(f"{at}: the function's name must be 1 to 32 letters from a to z.")
        if not 0 < len(about) <= LONGEST_DESCRIPTION:
            raise ConfigError(
                f"{at}: {name} needs a docstring whose first line says what it does, in at most "
                f"{LONGEST_DESCRIPTION} characters."
            )
        try:
            hints = get_type_hints(function, include_extras=True)
        except Exception as error:  # a hint can be any expression
            raise ConfigError(f"{at}: the types of {name} cannot be read: {error}") from error
        given = inspect.signature(function).parameters
        context = next((each for each in given if hints.get(each) is Context), "")
        said = {each: given[each] for each in given if each != context}
        for each, parameter in said.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise ConfigError(f"{at}: {name} may not have {parameter}.")
            if not _sayable(hints.get(each)):
                raise ConfigError(
                    f"{at}: the parameter {each} of {name} must be str, int, float, bool, or a "
                    "Literal of texts."
                )
        words = [f"<{each}>" if p.default is p.empty else f"[{each}]" for each, p in said.items()]
        only = hints[next(iter(said))] if len(said) == 1 else None
        return cls(
            function=function,
            command=Command(
                name=name,
                description=about,
                argument="_".join(said)[:LONGEST_ARGUMENT],
                choices=get_args(only) if get_origin(only) is Literal else (),
            ),
            usage=" ".join([f"/{name}", *words]),
            parameters=_model(name, said, hints, at),
            context=context,
            rest=bool(said) and _plain(hints[list(said)[-1]]) is str,
            writes=function in WRITING,
        )

    @property
    def tool(self) -> Tool:
        """What a model is told of it: all of the docstring."""
        name, about = self.command.name, inspect.getdoc(self.function) or ""
        return Tool(name=name, description=about, parameters=json.dumps(self.schema))

    @property
    def about(self) -> str:
        return self.command.description

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of its parameters, as models that call tools are shown it."""
        return self.parameters.model_json_schema()

    def arguments(self, text: str) -> Mapping[str, Any]:
        """What `text` says, for each parameter. Raises SkillRefused with the usage."""
        names = list(self.parameters.model_fields)
        most = len(names) - 1 if self.rest else -1
        text = text.strip()
        words = text.split(maxsplit=most) if most else [text] * bool(text)
        if len(words) > len(names):
            raise SkillRefused(f"Like this: {self.usage}")
        try:
            found = self.parameters.model_validate_strings(dict(zip(names, words, strict=False)))
        except ValidationError as error:
            raise SkillRefused(f"Like this: {self.usage}{_choices(error)}") from None
        return {name: getattr(found, name) for name in names}

    def checked(self, arguments: str) -> Mapping[str, Any]:
        """What a model gives for each parameter, as JSON. Raises SkillRefused with what is wrong,
        without repeating it."""
        try:
            found = self.parameters.model_validate_json(arguments)
        except ValidationError as error:
            wrong = (f"{_key(each['loc'])}: {each['msg']}" for each in error.errors())
            raise SkillRefused(f"Wrong arguments. {'; '.join(wrong)}.") from None
        return {name: getattr(found, name) for name in self.parameters.model_fields}

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Any:
        """What the function returns. Raises whatever it raises."""
        given = dict(arguments)
        if self.context:
            given[self.context] = context
        if inspect.iscoroutinefunction(self.function):
            return await self.function(**given)
        return await _in_thread(lambda: self.function(**given))


def _plain(hint: Any) -> Any:
    """Without the bounds that `Annotated` gives."""
    return get_args(hint)[0] if hasattr(hint, "__metadata__") else hint


def _sayable(hint: Any) -> bool:
    plain = _plain(hint)
    if get_origin(plain) is Literal:
        return all(isinstance(choice, str) for choice in get_args(plain))
    return plain in KINDS


def _model(
    name: str, said: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], at: str
) -> type[BaseModel]:
    fields: dict[str, Any] = {
        each: (hints[each], ... if parameter.default is parameter.empty else parameter.default)
        for each, parameter in said.items()
    }
    try:
        config = ConfigDict(allow_inf_nan=False, extra="forbid")
        model: type[BaseModel] = create_model(name, __config__=config, **fields)
    except (PydanticUserError, NameError, TypeError) as error:
        raise ConfigError(f"{at}: the parameters of {name} cannot be used: {error}") from error
    return model


def _key(parts: tuple[int | str, ...]) -> str:
    return ".".join(map(str, parts)) or "all"


def _choices(error: ValidationError) -> str:
    """What may be written instead, where there is a choice."""
    literals = [each for each in error.errors() if each["type"] == "literal_error"]
    expected = [each.get("ctx", {})["expected"] for each in literals]
    return f" ({expected[0]})" if expected else ""


async def _in_thread(call: Callable[[], Any]) -> Any:
    """In a thread of its own, which nothing waits for: one that hangs keeps neither the bot from
    its work nor the program from its end."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        result, failure = None, None
        try:
            result = call()
        except BaseException as error:  # SystemExit too: it is told as any other
            failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="skill", daemon=True).start()
    return await done
