"""What a message says about whether its author needs a person. Rules, no model: an angry customer
is called one only for what nobody writes by chance. Pure."""

import re

_OVER = r"(?=\s*(?:$|[.,;:!…)]|\b(?:and|but|und|aber|y|et)\b))"
"""It is not the beginning of something else: "useless", not "useless without a cable"."""
_SAID = (
    r"(?=\s*(?:$|[.,;:!?…)]|\b(?:now|please|here|today|instead|about|who|because|asap|and|bitte"
    r"|jetzt|wegen|über|por favor|ahora|sobre|s'il|maintenant|au sujet)\b))"
)
"""Who is asked for is not asked for something else: "a person", not "a person to sign"."""
_WANTS_PERSON = re.compile(
    # English
    r"\b(?:talk|speak|chat|write|connect(?: me)?|get me|transfer(?: me)?|put me through|want|need"
    r"|give me)\b(?:\W+(?:to|with|please|a|an|the|your|some|real|actual|live|through|me)){0,5}\W+"
    r"(?:human(?: being| agent)?|person|someone real|somebody real|real people|agent"
    rf"|representative|manager|supervisor|employee|member of staff)\b{_SAID}"
    # German
    r"|\b(?:mit|an|einen|einem)\s+(?:echten?\s+|richtigen?\s+|realen?\s+)?(?:menschen"
    r"|mitarbeiter(?:in)?|kollegen|vorgesetzten|sachbearbeiter(?:in)?)\s+(?:zu\s+)?"
    r"(?:sprechen|reden|schreiben|verbinden|verbunden|weiterleiten)\b"
    r"|\b(?:verbinde|verbinden)\b.{0,20}\b(?:mensch(?:en)?|mitarbeiter(?:in)?)\b"
    # Spanish
    r"|\b(?:hablar|chatear|comunicarme|contactar)\s+con\s+(?:una?\s+)?(?:persona(?:\s+real)?"
    rf"|human[oa]|agente|operador[a]?|encargad[oa]|responsable)\b{_SAID}"
    # French
    r"|\bparler\s+(?:à|avec|a)\s+(?:une?\s+)?(?:(?:vraie\s+)?personne|humain|conseill(?:er|ère)"
    rf"|agent|responsable|être humain)\b{_SAID}",
    re.IGNORECASE,
)
_WANTS_PERSON_ZH = re.compile(
    r"转(?:接)?人工|人工客服|找(?:个)?(?:真人|人工)|(?:和|跟|与)(?:真人|人工|人)(?:说话|聊|谈|沟通)"
)
_REFUSES = re.compile(
    r"\b(?:don'?t|do not|no need|nicht|kein(?:en)?|no (?:quiero|necesito|me hace falta)|pas)\b"
    r"|不(?:要|用|想)",
    re.IGNORECASE,
)
_ANGRY = re.compile(
    r"\b(?:this|that|it|you|your (?:service|support|company))(?:'s|'re| is| are)\s+(?:(?:so|just|"
    r"absolutely|completely|totally|really|fucking|a|an)\s+)*(?:ridiculous|unacceptable"
    rf"|outrageous|a joke|joke|useless|pathetic|a scam|scam|disgrace|disgraceful|garbage)\b{_OVER}"
    r"|\b(?:i'?m|i am)\s+(?:(?:so|really|very|absolutely|extremely|beyond)\s+)*(?:furious|angry"
    rf"|fed up(?: with (?:this|you|it))?|livid|sick of (?:this|you|it)|outraged)\b{_OVER}"
    r"|\b(?:worst (?:service|support|company)(?: ever)?|waste of (?:my )?time)\b"
    rf"{_OVER}"
    r"|\b(?:das ist|ihr seid|sie sind)\s+(?:(?:ja|doch|eine?|so|echt|wirklich|absolut|völlig)\s+)*"
    r"(?:frechheit|unverschämt|unverschämtheit|inakzeptabel|lächerlich|zumutung|sauerei|betrug"
    rf"|betrüger|unfassbar)\b{_OVER}"
    r"|\b(?:ich bin|bin)\s+(?:(?:so|echt|wirklich|stink|sehr)\s*)*(?:wütend|stinksauer|sauer)\b"
    rf"{_OVER}"
    r"|(?<!\bno )\b(?:esto es|es|sois|son)\s+(?:(?:un|una|muy|totalmente)\s+)*(?:inaceptable"
    rf"|vergüenza|una estafa|estafa|ridículo|indignante)\b{_OVER}"
    rf"|\bestoy\s+(?:muy\s+)?(?:furios[oa]|hart[oa](?: de esto)?|indignad[oa])\b{_OVER}"
    r"|\b(?:c'est|vous êtes)\s+(?:(?:un|une|vraiment|totalement|complètement)\s+)*(?:inacceptable"
    r"|honte|scandaleux|n'importe quoi|arnaque|ridicule|des voleurs)\b"
    rf"{_OVER}"
    r"|\bje suis\s+(?:(?:très|vraiment)\s+)*"
    rf"(?:furieu(?:x|se)|en colère)\b{_OVER}",
    re.IGNORECASE,
)
_SWEARS = re.compile(
    r"\b(?:wtf|what the fuck|fuck (?:you|this|off)|stop wasting my time"
    r"|never (?:buy|order) (?:from you )?again|verarscht|verarschen|saftladen)\b",
    re.IGNORECASE,
)
_ANGRY_ZH = re.compile(
    r"太过分|气死我|你们?(?:都|就)?是骗子|骗子公司|垃圾(?:服务|公司|客服)|什么破|投诉你们|忍无可忍"
)
_SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]*")
_GLAD = re.compile(
    r"\b(?:thank|danke?|gracias|merci|love|liebe|great|super|happy|yes|yay|wow|best|congrat|genial"
    r"|bravo|perfe[ck]t|awesome|amazing|toll)",
    re.IGNORECASE,
)
LONGEST = 2000
"""Characters that are looked at."""
SHOUTED = 12
"""Letters; fewer in capitals are an order number or an abbreviation."""


def wants_person(text: str) -> bool:
    """Somebody asks in words to talk to a person."""
    text = _plain(text)
    return any(
        not _REFUSES.search(text[max(0, found.start() - 25) : found.end()])
        for pattern in (_WANTS_PERSON, _WANTS_PERSON_ZH)
        for found in pattern.finditer(text)
    )


def is_angry(text: str) -> bool:
    """Whoever asks ("is it a scam?") is not."""
    text = _plain(text)
    told = [each for each in _SENTENCE.findall(text) if not each.endswith(("?", "？"))]
    called = any(_ANGRY.search(each) or _ANGRY_ZH.search(each) for each in told)
    return called or bool(_SWEARS.search(text)) or _is_shouted(text)


def _is_shouted(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha() and letter.lower() != letter.upper()]
    loud = sum(letter.isupper() for letter in letters)
    if len(letters) < SHOUTED or loud <= 0.8 * len(letters) or "!!" not in text:
        return False
    return not _GLAD.search(text)


def _plain(text: str) -> str:
    return " ".join(text[:LONGEST].replace("’", "'").split())
