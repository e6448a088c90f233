"""Public holidays. Pure."""

from collections.abc import Container
from datetime import date
from functools import cache

from hobnob.persona import nearest


@cache
def public_holidays(code: str) -> Container[date]:
    """Of a country or a part of it, by its codes of ISO 3166: "DE", "DE-BE". Raises ValueError
    with what is wrong."""
    import holidays  # takes 80 ms

    country, _, part = code.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        raise ValueError(
            f'"{country}" is no country whose holidays are known: write its code, like "DE" or '
            f'"DE-BE". {nearest(country, known)}'
        )
    if part and part not in known[country]:
        raise ValueError(
            f'"{part}" is no part of {country} with holidays of its own. '
            f"{nearest(part, known[country], list_all=True)}"
        )
    return holidays.country_holidays(country, subdiv=part or None)
