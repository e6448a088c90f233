"""The rules for who somebody is: name, age, places, work, body. Data; the first that reads wins."""

from datetime import timedelta
from functools import partial

from hobnob.memory.facts import happenings, values, words
from hobnob.memory.facts import readers as read
from hobnob.memory.facts.found import FactKind
from hobnob.memory.facts.rule import rule

_rule = partial(rule, FactKind.IDENTITY)

NAMES = (
    _rule("name", r"my (?:first |full )?name is (?:actually )?spel(?:t|led) (?:as |like )?",
          read.spelling, "Your name is spelt {v}"),
    _rule("last name", r"my (?:last |family |sur)name(?:'s| is) ",
          values.person, "Your last name is {v}"),
    _rule("name", r"(?:(?:my|the) (?:(?:first|full|real|actual|given|legal|new) )?name(?:'s| is)"
                  r"(?: actually| now)?|name's|i'm called|i am called) ",
          values.person, "You are called {v}"),
    _rule("preferred name", r"(?:from now on,? |you (?:can|may) |please |just |(?:everyone|they"
                            r"|everybody|people|most people|(?:my )?friends) )*(?:all )?"
                            r"(?:just |usually )?calls? me ",
          values.person, "You want to be called {v}"),
    _rule("preferred name", r"i (?:usually |just )?go by ", values.person, "You go by {v}"),
    _rule("name", r"{am}", read.greeted_name, "You are called {v}", confidence=0.8),
    _rule("pronouns", r"my pronouns are |pronouns: |i (?:use|go by) |use ",
          read.pronouns, "Your pronouns are {v}"),
    _rule("age", r"{am}(?:now )?|i(?:'ve)? (?:just |recently )?turned ",
          read.age, "You were {v} years old in {month}"),
    _rule("birthday", r"my (?:birthday|bday|b-day)(?:'s| is| was) |i was born (?=on|\d)",
          read.birthday, "Your birthday is {v}"),
    _rule("birthday", r"(?:it's|it is) my (?:birthday|bday) ?|(?=(?:today|tomorrow)(?:'s| is) my"
                      r" (?:birthday|bday))",
          read.birthday_now, "Your birthday is {v}"),
    _rule("birth year", r"i was born in ", read.year, "You were born in {v}"),
    _rule("birthplace", r"i was born (?:and raised )?in ", values.place, "You were born in {v}"),
    _rule("nationality", r"{be}(?:originally |actually |an? )*(?P<half>(?:half|part) )?",
          read.of(words.NATIONALITIES), "You are {half}{v}"),
    _rule("belief", r"{am}(?:an? |also |actually )*", read.of(words.BELIEFS), "You are {v}"),
)  # fmt: skip

PLACES = (
    _rule("home", r"(?:i|we) {gone}{adv}live (?:now )?(?P<prep>in|on|near|outside|by) ",
          values.place, "You live {prep} {v}", "You don't live {prep} {v}"),
    _rule("household", r"(?:i|we) {adv}live (?P<v>alone|by myself|on my own|with my [a-z]+)",
          text="You live {v}"),
    _rule("home", r"i(?:'ve| have) been (?:living|based) (?P<prep>in|near|outside|on) ",
          values.place, "You live {prep} {v}"),
    _rule("home", r"{be}{gone}{adv}(?:living|based|residing) (?P<prep>in|near|outside|on) ",
          values.place, "You live {prep} {v}", "You don't live {prep} {v}"),
    _rule("home", r"{did}(?:moved|relocated)(?: back| over| out| up| down| house)? to ",
          happenings.moved, "You moved to {v} {when}", confidence=0.85),
    _rule("home", r"{did}(?P<gone>moved) (?:away from|out of) ",
          values.place, gone="You don't live in {v}"),
    _rule("origin", r"{be}{adv}from |(?:i|we) {adv}(?:come|hail) from ",
          values.place, "You are from {v}"),
    _rule("hometown", r"my home ?town(?:'s| is) ", values.place, "Your hometown is {v}"),
    _rule("grew up", r"i (?:was raised|{adv}grew up) in ", values.place, "You grew up in {v}"),
)  # fmt: skip

WORK = (
    _rule("job", r"{am}{gone}{adv}{a}", read.occupation, "You are {a}{v}", "You are not {a}{v}"),
    _rule("job", r"my (?:job|profession|occupation|day job) is (?:as )?{a}",
          read.occupation, "You are {a}{v}"),
    _rule("job", r"{am}{adv}(?P<v>retired|unemployed|self-employed|between jobs)",
          text="You are {v}"),
    _rule("job", r"i(?:'ve)? (?:just |recently |finally )?(?P<v>retired)", text="You are {v}"),
    _rule("job", r"(?:i {gone}{adv}work|{am}{adv}working) as {a}",
          read.trade, "You work as {a}{v}", "You don't work as {a}{v}"),
    _rule("employer", r"(?:i {gone}{adv}work|{am}{adv}working)(?: nights| remotely| shifts"
                      r"| part[- ]time| full[- ]time)? (?P<prep>at|for) ",
          read.employer, "You work {prep} {v}", "You don't work {prep} {v}"),
    _rule("field of work", r"i {adv}work in ", read.field, "You work in {v}"),
    _rule("job", r"{did}(?:got|started|landed|found|have|took)(?: a| my)? (?:new )?job as {a}",
          read.trade, "You work as {a}{v}"),
    _rule("employer", r"{did}(?:got|started|landed|found|took)(?: a| my)? (?:new )?job"
                      r" (?P<prep>at|with|for) ",
          read.employer, "You work {prep} {v}"),
    _rule("job | -employer", r"{did}(?P<how>quit|lost|left|resigned from) my (?:old )?job\b",
          happenings.job_over, "You {how} your job {v} {when}"),
    _rule("job | -employer", r"{did}(?:got|was|been) (?P<how>fired|laid off|made redundant)\b",
          happenings.job_over, "You were {how} {v} {when}"),
    _rule("studies", r"{am}{adv}(?:studying|majoring in|doing an? (?:degree|phd|master's|masters"
                     r"|bachelor's) in) |i {adv}(?:study|major in) ",
          read.subject, "You study {v}"),
    _rule("school", r"i {adv}(?:go to|attend|study at) |{am}{adv}(?:studying|enrolled) at ",
          read.school, "You go to {v}"),
    _rule("speaks:{k}", r"i {not}{adv}(?:can )?speak ", read.languages, "You {not}speak {v}"),
    _rule("speaks:{k}", r"{am}{adv}fluent in ", read.languages, "You speak {v}"),
    _rule("native language", r"my (?:native|first|mother) (?:language|tongue) is ",
          read.languages, "Your native language is {v}"),
    _rule("learning:{k}", r"{am}{adv}(?:learning|teaching myself) (?:how to |to )?"
                          r"(?:play |speak )?(?:the )?",
          read.skill, "You are learning {v}"),
)  # fmt: skip

BODY = (
    _rule("allergy:{k}", r"{am}{gone}(?:\w+ly |also |very )*allergic to ",
          values.substance, "You are allergic to {v}", "You are not allergic to {v}",
          confidence=0.95),
    _rule("allergy:{k}", r"i have an? (?:\w+ )?allergy to ",
          values.substance, "You are allergic to {v}", confidence=0.95),
    _rule("allergy:{v}", r"i have an? (?:(?:severe|bad|mild|serious) )?"
                         r"(?P<v>[a-z]+(?: [a-z]+)?) allergy",
          text="You have a {v} allergy", confidence=0.95),
    _rule("diet", r"{am}{gone}(?:now |a |an |also |fully |strictly |still |actually )*",
          read.of(words.DIETS), "You are {v}", "You are not {v}"),
    _rule("diet", r"{did}(?:gone|went|turned|became|become|been) ",
          read.of(words.DIETS), "You are {v}"),
    _rule("diet", r"i (?:only )?eat (?P<v>halal|kosher|vegan|vegetarian|gluten[- ]free)",
          text="You eat {v}"),
    _rule("health:{k}", r"(?:i {not}(?:have|suffer from|live with|was diagnosed with"
                        r"|got diagnosed with)|i've (?:got|had|been diagnosed with)"
                        r"|{am}(?:diagnosed|living) with) (?:an? |the )?",
          read.condition, "You {not}have {v}"),
    _rule("health:{k}", r"{am}{not}(?:\w+ly |also )*",
          read.of(words.TRAITS), "You are {not}{v}"),
    _rule("pregnancy", r"{am}(?P<v>pregnant)", text="You are {v}", lasts=timedelta(days=280)),
)  # fmt: skip

RULES = NAMES + PLACES + BODY + WORK
