"""Which addresses a URL that a customer gave may lead to (design promise 6).

Nothing here does IO. The table is our own: `ipaddress.is_global` differs between versions of Python and knows
nothing of the forms that carry an IPv4 address inside an IPv6 one. Sources: the IANA special-purpose address
registries for IPv4 and IPv6, RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP).
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import unquote

#: The setting that lifts a refusal; refusals name it.
ALLOW_SETTING = "fetch_allow"

Address = IPv4Address | IPv6Address

# fmt: off
_DENIED_V4: tuple[tuple[IPv4Network, str], ...] = tuple((IPv4Network(block), name) for block, name in (
    ("0.0.0.0/8", "an address of this host"),
    ("10.0.0.0/8", "a private address"),
    ("100.64.0.0/10", "a shared carrier-grade NAT address"),
    ("127.0.0.0/8", "a loopback address"),
    ("168.63.129.16/32", "a cloud platform's own address"),
    ("169.254.0.0/16", "a link-local address"),
    ("172.16.0.0/12", "a private address"),
    ("192.0.0.0/24", "a protocol assignment address"),
    ("192.0.2.0/24", "a documentation address"),
    ("192.88.99.0/24", "a 6to4 relay address"),
    ("192.168.0.0/16", "a private address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("224.0.0.0/4", "a multicast address"),
    ("255.255.255.255/32", "the broadcast address"),
    ("240.0.0.0/4", "a reserved address"),
))

# The first match names the reason. What is in no row and outside 2000::/3 is refused as well.
_DENIED_V6: tuple[tuple[IPv6Network, str], ...] = tuple((IPv6Network(block), name) for block, name in (
    ("::/128", "the unspecified address"),
    ("::1/128", "a loopback address"),
    ("::ffff:0:0/96", "an IPv4-mapped address"),
    ("::ffff:0:0:0/96", "an IPv4-translated address"),
    ("::/96", "an IPv4-compatible address"),
    ("64:ff9b::/96", "a NAT64 address"),
    ("64:ff9b:1::/48", "a local NAT64 address"),
    ("100::/64", "a discard-only address"),
    ("2001::/32", "a Teredo address"),
    ("2001:2::/48", "a benchmarking address"),
    ("2001::/23", "a protocol assignment address"),
    ("2001:db8::/32", "a documentation address"),
    ("2002::/16", "a 6to4 address"),
    ("3ffe::/16", "a returned test address"),
    ("3fff::/20", "a documentation address"),
    ("5f00::/16", "a segment routing address"),
    ("fc00::/7", "a unique local address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a site-local address"),
    ("ff00::/8", "a multicast address"),
))
# fmt: on

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})  # the upper half of the interface identifier, RFC 5214 6.1


def denied(address: Address) -> str | None:
    """What kind of address it is, if none may be fetched from; None for a globally routable one."""
    if isinstance(address, IPv4Address):
        return next((name for block, name in _DENIED_V4 if address in block), None)
    if address.scope_id:
        return "an address with a zone"
    for block, name in _DENIED_V6:
        if address in block:
            return name
    if address not in _GLOBAL_UNICAST:
        return "outside the globally routed range 2000::/3"
    if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return "an ISATAP address"
    return None


def literal(host: str) -> Address | None:
    """The address that `host` spells in any of the ways resolvers understand; None if it is a name.

    Besides the canonical forms: decimal, octal and hexadecimal parts, one to three parts instead of four,
    percent escapes, full-width digits and dots, a trailing dot.
    """
    text = unicodedata.normalize("NFKC", unquote(host)).replace("。", ".").strip().strip("[]").rstrip(".")
    try:
        return ip_address(text)
    except ValueError:
        return _inet_aton(text)


def _inet_aton(text: str) -> IPv4Address | None:
    """One to four parts, the last of which fills the bytes that are left (POSIX inet_addr)."""
    numbers = [_number(part) for part in text.split(".")]
    if len(numbers) > 4:
        return None
    value = 0
    for place, number in enumerate(numbers):
        if number is None:
            return None
        last = place == len(numbers) - 1
        value += number if last else (number & 0xFF) << (24 - 8 * place)
    return IPv4Address(value & 0xFFFF_FFFF)


def _number(part: str) -> int | None:
    part = part.lower()
    if not part.isascii() or not part.isalnum() or len(part) > 40:
        return None
    try:
        if part.startswith("0x"):
            return int(part[2:] or "0", 16)
        return int(part, 8 if part.startswith("0") and len(part) > 1 else 10)
    except ValueError:
        return None


def canonical_host(host: str) -> str:
    """A host as the allow list compares it: lower case, no brackets, no trailing dot."""
    bare = host.lower().strip("[]").removesuffix(".")
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What customers' URLs may lead to: every globally routable address, and what `allow` lists.

    `allow` holds (host, port) pairs as they stand in the URL: for those alone private addresses may be
    connected to. An entry for a name trusts whatever addresses that name has.
    """

    allow: frozenset[tuple[str, int]] = frozenset()

    def __post_init__(self) -> None:
        pairs = frozenset((canonical_host(host), port) for host, port in self.allow)
        object.__setattr__(self, "allow", pairs)

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AddressPolicy":
        """From ``host:port`` texts (IPv6 in brackets). Raises ValueError with the entry in its words."""
        pairs = []
        for entry in entries:
            host, _, port = entry.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{ALLOW_SETTING}: {entry!r} is not host:port")
            pairs.append((host, int(port)))
        return cls(frozenset(pairs))

    def allows(self, host: str, port: int) -> bool:
        """Whether the allow list names this host and port."""
        return (canonical_host(host), port) in self.allow

    def refusal(self, host: str, port: int) -> str | None:
        """Why a URL with this host and port is refused before anything is looked up; None if it isn't.

        Names pass: what they resolve to is judged when it is connected to.
        """
        if self.allows(host, port):
            return None
        address = literal(host)
        if address is None:
            return None
        kind = denied(address)
        canonical = canonical_host(host) == str(address)
        if kind:
            spelt = str(address) if canonical else f"{host} is another spelling of {address}, it"
            return unlisted(f"{spelt} is {kind}", host, port)
        return None if canonical else f"{host} is an unusual spelling of {address}; write it that way"


def unlisted(reason: str, host: str, port: int) -> str:
    """A refusal in words, with the setting that would lift it."""
    shown = f"[{host}]" if ":" in host else host
    return f"{reason}; {ALLOW_SETTING} does not list {shown}:{port}"
