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
from urllib.parse import SplitResult, urlsplit

IPAddress = IPv4Address | IPv6Address

_LENGTH = 4_096
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")
_PORTS = {"http": 80, "https": 443}

#: Not for the public although `is_global` may say so. Sources: RFC 3879 (site-local), RFC 9637
#: and RFC 3849 (documentation), RFC 7526 (6to4 anycast), RFC 4380 and RFC 3056 (tunnels),
#: RFC 7534 (AS112), RFC 6890 (protocol assignments), and the metadata address of Azure.
_CLOSED = tuple(
    ip_network(network)
    for network in (
        "fec0::/10", "3fff::/20", "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48",
        "192.88.99.0/24", "192.0.0.0/24", "168.63.129.16/32", "100::/64", "5f00::/16",
    )
)  # fmt: skip
_NAT64 = ip_network("64:ff9b::/96")
_NAT64_LOCAL = ip_network("64:ff9b:1::/48")
_ISATAP = {0x00005EFE, 0x02005EFE}


class Place(NamedTuple):
    """Where a link leads: scheme, host name or literal address, and port."""

    scheme: str
    host: str
    port: int


def is_public(address: IPAddress) -> bool:
    """Tell whether an address is one of the public Internet, its embedded IPv4 included."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None or address in _NAT64_LOCAL:
            return False
        embedded = _embedded(address)
        if embedded is not None:
            return is_public(embedded)
    if any(address in network for network in _CLOSED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def place_of(url: str) -> Place | None:
    """Return where an http(s) link leads, or None when it is not one we follow.

    No user information, no control signs, no numbers that pass for host names.
    """
    if len(url) > _LENGTH or any(sign <= " " or sign in "\\\x7f" for sign in url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts)
    except ValueError:  # a port that is no number, brackets that do not close, no such name
        return None
    if parts.scheme not in _PORTS or "@" in parts.netloc or not host:
        return None
    return Place(parts.scheme, host, port if port is not None else _PORTS[parts.scheme])


def is_allowed(place: Place, addresses: Sequence[IPAddress], allow: Sequence[str]) -> bool:
    """Tell whether a place may be dialled: every address public, on the port of its scheme.

    `allow` names hosts or networks that are exempt from both.
    """
    if place.host in {name.lower() for name in allow}:
        return True
    networks = [network for name in allow if (network := _network(name)) is not None]
    exempt = all(
        any(address in network for network in networks if network.version == address.version)
        for address in addresses
    )
    if addresses and exempt:
        return True
    standard = place.port in _PORTS.values()
    return standard and bool(addresses) and all(is_public(address) for address in addresses)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if address in _NAT64 or number >> 32 == 0 or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return None


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name, strict=False)
    except ValueError:
        return None


def _ascii(parts: SplitResult) -> str:
    """Return the host in ASCII; empty when it is a number in disguise or no host name."""
    host = (parts.hostname or "").rstrip(".")
    try:
        return str(ip_address(host))
    except ValueError:
        host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    last = host.rpartition(".")[2]
    if not _HOST.fullmatch(host) or re.fullmatch(r"0x[0-9a-f]*|[0-9]+", last):
        return ""  # 2130706433, 0x7f.1, 0177.0.0.1: the resolver would read an address
    return host
