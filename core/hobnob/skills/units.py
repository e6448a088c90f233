"""From one unit to another, by factors that are exact. Pure. No money: its factors change."""

import re
from dataclasses import dataclass
from fractions import Fraction

from hobnob.errors import SkillRefused
from hobnob.persona import nearest
from hobnob.skills import calculate


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    of: str
    factor: Fraction
    """So many of the first unit of its kind."""
    zero: Fraction = Fraction(0)
    """Its zero in that unit, where they differ: of temperatures."""


TABLE = {
    "length": """
        m=1 meter meters metre metres | km=1000 kilometer kilometers kilometre kilometres
        | cm=1/100 centimeter centimeters centimetre centimetres
        | mm=1/1000 millimeter millimeters millimetre millimetres
        | in=0.0254 inch inches | ft=0.3048 foot feet | yd=0.9144 yard yards
        | mi=1609.344 mile miles | nmi=1852""",
    "mass": """
        kg=1 kilo kilos kilogram kilograms | g=1/1000 gram grams | mg=1/1000000 milligram milligrams
        | t=1000 tonne tonnes | lb=0.45359237 lbs pound pounds
        | oz=0.028349523125 ounce ounces | st=6.35029318 stone stones""",
    "volume": """
        l=1 liter liters litre litres | ml=1/1000 milliliter milliliters millilitre millilitres
        | cl=1/100 | dl=1/10 | m3=1000 m³ | gal=3.785411784 gallon gallons
        | qt=0.946352946 quart quarts
        | pt=0.473176473 pint pints | cup=0.2365882365 cups | floz=0.0295735295625
        | tbsp=0.01478676478125 tablespoon tablespoons | tsp=0.00492892159375 teaspoon teaspoons""",
    "temperature": "k=1 kelvin | c=1 °c celsius centigrade | f=5/9 °f fahrenheit",
    "speed": """
        m/s=1 mps | km/h=5/18 kmh kph | mph=0.44704 mi/h | kn=1852/3600 knot knots
        | ft/s=0.3048 fps""",
    "area": """
        m2=1 m² sqm | km2=1000000 km² | cm2=1/10000 cm² | ha=10000 hectare hectares
        | acre=4046.8564224 acres | ft2=0.09290304 ft² sqft | mi2=2589988.110336 mi² sqmi""",
    "data": """
        B=1 byte bytes | b=1/8 bit bits | kbit=125 | Mb=125000 mbit | Gb=125000000 gbit
        | kb=1000 kilobyte kilobytes | mb=1000000 megabyte megabytes
        | gb=1000000000 gigabyte gigabytes | tb=1000000000000 terabyte terabytes
        | kib=1024 | mib=1048576 | gib=1073741824 | tib=1099511627776""",
    "time": """
        s=1 sec second seconds | ms=1/1000 millisecond milliseconds | min=60 minute minutes
        | h=3600 hr hour hours | d=86400 day days | wk=604800 week weeks""",
}
"""Gallons, pints and cups are those of the United States. Months and years have no one length."""
ZEROS = {"c": Fraction("273.15"), "f": Fraction("459.67") * Fraction(5, 9)}


def _units() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for kind, written in TABLE.items():
        for entry in written.split("|"):
            first, *more = entry.split()
            name, _, factor = first.partition("=")
            unit = Unit(of=kind, factor=_fraction(factor), zero=ZEROS.get(name, Fraction(0)))
            units.update(dict.fromkeys((name, *more), unit))
    return units


def _fraction(written: str) -> Fraction:
    top, _, bottom = written.partition("/")
    return Fraction(top) / Fraction(bottom or 1)


UNITS = _units()
LONGEST = 100
QUESTION = re.compile(
    r"(?P<amount>-?[0-9][0-9,]*(?:\.[0-9]+)?|-?\.[0-9]+)\s*(?P<source>[^\s0-9]\S*)"
    r"\s+(?:to|in|into|as|=)\s+(?P<target>\S+)",
    re.ASCII | re.IGNORECASE,
)


def convert(what: str) -> str:
    """Convert units: /convert 5 km to miles, /convert 70 f to c"""
    found = QUESTION.fullmatch(what.strip()) if len(what) <= LONGEST else None
    if found is None:
        raise SkillRefused("Like this: /convert 5 km to miles")
    amount = Fraction(found["amount"].replace(",", ""))
    result = converted(amount, found["source"], found["target"])
    given = f"{found['amount']} {found['source']}"
    return f"{given} {calculate.shown(result).partition(' (')[0]} {found['target']}"


def converted(amount: Fraction, source: str, target: str) -> Fraction:
    """Raises SkillRefused."""
    ours, theirs = find(source), find(target)
    if ours.of != theirs.of:
        raise SkillRefused(
            f"{source} is a unit of {ours.of}, and {target} one of {theirs.of}: "
            "I can't make one of the other."
        )
    return (amount * ours.factor + ours.zero - theirs.zero) / theirs.factor


def find(name: str) -> Unit:
    """Raises SkillRefused with the nearest."""
    unit = UNITS.get(name) or UNITS.get(name.casefold())  # Mb are bits, MB are bytes
    if unit is None:
        near = nearest(name.casefold()[:20], UNITS).partition(" Known:")[0]
        near = near if near.startswith("Did") else "/convert 5 km to miles"
        raise SkillRefused(f"I know no unit “{name[:20]}”. {near}")
    return unit
