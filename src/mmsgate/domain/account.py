"""Accounts: who may send what from which number, and the switches of the rulings."""

import hashlib
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from mmsgate.clock import Millis
from mmsgate.domain.media import FRAMES, JPEG_PIXELS, PIXELS, ImageLimits, MediaKind
from mmsgate.domain.number import SenderType
from mmsgate.domain.optout import OptOutSettings
from mmsgate.domain.request import Action, WireDialect
from mmsgate.domain.slide import MAX_TEXT

MIB = 1024 * 1024

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Compat(StrEnum):
    """`better` is this gateway's reading of every ruling; `strict` the literal behaviour of the original."""

    BETTER = "better"
    STRICT = "strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The account's switches, one per ruling that has one. None means: as `compat` and the dialect say."""

    compat: Compat = Compat.BETTER
    require_fallback_text: bool | None = None  # R-03, E622
    require_service_id: bool | None = None  # R-03, E627
    strict_media: bool | None = None  # R-04 (E35x), R-05 (E629), R-06: fetch as literally as the contract says
    normalise_numbers: bool | None = None  # R-17, E110
    reject_unicode_subject: bool = False  # R-18, E314
    any_2xx: bool | None = None  # postback success is 200-299, not exactly 200
    ordered_postbacks: bool | None = None
    fallback_dlr_code: str = ""  # N102 or N202, empty: as the dialect
    require_operator_id: bool = False  # E650
    require_operator: bool | None = None  # E618: in strict, where the lookup failed and nothing else tells
    fallback_unsupported: bool = False  # G-06: the SMS where the carrier takes no MMS, not E628
    enforce_campaign: bool = False  # E714, E715

    def __post_init__(self) -> None:
        if self.fallback_dlr_code not in {"", "N102", "N202"}:
            raise ValueError(f"switches.fallback_dlr_code is N102, N202 or empty, not {self.fallback_dlr_code!r}")

    def better(self, switch: bool | None) -> bool:
        """A switch for a behaviour that is better than the original: on unless said or strict."""
        return self.compat is Compat.BETTER if switch is None else switch

    def literal(self, switch: bool | None) -> bool:
        """A switch for a behaviour of the original: off unless said or strict."""
        return self.compat is Compat.STRICT if switch is None else switch


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """How often the account may call. Zero means no limit.

    `gap` is seconds between two calls (E106), `throughput` calls of one action per second (E113), `quota` calls
    per UTC day (E120). `delivery` is messages per second to carriers: more of them wait, and are not refused.
    """

    gap: int = 0
    throughput: int = 0
    quota: int = 0
    delivery: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostbackSettings:
    """Where and how the account is told.

    `dialect` None means: the dialect of the request. `secrets` are the live signing secrets, newest first, two
    at most while one is being rotated (R-10). `schedule` names a retry schedule (R-08). `mo` says whether inbound
    messages are told; None: unless the account is strict, for the original has to be asked for it. They go to
    `mo_url`, or to `url` where there is none.
    """

    url: str = ""
    mo: bool | None = None
    mo_url: str = ""
    dialect: WireDialect | None = None
    schedule: str = "default"
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """The largest file of each kind, in bytes, and what a picture may unpack to (R-30)."""

    image: int = 10 * MIB
    gif: int = 10 * MIB
    audio: int = 10 * MIB
    video: int = 50 * MIB
    object: int = 2 * MIB
    modern: bool = True  # types that the original service does not know
    jpeg_pixels: int = JPEG_PIXELS
    pixels: int = PIXELS
    frames: int = FRAMES

    def of(self, kind: MediaKind) -> int:
        """The most bytes a file under that element may have."""
        if kind.is_object:
            return self.object
        return {MediaKind.IMAGE: self.image, MediaKind.AUDIO: self.audio}.get(kind, self.video)

    @property
    def pictures(self) -> ImageLimits:
        """What a picture may unpack to."""
        return ImageLimits(jpeg_pixels=self.jpeg_pixels, pixels=self.pixels, frames=self.frames)


#: The literal figures of the original service (contract 5.4).
STRICT_LIMITS = SourceLimits(
    image=3000 * 1024,
    gif=1024 * 1024,
    audio=10_000 * 1024,
    video=50_000 * 1024,
    object=2048 * 1024,
    modern=False,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A number that an account may send from; `services` are the service ids usable with it."""

    number: str
    type: SenderType
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One customer. Everything a request is checked against but the block list."""

    id: int
    name: str
    active: bool = True  # E105
    billing_ok: bool = True  # E713
    actions: frozenset[Action] = frozenset(Action)  # E107
    ip_allow: tuple[str, ...] = ()  # networks, E112; empty: from anywhere
    rates: RateLimits = RateLimits()
    postback: PostbackSettings = PostbackSettings()
    source_limits: SourceLimits = SourceLimits()
    text_limit: int = MAX_TEXT  # characters of a slide, E334
    fallback_enabled: bool = True
    fallback_text: str = ""  # used when neither request nor template has one
    page_base: str = ""  # host of the fallback pages; empty: the gateway's own
    operator: str = ""  # the operator of numbers that nothing else tells
    default_senders: dict[str, str] = field(default_factory=dict)  # country → number (G-40)
    campaigns: dict[str, frozenset[str]] = field(default_factory=dict)  # reference → subscribed numbers
    keywords: dict[str, frozenset[str]] = field(default_factory=dict)  # number → first words of inbound messages
    optout: OptOutSettings = field(default_factory=OptOutSettings)
    switches: Switches = Switches()
    senders: dict[str, Sender] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for network in self.ip_allow:
            ipaddress.ip_network(network, strict=False)  # raises ValueError, which names it

    @property
    def told_of_inbound(self) -> str:
        """Where inbound messages are told; empty where they are not (postback contract 1)."""
        wanted = self.switches.better(self.postback.mo)
        return (self.postback.mo_url or self.postback.url) if wanted else ""

    def heeds_words(self, number: str) -> bool:
        """Whether the gateway acts on STOP, HELP and START sent to that number (R-22)."""
        return self.switches.better(self.optout.enabled) and number not in self.optout.excluded

    def admits(self, address: str) -> bool:
        """Whether a caller at that IP address may use the account's keys (E112)."""
        if not self.ip_allow:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(caller, "ipv4_mapped", None)
        return any((mapped or caller) in ipaddress.ip_network(net, strict=False) for net in self.ip_allow)


class BlockOrigin(StrEnum):
    """Who put an entry on a block list. START takes off what is not an operator's (R-22)."""

    OPERATOR = "operator"
    PHONE = "phone"  # its owner wrote STOP
    CARRIER = "carrier"  # the carrier refused a message because its owner had opted out


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One entry of a block list: `number` may hold ``*`` (``1900*``); `sender` empty blocks for every sender.

    `since` is when it was made.
    """

    account_id: int
    sender: str
    number: str
    reason: str = ""
    origin: BlockOrigin = BlockOrigin.OPERATOR
    since: Millis = 0

    @property
    def is_pattern(self) -> bool:
        """Patterns are matched one by one, plain numbers are looked up."""
        return "*" in self.number

    def matches(self, sender: str, recipient: str) -> bool:
        """Whether this entry keeps `sender` from sending to `recipient`."""
        return self.sender in {"", sender} and fnmatchcase(recipient, self.number)


def hash_key(api_key: str) -> str:
    """How an API key is stored: SHA-256 in hex.

    Keys are made by us from 160 random bits, so a slow hash would add cost and no safety.
    """
    return hashlib.sha256(api_key.encode()).hexdigest()
