"""Which addresses may be called on somebody's word: public ones, over TLS (pure)."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

LONGEST_URL = 500
ACCEPTED = "accepted is https://host/path of a public host"
NAT64 = IPv6Network("64:ff9b::/96")
UNICAST = IPv6Network("2000::/3")
NOT_PUBLIC = tuple(  # beyond what the standard library knows: protocol assignments, tests, tunnels
    ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "2001::/23", "2002::/16")
)
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class ForbiddenAddress(OSError):
    """No connection is made there; the text names the address and what is accepted."""


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Refuse a URL whose words alone show that it may not be called.

    Raises:
        ForbiddenAddress: another scheme, a user in it, no host, or the number of no public host.
    """
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
        raise ForbiddenAddress(f"url: at most {LONGEST_URL} printable characters without blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ForbiddenAddress(f"url: {url!r} is no URL; {ACCEPTED}") from None
    is_here = allow_loopback and host in LOOPBACK_NAMES
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise ForbiddenAddress(f"url: the scheme was {parts.scheme!r}; {ACCEPTED}")
    if not host or port == 0 or parts.username is not None or parts.fragment:
        raise ForbiddenAddress(f"url: {url!r} names no host, a user or a fragment; {ACCEPTED}")
    try:
        literal = str(ip_address(host))
    except ValueError:
        return  # a name: what it leads to is checked when the socket is made
    check_address(literal, allow_loopback=allow_loopback)


def check_address(text: str, *, allow_loopback: bool) -> None:
    """Refuse the number of a host that is not public, however it is written.

    Raises:
        ForbiddenAddress: loopback, private, link-local, multicast, reserved, or a tunnel's.
    """
    address = _meant(ip_address(text.partition("%")[0]))
    if allow_loopback and address.is_loopback:
        return
    is_listed = any(address in one for one in NOT_PUBLIC if one.version == address.version)
    is_unicast = address.version == 4 or address in UNICAST
    is_odd = address.is_multicast or address.is_reserved or is_listed or not is_unicast
    if is_odd or not address.is_global:
        raise ForbiddenAddress(f"url: {text} is not the address of a public host")


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address is another spelling of."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address
