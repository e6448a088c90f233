"""The time, anywhere."""

from zoneinfo import ZoneInfo

from hobnob import zones
from hobnob.errors import SkillRefused
from hobnob.skills.skill import Context


def time(context: Context, place: str = "") -> str:
    """What time it is, here or elsewhere: /time, /time Tokyo"""
    zone = zones.find(place) if place else context.zone
    if zone is None:
        raise SkillRefused(
            "I know no such city, or several of that name. Try the largest city of its time zone, "
            "or the zone's name: /time Europe/Berlin"
        )
    now = context.now.astimezone(ZoneInfo(zone))
    return f"{now:%H:%M} on {now:%A} {now.day} {now:%B %Y} ({zone})"
