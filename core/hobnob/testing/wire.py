"""What the servers of platforms here are made of: aiohttp. Whatever serves takes it from here."""

from hobnob.errors import MissingExtra

try:
    import aiohttp
    from aiohttp import web
except ImportError as error:
    raise MissingExtra(
        "The servers of hobnob.testing need a library that is not installed: "
        "pip install 'hobnob[testing]'"
    ) from error

__all__ = ["aiohttp", "web"]
