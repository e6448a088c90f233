"""Time zones as people name them. Pure."""

import zoneinfo
from functools import cache


def find(name: str) -> str | None:
    """The time zone's own name: "Europe/Berlin" for itself in any case, or for "berlin". None if
    there is none of this name, or several."""
    wanted = "_".join(name.split()).casefold()
    zones = _zones()
    if wanted in zones:
        return zones[wanted]
    cities = [zone for folded, zone in zones.items() if folded.rpartition("/")[2] == wanted]
    return cities[0] if len(cities) == 1 else None


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in sorted(zoneinfo.available_timezones() | {"UTC"})}
