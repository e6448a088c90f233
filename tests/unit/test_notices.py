"""What the bot says of itself, and when it is asked for that."""

import pytest

from hobnob.commands import COMMANDS
from hobnob.notices import DISCLOSURE, asked_if_ai, introduced, tell
from hobnob.persona import Persona
from hobnob.testing.adapter import FakeAdapter

people = FakeAdapter()
ROBIN = Persona(name="Robin", text="You are Robin.")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Are you a bot?", "en"),
        ("wait. are u actually human", "en"),
        ("r u real", "en"),
        ("are you for real?", "en"),
        ("Am I talking to a real person?", "en"),
        ("am I chatting with an AI or a human being", "en"),
        ("be honest: are you ChatGPT?", "en"),
        ("is this a bot", "en"),
        ("are you really just a language model?", "en"),
        ("Bist du ein Mensch?", "de"),
        ("bist du eigentlich eine KI", "de"),
        ("Rede ich mit einem Roboter?", "de"),
        ("¿Eres un bot?", "es"),
        ("eres una persona real?", "es"),
        ("Tu es un robot ?", "fr"),
        ("es-tu vraiment humaine ?", "fr"),
        ("T’es une IA ?", "fr"),
        ("你是机器人吗？", "zh"),
        ("你到底是不是真人", "zh"),
        ("你是AI吗", "zh"),
    ],
)
def test_who_asks_whether_it_is_an_ai_is_told(text: str, language: str) -> None:
    assert asked_if_ai(text) == language
    told = tell(people.event(text), ROBIN)
    assert "Robin" in told
    assert introduced(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "Are you hungry?",
        "is this real leather?",
        "are you at the computer?",
        "are you people coming tonight?",
        "my phone is a computer, are you proud of me?",
        "I am human and so is my dog",
        "can you write a program for a robot?",
        "are you free on monday",
        "are you a real fan of AI music or not? " + "and so on " * 20,
        "bist du müde",
        "eres muy amable",
        "tu es gentil",
        "你是哪里人",
    ],
)
def test_other_questions_are_the_models(text: str) -> None:
    assert asked_if_ai(text) is None


def test_help_lists_every_command_and_says_what_it_is() -> None:
    told = tell(people.event("/help"), ROBIN)
    assert "an AI" in told
    assert all(f"/{command.name}: " in told for command in COMMANDS)


def test_privacy_says_where_words_go() -> None:
    here = tell(people.event("/privacy"), ROBIN)
    assert "nobody else is sent what you write" in here
    there = tell(people.event("/privacy"), ROBIN, contact="a@b.org", host="models.example")
    assert "models.example" in there
    assert "nobody else" not in there
    assert there.endswith("Questions: a@b.org")


def test_an_unknown_command_is_named() -> None:
    assert tell(people.event("/frob me"), ROBIN).startswith("I know no command /frob.")


def test_an_introduction_is_added_only_where_it_is_missing() -> None:
    assert introduced("Hello!") == f"Hello!\n\n{DISCLOSURE}"
    assert introduced("Hello, I'm an AI.") == "Hello, I'm an AI."
    assert introduced("I said so in Paris.") != "I said so in Paris."
