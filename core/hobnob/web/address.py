"""Where a link of a stranger may lead us: names and addresses that all the world can reach. Pure.

The link is read once, by one parser, and what that found is what is asked for. The name is checked
for being one; what counts is the address, which is checked when it is connected to.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx2

from hobnob.errors import PageFailed

PORTS = {"http": 80, "https": 443}
LONGEST_URL = 2048

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]")
"""With a dot, and an end that begins with a letter: so every way of writing an IPv4 address, in
decimal, octal or hexadecimal, of one part or of four, is no name."""
_OWN = re.compile(
    r"localhost|localdomain|local|internal|intranet|lan|home|corp|private|arpa|onion|alt"
)
"""Ends of names that mean something else in every network (RFC 6761, RFC 6762, RFC 8375)."""

_RELAYS = IPv4Network("192.88.99.0/24")
"""Of 6to4 (RFC 7526)."""
_GLOBAL = IPv6Network("2000::/3")
"""All of IPv6 that is given out (https://www.iana.org/assignments/ipv6-address-space)."""
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_GLOBAL = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: holds an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)


def checked(url: httpx2.URL | str) -> httpx2.URL:
    """`url`, normalised and without its fragment. Raises PageFailed unless it leads to a name that
    is one everywhere, by http or https, on the port for that, and carries no password."""
    try:
        found = httpx2.URL(url)
        host = found.raw_host.decode("ascii").lower().removesuffix(".")
        port = found.port
    except (httpx2.InvalidURL, ValueError, TypeError) as error:
        raise PageFailed("the link is not written as one") from error
    if len(str(found)) > LONGEST_URL:
        raise PageFailed("the link is too long")
    if found.scheme not in PORTS:
        raise PageFailed("the link is neither http nor https")
    if found.userinfo:
        raise PageFailed("the link carries a name or a password")
    if port not in (None, PORTS[found.scheme]):
        raise PageFailed("the link names a port")
    if not _NAME.fullmatch(host) or _OWN.fullmatch(host.rpartition(".")[2]):
        raise PageFailed("the link leads to no public name")
    return found.copy_with(host=host, fragment=None)


def is_public(address: str) -> bool:
    """Whether all the world reaches the same machine by this address. False if it is none.

    `ipaddress.is_global` alone says so of multicast, 6to4 and site-local addresses too, and of much
    of IPv6 that was never given out.
    """
    try:
        found = ip_address(address)
    except ValueError:  # also an IPv6 address with a zone ("fe80::1%eth0") that is none otherwise
        return False
    if isinstance(found, IPv6Address):
        if found in _NAT64:  # how a network without IPv4 reaches it
            return _is_public_v4(IPv4Address(int(found) & 0xFFFF_FFFF))
        if found.scope_id is not None or found not in _GLOBAL:
            return False
        return found.is_global and not any(found in network for network in _NOT_GLOBAL)
    return _is_public_v4(found)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _RELAYS
