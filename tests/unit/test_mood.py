"""What a message says about whether its author needs a person."""

import time

import pytest

from hobnob.support import mood
from hobnob.support.customer import _RATING

INNOCENT = (
    "Who is the person on the picture?",
    "I got an email from you, is this a scam?",
    "How do I know whether it is a scam?",
    "Das ist unfassbar gut, danke!",
    "Das ist das letzte Paket, oder?",
    "Das ist das letzte, was noch fehlt.",
    "THANK YOU SO MUCH!!",
    "VIELEN LIEBEN DANK!!",
    "HAPPY BIRTHDAY TO YOU!!",
    "MUCHAS GRACIAS POR TODO!!",
    "MERCI BEAUCOUP POUR TOUT!!",
    "I LOVE THIS SHOP SO MUCH!!",
    "is it useless without the cable?",
    "It is useless without batteries, right?",
    "I need a manager account for my shop",
    "Do I need a person to sign for the parcel?",
    "I want an agent for cleaning silver",
    "Can I give the parcel to another person?",
    "I want to write a person's name on the mug",
    "We need a representative sample of your tea.",
    "I need an employee discount",
    "Do you want a person or a company on the invoice?",
    "I want a human skull model",
    "Is it a joke present?",
    "That's a joke mug, right?",
    "Ich bin sauer auf meinen Bruder",
    "Ist das Betrug?",
    "Das ist Betrug, oder echt?",
    "Woran erkenne ich Betrüger?",
    "Es una estafa este correo?",
    "¿Esto es una estafa?",
    "C'est une arnaque ce mail ?",
    "C'est ridicule comme c'est beau",
    "如何识别骗子？",
    "我收到一封邮件，是骗子吗？",
    "what the hell is a samovar?",
    "What a waste of time it was to look elsewhere, you are great",
    "I don't want to talk to a human",
    "no need to speak to an agent",
    "Ich möchte nicht mit einem Menschen sprechen",
    "no quiero hablar con una persona",
    "je ne veux pas parler à un humain",
    "我不要人工客服",
    "no me hace falta hablar con un agente",
    "Can the kettle be used by one person?",
    "it is ridiculously cheap",
    "are you a scam?",
    "this is not a scam, is it?",
    "it's not useless at all",
    "das ist nicht lächerlich",
    "ich bin nicht sauer",
    "I'm not angry",
    "ce n'est pas ridicule",
    "no es una estafa",
    "I am not fed up",
    "Wie spät ist es?",
    "Estoy harta de mi tetera vieja",
    "YES PLEASE, THAT WOULD BE GREAT!!",
)
WANTS = (
    "Can I talk to a real person, please?",
    "I want to speak with a human",
    "let me speak to your manager",
    "I want to talk to somebody real",
    "get me a human",
    "connect me to an agent",
    "transfer me to a representative",
    "can I chat with a live agent",
    "give me a real human being",
    "I need to speak to a person now",
    "put me through to a supervisor",
    "Ich will mit einem Menschen sprechen",
    "Kann ich einen Mitarbeiter sprechen?",
    "Bitte verbinden Sie mich mit einem Mitarbeiter",
    "Ich möchte mit einem echten Menschen reden",
    "Quiero hablar con una persona",
    "quiero hablar con un agente",
    "puedo hablar con una persona real?",
    "Je veux parler à un humain",
    "Puis-je parler à un conseiller ?",
    "je voudrais parler avec une vraie personne",
    "转人工",
    "我要人工客服",
    "找真人",
    "我想和真人聊",
)
ANGRY = (
    "This is absolutely ridiculous",
    "you are useless",
    "this is unacceptable",
    "your service is a joke",
    "I'm furious",
    "I am so fed up with this",
    "wtf",
    "worst service ever",
    "fuck you",
    "stop wasting my time",
    "this is a scam",
    "you are a scam",
    "I will never buy from you again",
    "WHERE IS MY PACKAGE!!",
    "I WANT MY MONEY BACK NOW!!!",
    "Das ist eine Frechheit",
    "ihr seid Betrüger",
    "Das ist unfassbar",
    "ich bin stinksauer",
    "ich bin so wütend",
    "ich fühle mich verarscht",
    "esto es una vergüenza",
    "esto es inaceptable",
    "estoy harto",
    "son una estafa",
    "c'est inacceptable",
    "c'est une honte",
    "je suis furieux",
    "c'est une arnaque",
    "vous êtes des voleurs",
    "太过分了",
    "气死我了",
    "你们是骗子",
    "什么破公司",
    "我要投诉你们",
)
HOSTILE = (
    "want " * 400,
    "want" + "!" * 1990,
    "want " + "a " * 990,
    "this is " + "so " * 600,
    "bin " + "so" * 900,
    "verbinde " * 200,
    "this is so so so " * 120,
)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_people_write_by_the_way_calls_nobody(text: str) -> None:
    assert not mood.is_angry(text)
    assert not mood.wants_person(text)


@pytest.mark.parametrize("text", WANTS)
def test_who_asks_for_a_person(text: str) -> None:
    assert mood.wants_person(text)


@pytest.mark.parametrize("text", ANGRY)
def test_who_is_angry(text: str) -> None:
    assert mood.is_angry(text)


@pytest.mark.parametrize("text", ["2.5 kg", "3,50 €", "4:30 works for me", "5-10 days?", "2-3"])
def test_a_number_that_goes_on_is_no_rating(text: str) -> None:
    assert _RATING.fullmatch(text) is None


def test_a_rating_as_it_is_asked_for_in_chinese() -> None:
    found = _RATING.fullmatch("4，又快又好")
    assert found is not None
    assert found.groups() == ("4", "又快又好")


def test_nothing_that_is_said_takes_long() -> None:
    """Each takes less than a millisecond; what grows with the square of the length, seconds."""
    began = time.process_time()
    for text in HOSTILE:
        mood.is_angry(text)
        mood.wants_person(text)
    _RATING.fullmatch("5" + " " * 20_000 + "x")
    assert time.process_time() - began < 1.0
