"""Facts that a person said outright, found by rules and without a language model. Pure.

Precision comes before recall: a rule fires only at the beginning of a plain first-person clause
("I'm allergic to nuts", "My sister Mia ..."), never in a question, a hypothesis, a quote or what
somebody else said (`reading`), and only if what follows can be what the rule is about (`values`).
What is missed can still be found by recall; what is wrong would be repeated. English; other
languages give nothing, because no rule begins with their words.
"""

from hobnob.memory.facts.extract import MOST, extract
from hobnob.memory.facts.found import FactKind, Found, about

__all__ = ["MOST", "FactKind", "Found", "about", "extract"]
