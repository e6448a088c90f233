"""What the bot says of itself in words that no model writes: what it is, what it keeps, what it can
do. Pure."""

import re
from collections.abc import Sequence

from hobnob.commands import COMMANDS, words
from hobnob.events import Event
from hobnob.persona import Persona
from hobnob.ports import Command
from hobnob.text import clean_name

TOO_MUCH = "That's a lot at once for me. Give me a minute, then I'm all ears again."
FAILED = "Sorry, something went wrong here, and I can't answer that. My owner can see why."
GREETING = "Hello! I'm {name}, an AI. Write to me whenever you like."
DISCLOSURE = "(I'm an AI. /help says what I can do, /privacy what I keep.)"
PRIVACY = """\
I'm an AI. {where}
What is said to me is kept in the database of whoever set me up here, so that I remember it: \
/memory shows what I know about you, /memory why 1 where I have it from.
/forget everything deletes all that you ever said to me, and all that was made of it. \
/incognito makes me keep nothing from then on. What is said in private is never told in a room."""
FOR_ONE = "My answer is for you alone, and I can't write to you in private. {how}"
LISTENS = (
    "In rooms I read along: what people say there to each other is kept too, and is remembered "
    "in that room alone."
)
HERE = "I run on a computer of whoever set me up here; nobody else is sent what you write."
ELSEWHERE = "What I answer is written by a model at {host}, which is sent what you write."
HONEST = {
    "en": "I'm {name}, an AI. A program writes what I say, no person does.",
    "de": "Ich bin {name}, eine KI. Was ich sage, schreibt ein Programm, kein Mensch.",
    "es": "Soy {name}, una IA. Lo que digo lo escribe un programa, no una persona.",
    "fr": "Je suis {name}, une IA. C'est un programme qui écrit ce que je dis, pas une personne.",
    "zh": "我是 {name}，一个人工智能。我说的话由程序写成，不是真人。",
}
_WHAT = {
    "en": r"(?:bot|chat ?bot|robot|ai|a\.i\.|human(?: being)?|person|machine|computer|program"
    r"|llm|language model|chatgpt|gpt)",
    "de": r"(?:bot|chatbot|roboter|ki|mensch(?:lich)?|echte?r? (?:mensch|person)|person|echt"
    r"|maschine|computer|programm|sprachmodell)",
    "es": r"(?:un bot|bot|robot|ia|inteligencia artificial|human[oa]|persona|real"
    r"|m[aá]quina|programa)",
    "fr": r"(?:bot|robot|ia|intelligence artificielle|humaine?|personne|r[eé]el(?:le)?|machine"
    r"|programme)",
}
_ASKS = {
    "en": r"\b(?:(?:are (?:you|u)|r u|is this"
    r"|am i (?:talking|speaking|chatting|writing) (?:to|with))"
    r"(?: (?:really|actually|just|even|only|maybe|some|a|an|real|live|actual|kind of|sort of|or|not"
    r"|human))* {what}\b|^(?:are|r) (?:you|u) (?:for )?real\b)",
    "de": r"\b(?:bist du|sind sie|seid ihr|(?:rede|spreche|schreibe|chatte) ich (?:mit|hier mit))"
    r"(?: (?:wirklich|eigentlich|nur|denn|etwa|ein|eine|einem|einer|echt|echter|echten|hier))*"
    r" {what}\b",
    "es": r"\b(?:eres|es usted|hablo con|estoy hablando con)"
    r"(?: (?:realmente|de verdad|un|una|solo|acaso))* {what}\b",
    "fr": r"\b(?:es[- ]tu|tu es|t'es|êtes[- ]vous|vous êtes|je parle (?:à|avec))"
    r"(?: (?:vraiment|un|une|juste|bien|vrai|vraie))* {what}\b",
}
_ASKED = {
    **{
        language: re.compile(pattern.format(what=_WHAT[language]))
        for language, pattern in _ASKS.items()
    },
    "zh": re.compile(
        r"你(?:到底|真的|究竟|其实)?是(?:不是|一?个)?(?:真的)?(?:机器人|真人|人类|人工智能|AI|ai|程序|人吗)"
    ),
}
LONGEST = 160
"""Characters of a message that is this question and nothing else."""
SAYS_SO = re.compile(r"\bAIs?\b|\bA\.I\.|\bKI\b|\bIA\b|artificial|künstlich|人工智能|\bbot\b", re.I)


def asked_if_ai(text: str) -> str | None:
    """The language in which somebody asks whether a person or a machine writes here; None if
    nobody does."""
    asked = " ".join(text.casefold().replace("’", "'").split())
    if len(asked) > LONGEST:
        return None
    return next((name for name, pattern in _ASKED.items() if pattern.search(asked)), None)


def tell(
    event: Event,
    persona: Persona,
    *,
    known: Sequence[Command] = COMMANDS,
    contact: str = "",
    host: str = "",
    listens: bool = False,
) -> str:
    """What is always true, asked by a command or in words. `known` are the commands there are,
    `contact` is whom to ask about privacy, `host` where the model is if not here; with `listens`
    what is said in rooms is remembered too."""
    hello = greeting(persona, clean_name(event.author.name))
    match words(event):
        case ["start", *_]:
            return hello
        case ["help", *_]:
            lines = [f"/{command.name}: {command.description}" for command in known]
            return "\n".join([hello, "", *lines])
        case ["privacy", *_]:
            told = PRIVACY.format(where=ELSEWHERE.format(host=host) if host else HERE)
            told = f"{told}\n{LISTENS}" if listens else told
            return f"{told}\nQuestions: {contact}" if contact else told
        case [name, *_]:
            return f"I know no command /{name[:32]}. /help lists those that I know."
        case _:
            language = asked_if_ai(event.text) or "en"
            return HONEST[language].format(name=persona.name)


def for_one(how: str) -> str:
    """Said in a room instead of what is for one person alone and could not be said to them in
    private. `how` says what they can do about it."""
    return FOR_ONE.format(how=how)


def greeting(persona: Persona, whom: str) -> str:
    hello = persona.greeting.replace("{{user}}", whom) or GREETING.format(name=persona.name)
    return introduced(hello)


def introduced(said: str) -> str:
    """`said`, with a line that says that an AI said it, unless it says so itself."""
    return said if SAYS_SO.search(said) else f"{said}\n\n{DISCLOSURE}"
