"""The part of a carrier's profile that the codec needs: how this carrier wants its MM7 written."""

import hashlib
import re
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import lru_cache

from mmsgate.domain.media import MediaKind, by_mime
from mmsgate.mm7.envelope import REL_6, Prefix, Schema
from mmsgate.mm7.subject import SubjectPolicy

#: The children of SubmitReq in the order of the schema (REL-6-MM7-1-4); a validating MMSC refuses any other.
SUBMIT_SEQUENCE = (
    "MM7Version",
    "SenderIdentification",
    "Recipients",
    "ServiceCode",
    "LinkedID",
    "MessageClass",
    "TimeStamp",
    "ReplyCharging",
    "EarliestDeliveryTime",
    "ExpiryDate",
    "DeliveryReport",
    "ReadReply",
    "Priority",
    "Subject",
    "ChargedParty",
    "ChargedPartyID",
    "DistributionIndicator",
    "DeliveryCondition",
    "ApplicID",
    "ReplyApplicID",
    "AuxApplicInfo",
    "ContentClass",
    "DRMContent",
    "Content",
)

#: Elements that are no plain text, or are the envelope's own business.
_NOT_CONSTANT = frozenset(
    {
        "MM7Version",
        "SenderIdentification",
        "Recipients",
        "ReplyCharging",
        "DeliveryCondition",
        "Content",
    }
)
_OMITTABLE = (frozenset(SUBMIT_SEQUENCE) - {"Recipients", "Content"}) | {
    *("VASPID", "VASID", "allowAdaptations", "SOAPAction")
}
_VERSION = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
_VISIBLE = re.compile(r"[!#-~]*")  # neither blanks nor quotes
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")
_PLACE = re.compile(r"\{[^{}]*\}|[{}]")


class Layout(StrEnum):
    """Where the content's parts lie."""

    NESTED = "nested"  # in a multipart of their own, which is the second part
    FLAT = "flat"  # beside the SOAP part


class InnerType(StrEnum):
    """The subtype of a nested multipart."""

    RELATED = "related"
    MIXED = "mixed"


class Encoding(StrEnum):
    """The Content-Transfer-Encoding of media."""

    BINARY = "binary"
    BASE64 = "base64"


class SmilRefs(StrEnum):
    """How the SMIL names the parts."""

    LOCATION = "location"  # src="s1.jpg"
    CID = "cid"  # src="cid:s1.jpg"


class PartIds(StrEnum):
    """What the Content-IDs of the content's parts are."""

    NAME = "name"  # <s1.jpg>
    DOMAIN = "domain"  # <s1.jpg@mmsgate>


class Start(StrEnum):
    """How a multipart's Content-Type says which part is its root (RFC 2387 3.2)."""

    BRACKETS = "brackets"  # start="<show.smil>"
    BARE = "bare"  # start="show.smil"
    NONE = "none"  # it doesn't: the root is the first part


class BoundaryAlphabet(StrEnum):
    """Of which characters boundaries are."""

    ALPHANUMERIC = "alphanumeric"  # letters and digits: one MMSC breaks on others
    MIME = "mime"  # begins with =_, which no encoded text can hold (RFC 2045 6.7)


class SenderStyle(StrEnum):
    """When a sender is written as ShortCode, and when as Number."""

    BY_TYPE = "by-type"  # short codes are ShortCode
    BY_LENGTH = "by-length"  # up to `short_code_length` digits are ShortCode
    SHORT_CODE = "short-code"
    NUMBER = "number"


class RecipientStyle(StrEnum):
    """How a recipient is written."""

    NUMBER = "number"  # <Number>12065550100</Number>
    PLUS = "plus"  # <Number>+12065550100</Number>
    PLMN = "plmn"  # <RFC2822Address>+12065550100/TYPE=PLMN</RFC2822Address>
    SHORT_CODE = "short-code"  # <ShortCode>12065550100</ShortCode>


class Expiry(StrEnum):
    """How the time is written until which a message may be fetched."""

    ABSOLUTE = "absolute"  # 2026-01-05T09:30:47Z
    RELATIVE = "relative"  # PT259200S, an xs:duration from now
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentStyle:
    """How the content part is written: what is encoded once for all recipients depends on this, and on no more.

    `vcard_mime` is ``text/x-vCard`` or ``text/vcard``. `allow_adaptations` says whether the carrier may adapt media
    that we have not fitted ourselves. `id_domain` is the right-hand side of Content-IDs, `id_brackets` puts
    these in angle brackets. `content_location` and `part_names` say whether parts have a Content-Location, and
    their Content-Type a name. `boundary_length` is the most characters a boundary may have.

    Raises ValueError that begins with the setting's name.
    """

    layout: Layout = Layout.NESTED
    inner: InnerType = InnerType.RELATED
    encoding: Encoding = Encoding.BINARY
    smil_refs: SmilRefs = SmilRefs.LOCATION
    vcard_mime: str = "text/x-vCard"
    allow_adaptations: bool = False
    id_domain: str = "mmsgate"
    id_brackets: bool = True
    part_ids: PartIds = PartIds.NAME
    part_names: bool = True
    content_location: bool = True
    start: Start = Start.BRACKETS
    boundary: BoundaryAlphabet = BoundaryAlphabet.ALPHANUMERIC
    boundary_length: int = 40

    def __post_init__(self) -> None:
        vcard = by_mime(self.vcard_mime)
        if vcard is None or vcard.kind is not MediaKind.VCARD or not _VISIBLE.fullmatch(self.vcard_mime):
            raise ValueError(f"vcard_mime is no type of a vCard: {self.vcard_mime!r}")
        if not _DOMAIN.fullmatch(self.id_domain):
            raise ValueError(f"id_domain is no host name: {self.id_domain!r}")
        if not 20 <= self.boundary_length <= 70:
            raise ValueError(f"boundary_length is 20 to 70 (RFC 2046 5.1.1), not {self.boundary_length}")
        if self.smil_refs is SmilRefs.LOCATION and not self.content_location:
            raise ValueError("smil_refs = location needs content_location: there is nothing to refer to")

    @property
    def key(self) -> str:
        """A short name: equal for equal styles, now and in later runs."""
        values = [(each.name, str(getattr(self, each.name))) for each in fields(ContentStyle)]
        return hashlib.sha256(repr(values).encode()).hexdigest()[:16]

    @property
    def boundary_mark(self) -> str:
        """What boundaries begin with."""
        return "=_" if self.boundary is BoundaryAlphabet.MIME else ""

    def boundary_token(self, drawn: str) -> str:
        """As much of a random token as a boundary has room for, behind its mark and `outer` or `inner`."""
        return drawn[: self.boundary_length - len(self.boundary_mark) - len("outer")]

    def wrapped(self, content_id: str) -> str:
        """A Content-ID as a header holds it."""
        return f"<{content_id}>" if self.id_brackets else content_id

    def start_parameter(self, content_id: str) -> str:
        """The end of a multipart's Content-Type, which names its root."""
        if self.start is Start.NONE:
            return ""
        return f'; start="<{content_id}>"' if self.start is Start.BRACKETS else f'; start="{content_id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(ContentStyle):
    """How one carrier wants its MM7: the style of the content, and the envelope.

    The defaults are the ``3gpp`` profile (MM7 wire page). `vasid` may hold ``{sender}`` and ``{service}``; `vasids`
    are (sender or service id, VASID) pairs that come before it. `soap_action` goes out in quotes. `omissions` names
    children of SubmitReq to leave out, also VASPID, VASID, allowAdaptations and SOAPAction. `constants` are
    (element, text) pairs; what a request says itself comes before them. `delivery_report` holds where the request
    says nothing. `sender_plus` puts a plus before a sender that is a Number. `carrier_header` is the HTTP header
    that names the recipient's operator, if the carrier wants one, and `carrier_ids` are (our id, theirs) pairs of
    operators that it knows by another number.

    Raises ValueError that begins with the setting's name.
    """

    vaspid: str = field(default="", repr=False)
    vasid: str = ""
    vasids: tuple[tuple[str, str], ...] = ()
    namespace: str = REL_6
    mm7_version: str = "6.8.0"
    prefix: Prefix = Prefix.DEFAULT
    soap_action: str = ""
    omissions: frozenset[str] = frozenset()
    constants: tuple[tuple[str, str], ...] = ()
    delivery_report: bool = True
    sender: SenderStyle = SenderStyle.BY_TYPE
    short_code_length: int = 6
    sender_plus: bool = False
    recipient: RecipientStyle = RecipientStyle.NUMBER
    carrier_header: str = ""
    carrier_ids: tuple[tuple[str, str], ...] = ()
    expiry: Expiry = Expiry.ABSOLUTE
    subject: SubjectPolicy = SubjectPolicy.UTF8

    def __post_init__(self) -> None:
        ContentStyle.__post_init__(self)  # super() does not work in a class with slots
        allowed = frozenset(SUBMIT_SEQUENCE) - _NOT_CONSTANT
        _refuse_names("constants", {name for name, _ in self.constants} - allowed)
        _refuse_names("omissions", self.omissions - _OMITTABLE)
        for name in ("namespace", "soap_action"):
            if not _VISIBLE.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} holds a blank, a quote or a line end: {getattr(self, name)!r}")
        if not self.namespace:
            raise ValueError("namespace is empty")
        if not _VERSION.fullmatch(self.mm7_version):
            raise ValueError(f"mm7_version is like 6.8.0, not {self.mm7_version!r}")
        if self.carrier_header and not _TOKEN.fullmatch(self.carrier_header):
            raise ValueError(f"carrier_header is no name of an HTTP header: {self.carrier_header!r}")
        if not 1 <= self.short_code_length <= 15:
            raise ValueError(f"short_code_length is 1 to 15, not {self.short_code_length}")
        odd = set(_PLACE.findall(self.vasid)) - {"{sender}", "{service}"}
        if odd:
            raise ValueError(f"vasid can hold {{sender}} and {{service}}, not {', '.join(sorted(odd))}")

    @property
    def style(self) -> ContentStyle:
        """The style of the content alone: equal for carriers whose contents are the same bytes."""
        return _style_of(self)

    @property
    def schema(self) -> Schema:
        """The MM7 in which envelopes are written."""
        return Schema(namespace=self.namespace, version=self.mm7_version, prefix=self.prefix)


@lru_cache(maxsize=256)
def _style_of(dialect: Dialect) -> ContentStyle:
    return ContentStyle(**{each.name: getattr(dialect, each.name) for each in fields(ContentStyle)})


def _refuse_names(setting: str, odd: frozenset[str] | set[str]) -> None:
    if odd:
        raise ValueError(f"{setting}: SubmitReq has no such element: {', '.join(sorted(odd)) or repr('')}")
