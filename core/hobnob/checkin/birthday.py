"""On which day somebody's birthday is. Pure."""

import calendar
from datetime import date

from hobnob.memory.facts.dates import MONTHS


def is_on(birthday: str, day: date) -> bool:
    """Whether a birthday as facts have it ("3 May", "3 May 1990") is kept on that day. Who was
    born on 29 February has it on 1 March in other years: before its day, in some countries, it is
    no good luck."""
    number, _, rest = birthday.partition(" ")
    month = MONTHS.get(rest.split(" ")[0].lower(), 0)
    if not number.isdigit() or not month:
        return False
    born = (month, int(number))
    if born == (2, 29) and not calendar.isleap(day.year):
        born = (3, 1)
    return born == (day.month, day.day)
