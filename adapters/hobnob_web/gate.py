"""Who may come in and how fast they may speak, by where they come from: a visitor's id costs
nothing to make, an address does."""

import asyncio
import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST, MOST_FROM_ONE = 1000, 20
"""Connections at once."""
PER_SECOND, BURST = 2.0, 20
"""Frames from one address."""
REMEMBERED = 10_000
"""Addresses, beyond which those that owe nothing are forgotten."""


class Full(Exception):
    """There are too many connections."""


@dataclass
class _Caller:
    connections: int = 0
    paid_until: float = 0.0
    """When all its frames so far will have been within the rate."""


class Gate:
    def __init__(self) -> None:
        self._callers: dict[str, _Caller] = {}
        self._connections = 0

    @contextmanager
    def entered(self, address: str) -> Iterator[None]:
        """Raises Full."""
        caller = self._caller(address)
        if self._connections >= MOST or caller.connections >= MOST_FROM_ONE:
            raise Full
        caller.connections += 1
        self._connections += 1
        try:
            yield
        finally:
            caller.connections -= 1
            self._connections -= 1

    async def pace(self, address: str) -> None:
        """Return when the caller's next frame is within the rate."""
        caller, now = self._caller(address), time.monotonic()
        caller.paid_until = max(caller.paid_until, now) + 1 / PER_SECOND
        early = caller.paid_until - now - BURST / PER_SECOND
        if early > 0:
            await asyncio.sleep(early)

    def _caller(self, address: str) -> _Caller:
        if len(self._callers) > REMEMBERED:
            now = time.monotonic()
            self._callers = {
                name: caller
                for name, caller in self._callers.items()
                if caller.connections or caller.paid_until > now
            }
        return self._callers.setdefault(network(address), _Caller())


def network(address: str) -> str:
    """One customer's addresses are one: of IPv6, whoever has one has 2**64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""  # of a proxy that does not say
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
