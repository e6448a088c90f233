"""What a message says about whether its author needs a person. Rules, no model: an angry customer
is called one only for what nobody writes by chance. Pure."""

import re

_WANTS_PERSON = re.compile(
    # English
    r"\b(?:talk|speak|chat|write|connect(?: me)?|get me|transfer(?: me)?|put me through|want|need"
    r"|give me)\b(?:\W+(?:to|with|please|a|an|the|some|real|actual|live|through|me)){0,5}\W+"
    r"(?:human(?: being| agent)?|person|someone real|somebody real|real people|agent"
    r"|representative|manager|supervisor|employee|member of staff)\b"
    # German
    r"|\b(?:mit|an|einen|einem)\s+(?:echten?\s+|richtigen?\s+|realen?\s+)?(?:menschen"
    r"|mitarbeiter(?:in)?|kollegen|vorgesetzten|sachbearbeiter(?:in)?)\s+(?:zu\s+)?"
    r"(?:sprechen|reden|schreiben|verbinden|verbunden|weiterleiten)\b"
    r"|\b(?:verbinde|verbinden)\b.{0,20}\b(?:mensch(?:en)?|mitarbeiter(?:in)?)\b"
    # Spanish
    r"|\b(?:hablar|chatear|comunicarme|contactar)\s+con\s+(?:una?\s+)?(?:persona(?:\s+real)?"
    r"|human[oa]|agente|operador[a]?|encargad[oa]|responsable)\b"
    # French
    r"|\bparler\s+(?:à|avec|a)\s+(?:une?\s+)?(?:(?:vraie\s+)?personne|humain|conseill(?:er|ère)"
    r"|agent|responsable|être humain)\b",
    re.IGNORECASE,
)
_WANTS_PERSON_ZH = re.compile(
    r"转(?:接)?人工|人工客服|找(?:个)?(?:真人|人工)|(?:和|跟|与)(?:真人|人工|人)(?:说话|聊|谈|沟通)"
)
_REFUSES = re.compile(
    r"\b(?:don'?t|do not|no need|nicht|kein(?:en)?|no (?:quiero|necesito)|pas)\b|不(?:要|用|想)",
    re.IGNORECASE,
)
_ANGRY = re.compile(
    r"\b(?:this|that|it|you|your (?:service|support|company))(?:'s|'re| is| are)?\s+(?:(?:so|just|"
    r"absolutely|completely|totally|really|fucking|a|an)\s+)*(?:ridiculous|unacceptable"
    r"|outrageous|a joke|joke|useless|pathetic|a scam|scam|disgrace|disgraceful|garbage)\b"
    r"|\b(?:i'?m|i am)\s+(?:(?:so|really|very|absolutely|extremely|beyond)\s+)*(?:furious|angry"
    r"|fed up|livid|sick of (?:this|you|it)|outraged)\b"
    r"|\b(?:wtf|what the (?:fuck|hell)|fuck (?:you|this|off)|worst (?:service|support|company)"
    r"|stop wasting my time|waste of time|never (?:buy|order) (?:from you )?again)\b"
    r"|\b(?:das ist|ihr seid|sie sind)\s+(?:(?:ja|doch|eine?|so|echt|wirklich|absolut|völlig)\s+)*"
    r"(?:frechheit|unverschämt|unverschämtheit|inakzeptabel|lächerlich|zumutung|sauerei|betrug"
    r"|betrüger|das letzte|unfassbar)\b"
    r"|\b(?:ich bin|bin)\s+(?:(?:so|echt|wirklich|stink|sehr)\s*)*(?:wütend|stinksauer|sauer)\b"
    r"|\b(?:verarscht|verarschen|saftladen)\b"
    r"|\b(?:esto es|es|sois|son)\s+(?:(?:un|una|muy|totalmente)\s+)*(?:inaceptable|vergüenza"
    r"|una estafa|estafa|ridículo|indignante)\b|\bestoy\s+(?:muy\s+)?(?:furios[oa]|hart[oa]"
    r"|indignad[oa])\b"
    r"|\b(?:c'est|vous êtes)\s+(?:(?:un|une|vraiment|totalement|complètement)\s+)*(?:inacceptable"
    r"|honte|scandaleux|n'importe quoi|arnaque|ridicule)\b|\bje suis\s+(?:(?:très|vraiment)\s+)*"
    r"(?:furieu(?:x|se)|en colère)\b",
    re.IGNORECASE,
)
_ANGRY_ZH = re.compile(r"太过分|气死我|骗子|垃圾(?:服务|公司|客服)|什么破|投诉你们|忍无可忍")
LONGEST = 2000
"""Characters that are looked at."""
SHOUTED = 12
"""Letters; fewer in capitals are an order number or an abbreviation."""


def wants_person(text: str) -> bool:
    """Somebody asks in words to talk to a person."""
    text = _plain(text)
    for pattern in (_WANTS_PERSON, _WANTS_PERSON_ZH):
        if found := pattern.search(text):
            return not _REFUSES.search(text[max(0, found.start() - 25) : found.end()])
    return False


def is_angry(text: str) -> bool:
    text = _plain(text)
    return bool(_ANGRY.search(text) or _ANGRY_ZH.search(text)) or _is_shouted(text)


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    loud = sum(letter.isupper() for letter in letters)
    return len(letters) >= SHOUTED and loud > 0.8 * len(letters) and "!!" in text


def _plain(text: str) -> str:
    return " ".join(text[:LONGEST].replace("’", "'").split())
