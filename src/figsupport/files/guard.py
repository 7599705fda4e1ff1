"""Which addresses a client's link may lead to: public ones, and nothing else. Pure."""

import re
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple
from urllib.parse import quote, urlsplit

IPAddress = IPv4Address | IPv6Address

_LENGTH = 4_096
_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: what a signed link may hold stays byte for byte as it was signed
_UNTOUCHED = "/%:=&?~+!$,;'@()*[]"

#: Not for the public although `is_global` may say so. Sources: RFC 6890 (protocol assignments),
#: RFC 7526 (6to4 anycast), RFC 7535 and RFC 7534 (AS112), RFC 7450 (AMT), RFC 4380 and RFC 3056
#: (tunnels), RFC 3849 and RFC 9637 (documentation), and the metadata address of Azure.
_CLOSED = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "192.31.196.0/24", "192.175.48.0/24", "192.52.193.0/24",
        "168.63.129.16/32", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
        "3fff::/20",
    )
)  # fmt: skip
#: The only IPv6 block given out for global unicast; site-local, link-local, multicast, the
#: deprecated IPv4-compatible and every future form are outside (IANA IPv6 address space).
_GIVEN_OUT = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_ISATAP = {0x00005EFE, 0x02005EFE}


class Place(NamedTuple):
    """Where a link leads: scheme, host name in ASCII or literal address, and port."""

    scheme: str
    host: str
    port: int


def is_public(address: IPAddress) -> bool:
    """Tell whether an address is one of the public Internet, its embedded IPv4 included."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        number = int(address)
        last = IPv4Address(number & 0xFFFFFFFF)
        if address.ipv4_mapped is not None or address in _NAT64:
            return is_public(last)
        if address not in _GIVEN_OUT or (number >> 32) & 0xFFFFFFFF in _ISATAP:
            return False
    if any(address in network for network in _CLOSED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def place_of(url: str) -> Place | None:
    """Return where an http(s) link leads, or None when it is not one we follow.

    No user information, no white space, control signs or backslashes, no numbers that pass
    for host names (decimal, octal, hexadecimal or short IPv4).
    """
    if len(url) > _LENGTH or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:  # a port that is no number, brackets that do not close, no such name
        return None
    bracketed = parts.netloc.startswith("[")
    if parts.scheme not in _PORTS or "@" in parts.netloc or bracketed != (":" in host):
        return None
    if not host or port == 0:
        return None
    return Place(parts.scheme, host, _PORTS[parts.scheme] if port is None else port)


def target_of(url: str) -> bytes:
    """Return what the server of a link is asked for: path and query, percent-encoded."""
    parts = urlsplit(url)
    query = f"?{quote(parts.query, _UNTOUCHED)}" if parts.query else ""
    return f"{quote(parts.path, _UNTOUCHED) or '/'}{query}".encode("ascii")


def is_allowed(place: Place, addresses: Sequence[IPAddress], allow: Sequence[str]) -> bool:
    """Tell whether a place may be dialled: every address public, on port 80 or 443.

    `allow` names hosts or networks that are exempt from both.
    """
    if not addresses:
        return False
    if place.host in {name.strip().lower() for name in allow}:
        return True
    networks = [network for name in allow if (network := _network(name)) is not None]
    if all(any(_inside(address, network) for network in networks) for address in addresses):
        return True
    return place.port in _PORTS.values() and all(is_public(address) for address in addresses)


def _inside(address: IPAddress, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version and address in network


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name.strip(), strict=False)
    except ValueError:
        return None


def _host(text: str) -> str:
    """Return the host in ASCII; empty when it is a number in disguise or no host name.

    Raises ValueError for a name that has no ASCII form.
    """
    host = text.removesuffix(".")
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if not host.isascii():
        import idna

        host = idna.encode(host[:253], uts46=True).decode("ascii")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return ""
    # 2130706433, 0x7f.1, 0177.0.0.1, 127.1: the resolver would read an address
    return "" if _NUMBER.fullmatch(labels[-1]) else host
