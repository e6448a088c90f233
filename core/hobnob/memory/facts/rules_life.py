"""The rules for what somebody likes, whom they have, what happens and how they feel. Data; the
first that reads wins."""

from datetime import timedelta
from functools import partial

from hobnob.memory.facts import happenings, values, words
from hobnob.memory.facts import readers as read
from hobnob.memory.facts.found import FactKind
from hobnob.memory.facts.rule import alternatives, rule

_taste = partial(rule, FactKind.PREFERENCE)
_people = partial(rule, FactKind.RELATIONSHIP)
_event = partial(rule, FactKind.EVENT)
_plan = partial(rule, FactKind.PLAN)

_FAVOURITE = (
    r"fav(?:ou?rite)?s? (?!(?:part|thing|bit|one|memory|moment|aspect"
    r"|way|time|line|scene|place to)\b)(?P<what>[a-z][a-z' -]{1,30}?)(?: of all time| ever)?"
)
_BEST = r"(?:(?:all-time|all time|absolute|current|personal|number one) )*"

TASTES = (
    _taste("eats:{k}", r"i (?:don't|do not|dont|never|no longer|can't) eat (?:any )?",
           values.thing, "You don't eat {v}"),
    _taste("drinks:{k}", r"i (?:don't|do not|dont|never|no longer) drink (?:any )?",
           values.thing, "You don't drink {v}"),
    _taste("drinks:alcohol", r"i (?:don't|do not|dont|never|no longer)(?: really| usually)? drink",
           text="You don't drink alcohol"),
    _taste("habit:smoking", r"i {adv}(?P<v>smoke|vape)", text="You {v}"),
    _taste("habit:smoking", r"i (?:no longer|don't|do not|never) {adv}(?P<v>smoke|vape)",
           text="You don't {v}"),
    _taste("habit:{v}", r"{did}(?:quit|stopped|given up|gave up) (?P<v>eating meat"
                        r"|drinking coffee|drinking alcohol|smoking|drinking|vaping|gambling"
                        r"|alcohol|coffee|sugar|meat|caffeine|nicotine|cigarettes|weed|gluten"
                        r"|dairy|social media)",
           happenings.since, "You gave up {v} {when}"),
    _taste("prefers:{k}", r"i {adv}prefer ", read.preferred, "You prefer {v}"),
    _taste("likes:{k}", r"i no longer (?P<gone>like|love|enjoy|hate|dislike) ",
           values.thing, gone="You don't {gone} {v} any more"),
    _taste("likes:{k}", r"i {adv}(?P<verb>like|love|adore|enjoy|hate|dislike|detest|loathe|despise"
                        r"|can't stand|cannot stand) ",
           values.thing, "You {verb} {v}", confidence=0.85),
    _taste("likes:{k}", r"i {adv}(?:don't|do not|dont)(?: really| particularly| even| actually)?"
                        r" (?P<verb>like|love|enjoy|hate) ",
           values.thing, "You don't {verb} {v}", "You don't {verb} {v} any more", confidence=0.85),
    _taste("likes:{k}", r"{am}{not}{adv}(?P<how>(?:an? (?:(?:big|huge|massive|avid) )?fan of|into"
                        r"|fond of|passionate about|crazy about|obsessed with|addicted to)) ",
           values.thing, "You are {not}{how} {v}", confidence=0.85),
    _taste("fear:{k}", r"{am}(?:really |so |very |a bit |absolutely )?"
                       r"(?P<how>scared|afraid|terrified) of ",
           values.thing, "You are {how} of {v}", confidence=0.85),
    _taste("favourite {what}", rf"(?:my|our) {_BEST}{_FAVOURITE}"
                               r"(?P<is>'s| is| are| has to be| would be| will always be) ",
           read.favourite, "Your favourite {what}{is} {v}"),
    _taste("favourite {what}", r"(?!(?:s?he|it|this|that|they|these|those|who|what|which|you|we|i"
                               r"|my|one|\w+ (?:said|says|thinks?|told|asked))\b)"
                               r"(?P<v>[^\s,;:]+(?: [^\s,;:]+){0,5}?)(?P<is> is| are)"
                               rf" (?:definitely |still )?my {_BEST}{_FAVOURITE}(?=$|[,.!])",
           read.bare, "Your favourite {what}{is} {v}"),
    _taste("likes:{k}", r"my (?:main |biggest |only |other )?hobb(?:y|ies) (?:is|are|includes?) "
                        r"(?:mostly |mainly )?",
           values.thing, "Your hobbies include {v}"),
    _taste("plays:{k}", r"i {adv}play (?:the )?", read.game, "You play {v}"),
    _taste("plays:{k}", r"i (?:no longer|don't|do not) {adv}play (?:the )?",
           read.game, "You don't play {v}"),
    _taste("collects:{k}", r"i {adv}collect ", values.thing, "You collect {v}"),
)  # fmt: skip

PEOPLE = (
    _people("{slot}", r"(?:my|our) {rel}(?:'s name(?:'s| is)|(?:'s| is| was)? (?:called|named)) ",
            values.person, "Your {rel} is called {v}"),
    _people("{slot}", r"(?P<v>(?-i:[A-Z])[\w'-]+) is my {rel}(?=$|[,.!]| and\b| but\b)",
            read.bare, "Your {rel} is called {v}"),
    _people("{slot}", r"(?:{have}|{did}(?:adopted|got|bought) )(?:an?|one|another) {rel}"
                      r",? (?:called|named) ",
            values.person, "Your {rel} is called {v}"),
    _people("has:{kin}", r"{have}|{did}(?:adopted|got|bought|rescued) ",
            read.kin, "You have {v}"),
    _people("has:{kin}", r"(?:i|we) (?:don't|do not) have (?:any |an? )?",
            read.no_kin, "You have no {v}"),
    _people("has:child", r"{am}{a}(?=(?:\w+ )?(?:mother|father|mom|mum|dad|parent) of )",
            read.noun, "You are {a}{v}"),
    _people("has:sibling", r"{am}an (?P<v>only child)", text="You are an {v}"),
    _people("relationship status", r"(?:{be}|i've been ){not}(?:now |still |happily |newly "
                                   r"|recently )*"
                                   r"(?P<v>single|married|engaged|divorced|widowed|separated"
                                   r"|in a relationship)(?: to [A-Z]\w+| now| for \w+ years)?",
            text="You are {not}{v}"),
    _people("relationship status", r"{did}got (?P<v>married|engaged|divorced)",
            happenings.dated, "You got {v} {when}"),
    _people("relationship status | -partner's name",
            r"(?:we|(?:me and )?my {rel}(?: and (?:i|me))?|i)(?:'ve)?(?: have)?"
            r"(?: just| recently| finally)? (?:broke(?:n)? up|split up|separated)"
            r"(?= with (?:me|my|(?-i:[A-Z]))|$|[,.!]| and| but| last| yesterday| two| a )",
            read.anything, "You and your partner broke up"),
    _people("{rel}'s home", r"my {rel}{named} (?:also |now |still |currently )*(?P<verb>lives?)"
                            r" (?:now )?in ",
            values.place, "Your {rel} {verb} in {v}"),
    _people("{rel}'s employer", r"my {rel}{named} (?:also |now )*works (?P<prep>at|for) ",
            read.employer, "Your {rel} works {prep} {v}"),
    _people("{rel}'s birthday", r"(?:it's )?my {rel}'s (?:birthday|bday|b-day)(?: is)? (?=\w)",
            read.birthday, "Your {rel}'s birthday is {v}"),
    _people("{rel}'s job", r"my {rel}{named} (?:is|works as) (?:also |now |currently )*{a}",
            read.occupation, "Your {rel} is {a}{v}"),
    _people("{rel}'s death", r"my {rel}{named} (?:has )?(?:just |recently |sadly )?"
                             r"(?P<v>died|passed away)",
            happenings.dated, "Your {rel} {v} {when}"),
)  # fmt: skip

HAPPENINGS = (
    _event("date:{what}", r"(?:my|our) (?P<what>[a-z][\w'-]*(?: [\w'-]+){0,3}?)(?:'s| is| are"
                          r"| starts| begins| leaves) (?:scheduled for |set for |coming up )?",
           happenings.date, "Your {what} is {when}"),
    _event("date:{k}", r"{have}(?P<a>an?|another|my|the) ",
           happenings.planned, "You have {a} {v} {when}"),
    _plan("plan:{k}", rf"{{be}}{{adv}}(?P<verb>(?!(?:{alternatives(words.STATES_OF_MIND)})\b)"
                      r"[a-z]+ing) ",
          happenings.planned, "You are {verb} {v} {when}"),
    _plan("plan:{k}", r"(?:i|we) (?:will )?(?P<verb>start|leave|fly|move|graduate|travel|go) ",
          happenings.planned, "You {verb} {v} {when}"),
    _plan("goal:{k}", r"i (?:really |always )?want to (?:become|be) (?P<a>an? )",
          read.occupation, "You want to become {a}{v}"),
    _plan("home", r"{be}{adv}moving (?:back )?to ",
          values.place, "You are moving to {v}", confidence=0.7),
    _plan("plan:{k}", r"(?:i|we)(?:'ll| will) (?P<verb>[a-z]+) ",
          happenings.planned, "You will {verb} {v} {when}"),
    _plan("plan:{k}", r"(?:{be}planning|(?:i|we) (?:also )?plan) (?P<how>to|on|a) ",
          happenings.plan, "You plan {how} {v} {when}", confidence=0.75),
    _plan("goal:{k}", r"my (?:biggest |main |life |life's |lifelong )?(?P<what>dream|goal) is to ",
          read.noun, "Your {what} is to {v}", confidence=0.75),
    _event("event:{verb} {day}", r"{did}(?P<verb>graduated|got promoted|had surgery|gave birth"
                                 r"|had a baby)\b",
           happenings.happened, "You {verb} {v} {when}", confidence=0.8),
    _event("event:{k} {day}", r"{did}(?P<verb>bought (?:an?|my first|our first) (?:\w+ )?(?:house"
                              r"|flat|car|apartment|home|boat|motorbike|van)|started"
                              r" (?:an?|my own) (?:\w+ )?(?:business|company|blog|podcast|channel"
                              r"|band|shop|store))\b",
           happenings.happened, "You {verb} {v} {when}", confidence=0.8),
    _event("event:{k} {day}", r"{did}(?P<verb>won|passed|failed|broke|lost|launched|published"
                              r"|opened|finished|adopted) (?=(?:my|an?|the) )",
           happenings.did, "You {verb} {v} {when}", confidence=0.8),
    _event("event:{k} {day}", rf"{{did}}(?P<verb>{alternatives(words.DEEDS)}|signed up) ",
           happenings.took_place, "You {verb} {v} {when}", confidence=0.75),
)  # fmt: skip

FEELINGS = (
    rule(FactKind.FEELING, "feeling",
         r"(?:{am}|i feel |i've been |i've been feeling )(?P<not>not )?(?:(?:so|really|very|quite"
         r"|pretty|a bit|a little|extremely|super|kinda|feeling|just|still|too|incredibly|totally"
         r"|absolutely|rather) )*",
         happenings.feeling, "You felt {not}{v}", confidence=0.5, lasts=timedelta(days=1)),
)  # fmt: skip

RULES = TASTES + PEOPLE + HAPPENINGS + FEELINGS

NAMED = _people(
    "{slot}",
    r"\bmy {rel},? (?-i:(?=(?!I\b)[A-Z][a-zà-ÿ]))",
    values.person,
    "Your {rel} is called {v}",
)
"""Looked for anywhere in a sentence, for it is true even in a question: "with my sister Mia"."""
