"""A persona as a card that others can read, in version 3."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from hobnob.persona import Persona

EXTENSION = "hobnob"


def card(persona: Persona, raw: Mapping[str, Any] | None) -> dict[str, Any]:
    """The card of `persona`; `raw` is the one that it came from, whose unknown parts are kept."""
    data = dict(_data(raw)) if raw is not None else _of(persona)
    lists = ("alternate_greetings", "group_only_greetings", "tags")
    texts = (
        *("name", "description", "personality", "scenario", "first_mes", "mes_example"),
        *("system_prompt", "post_history_instructions", "creator_notes", "creator"),
        "character_version",
    )
    needed: dict[str, Any] = {**dict.fromkeys(texts, ""), **{key: [] for key in lists}}
    return {
        "spec": "chara_card_v3",
        "spec_version": "3.0",
        "data": {**needed, "extensions": {}, **data},
    }


def _data(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    data = raw.get("data")
    return data if isinstance(data, Mapping) else raw


def _of(persona: Persona) -> dict[str, Any]:
    examples = [
        f"<START>\n{{{{user}}}}: {each.user}\n{{{{char}}}}: {each.assistant}"
        for each in persona.examples
    ]
    return {
        "name": persona.name,
        "description": "",
        "system_prompt": persona.text,
        "post_history_instructions": persona.style,
        "first_mes": persona.greeting,
        "mes_example": "\n".join(examples),
        "extensions": {EXTENSION: {"sampling": asdict(persona.sampling)}},
    }
