"""The part of a carrier's profile that the codec needs: how this carrier wants its MM7 written."""

import hashlib
from dataclasses import dataclass, field, fields
from enum import StrEnum

from mmsgate.mm7.envelope import REL_6, Prefix, Schema

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
_OMITTABLE = (frozenset(SUBMIT_SEQUENCE) - {"Recipients", "Content"}) | {"VASPID", "VASID", "allowAdaptations"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one carrier wants its MM7.

    The defaults are the ``3gpp`` profile (MM7 wire page). `soap_action` goes out in quotes, None leaves the
    header out. `omissions` names children of SubmitReq to leave out, also VASPID, VASID and allowAdaptations.
    `constants` are (element, text) pairs; what a request says itself comes before them. `vcard_mime` is
    ``text/x-vCard`` or ``text/vcard``. `allow_adaptations` and `delivery_report` hold where the message says
    nothing. `id_domain` is the right-hand side of Content-IDs.

    Raises ValueError for element names that SubmitReq does not have.
    """

    vaspid: str = field(default="", repr=False)
    vasid: str = ""
    namespace: str = REL_6
    mm7_version: str = "6.8.0"
    prefix: Prefix = Prefix.DEFAULT
    soap_action: str | None = ""
    omissions: frozenset[str] = frozenset()
    constants: tuple[tuple[str, str], ...] = ()
    layout: Layout = Layout.NESTED
    inner: InnerType = InnerType.RELATED
    encoding: Encoding = Encoding.BINARY
    smil_refs: SmilRefs = SmilRefs.LOCATION
    vcard_mime: str = "text/x-vCard"
    allow_adaptations: bool = False
    delivery_report: bool = True
    id_domain: str = "mmsgate"

    def __post_init__(self) -> None:
        allowed = frozenset(SUBMIT_SEQUENCE) - _NOT_CONSTANT
        wrong = {name for name, _ in self.constants if name not in allowed} | (self.omissions - _OMITTABLE)
        if wrong:
            raise ValueError(f"SubmitReq has no element to set or leave out named {', '.join(sorted(wrong))}")

    @property
    def key(self) -> str:
        """A short name: equal for equal dialects, now and in later runs."""
        values = [(each.name, getattr(self, each.name)) for each in fields(self)]
        plain = [(name, sorted(value) if isinstance(value, frozenset) else value) for name, value in values]
        return hashlib.sha256(repr(plain).encode()).hexdigest()[:16]

    @property
    def schema(self) -> Schema:
        """The MM7 in which envelopes are written."""
        return Schema(namespace=self.namespace, version=self.mm7_version, prefix=self.prefix)
