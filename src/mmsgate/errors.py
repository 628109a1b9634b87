"""The catalogue of error codes, and the two families of errors.

    Exception
    ├── Refusal     the caller's fault: a code of the catalogue and what to change; never logged as an error
    └── Fault       ours: the caller gets E503 and its request id, the log gets the whole trail

Every room that can fail by itself derives its own errors from `Fault`; nobody derives from `Refusal`. Neither
knows anything of HTTP: the API decides the status.

`CATALOGUE` is the only place where a code has a text. The texts are the wire's own (the API's code table, and
the samples where the two differ), so clients that compare them keep working. ``python -m mmsgate.errors``
prints the catalogue as the reference page ``docs/reference/errors.md``. The module is long because the table is.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from mmsgate.domain.media import MediaKind
from mmsgate.domain.notices import NOTICES
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import MAX_SLIDES, SlideFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One code: its text on the wire, what it means, and what to do about it.

    In a text ``{x}`` stands for the number (of the slide, the limit or the seconds) and ``{detail}`` for the
    reason in words. `legacy` is the wording of the Skycore dialect where it is another one. `unreachable` says
    why no action that this version serves can answer with the code; empty if one can.
    """

    code: str
    text: str
    meaning: str
    remedy: str
    legacy: str = ""
    unreachable: str = ""

    def template(self, dialect: WireDialect) -> str:
        """The text with its placeholders, as that dialect words it."""
        return self.legacy if self.legacy and dialect is WireDialect.SKYCORE else self.text

    @property
    def is_numbered(self) -> bool:
        """Whether a number has to be filled in."""
        return "{x}" in self.text or "{x}" in self.legacy


def _entry(code: str, text: str, meaning: str, remedy: str, *, legacy: str = "", unreachable: str = "") -> Entry:
    return Entry(code=code, text=text, meaning=meaning, remedy=remedy, legacy=legacy, unreachable=unreachable)


#: The code for a file over its size limit, by kind (contract 5.4). Text has E334.
TOO_BIG: Mapping[MediaKind, str] = MappingProxyType({
    MediaKind.IMAGE: "E331",
    MediaKind.AUDIO: "E332",
    MediaKind.VIDEO: "E333",
    MediaKind.VCARD: "E335",
    MediaKind.ICAL: "E336",
    MediaKind.PDF: "E337",
    MediaKind.PASSBOOK: "E338",
})  # fmt: skip

#: The code for a file that could not be fetched, by kind (contract 5.4).
NOT_FETCHED: Mapping[MediaKind, str] = MappingProxyType({
    MediaKind.IMAGE: "E351",
    MediaKind.AUDIO: "E352",
    MediaKind.VIDEO: "E353",
    MediaKind.VCARD: "E355",
    MediaKind.ICAL: "E356",
    MediaKind.PDF: "E357",
    MediaKind.PASSBOOK: "E358",
})  # fmt: skip


def _calls() -> Iterator[Entry]:
    """The call itself: its form, its sender, how often it comes."""
    yield _entry(
        "E100",
        "Invalid request, please make a valid XML Post request.",
        "The call is not a usable request: wrong method, empty body, not a request document, or no action.",
        "Post one XML document whose root is request and which names an action.",
        legacy="Invalid request. Make a valid request via GET/POST/XML with all the required variables.",
    )
    yield _entry(
        "E104",
        "Authentication failed, Invalid API-key.",
        "The API key is missing, empty, unknown or revoked.",
        "Send the account's key in api-key; make a new one if it was revoked.",
        legacy="User Authentication Failed.",
    )
    yield _entry(
        "E105",
        "No API access to this user.",
        "The account behind the key may not use the API.",
        "Have the operator switch API access on for the account.",
        legacy="This account has no API rights.",
    )
    yield _entry(
        "E106",
        "Time interval between each API call should be at least {x} seconds.",
        "Two calls of the account came closer together than its minimum gap of X seconds.",
        "Wait that long between calls.",
        legacy="You can call API every {x} seconds.",
    )
    yield _entry(
        "E107",
        "Invalid action. This API user is not allowed to use this action",
        "The action is unknown, or the account may not use it.",
        "Check the spelling of action; have the operator allow it for the account.",
        legacy="This account has no rights to use this action.",
    )
    yield _entry(
        "E108",
        "Invalid XML. XML parsing failed.",
        "The document is not well-formed XML, is in an unsupported encoding, or has a DOCTYPE.",
        "Run the document through an XML parser; leave DOCTYPE and entities out; encode it in UTF-8.",
        legacy="XML Parse error: {detail}.",
    )
    yield _entry(
        "E109",
        "API not activated.",
        "The API product is not switched on for the account.",
        "Have the operator activate the product for the account.",
        unreachable="accounts have one switch for API access; its answer is E105 in both dialects",
    )
    yield _entry(
        "E112",
        "IP was not whitelisted. API call rejected.",
        "The call came from an address that is not on the account's allow list.",
        "Call from a listed address, or have this one added.",
    )
    yield _entry(
        "E113",
        "Exceeded the allowed throughput for this API action.",
        "The account called this action more often than its throughput allows.",
        "Slow down and send the request again.",
        legacy="Set throughput exceeded for this API action. API call rejected.",
    )
    yield _entry(
        "E120",
        "Account has reached the API request limit.",
        "The account's quota of calls is used up.",
        "Wait for the next period, or have the quota raised.",
    )
    yield _entry(
        "E503",
        "Internal Error",
        "Something failed on our side; nothing was sent.",
        "Send the request again; if it stays, report the X-Request-Id of the answer.",
    )


def _addresses() -> Iterator[Entry]:
    """Who sends, to whom, under what service and campaign."""
    yield _entry(
        "E110",
        "Invalid to / receiver number.",
        "The recipient is not one international number of 8 to 15 digits.",
        "Send digits only, with the country code and without + or 00; one number a request.",
        legacy="Invalid receiver number.",
    )
    yield _entry(
        "E111",
        "Invalid shortcode",
        "The sender is missing or not one of the account's numbers.",
        "Put one of the account's short codes, long codes or toll-free numbers into from.",
    )
    yield _entry(
        "E114",
        "Phone number is blacklisted. API call rejected.",
        "The recipient has opted out of this sender or is blocked by the account.",
        "Do not send to this number until it opts in again.",
    )
    yield _entry(
        "E115",
        "Sender Mask is limited to 50 characters (Australia only)",
        "from-mask is too long or holds characters that a sender name cannot have.",
        "Use at most 11 letters, digits, _ or -, not digits alone.",
    )
    yield _entry(
        "E201",
        "The receiver number is required",
        "The recipient is missing or empty.",
        "Put the recipient's number into to.",
    )
    yield _entry(
        "E618",
        "Carrier lookup failed. Please retry.",
        "The recipient's carrier could not be looked up, and the account demands that it is known.",
        "Send the request again, or give operator-id.",
    )
    yield _entry(
        "E619",
        "Carrier not provisioned.",
        "The sender is not set up with the recipient's carrier.",
        "Send from another number, or have the carrier set up for this one.",
    )
    yield _entry(
        "E627",
        "Invalid service-id / service-id is required.",
        "service-id is missing, or the sender does not belong to that service.",
        "Send the service id that goes with the sender.",
    )
    yield _entry(
        "E628",
        "Mobile operator / carrier not supported.",
        "The recipient's carrier takes no MMS from here.",
        "Reach this recipient by other means.",
        legacy="Operator Not supported.",
    )
    yield _entry(
        "E650",
        "Invalid operator-id / operator-id is required.",
        "operator-id is not a whole number, or it is missing where the account demands it.",
        "Send the carrier's number, or leave the element out.",
        legacy="The 'operator id' is required.",
    )
    yield _entry(
        "E651",
        "Invalid operator-id / operator-id not found in the system.",
        "No carrier has this operator-id.",
        "Take the number from the list of operators, or leave the element out.",
        legacy="The 'operator id' passed was not found on our system.",
    )
    yield _entry(
        "E713",
        "There is billing problem on your account",
        "The account is out of credit or suspended.",
        "Settle the account with the operator.",
    )
    yield _entry(
        "E714",
        "Missing/Invalid CampaignID",
        "The account checks campaigns, and campaignRef is missing or unknown.",
        "Send the reference of one of the account's campaigns.",
    )
    yield _entry(
        "E715",
        "Number is not subscribed to this campaign.",
        "The account checks campaigns, and the recipient is not subscribed to this one.",
        "Send only to the campaign's subscribers.",
    )


def _content() -> Iterator[Entry]:
    """Name, subject, texts, and what slides may hold."""
    yield _entry(
        "E223",
        "More than one object is not allowed in the same slide.",
        "A slide holds two objects (vCard, iCalendar, PDF, pass), or two files of the same kind.",
        "Move one of them to a slide of its own.",
    )
    yield _entry(
        "E224",
        "MMS audio/video/image are not allowed with object in the same slide.",
        "A slide holds an object together with an image, audio or video.",
        "Give the object a slide of its own; text may stay with it.",
    )
    yield _entry(
        "E225",
        "Exceeded number of slides allowed for the MMS.",
        f"The message has more than {MAX_SLIDES} slides.",
        "Send fewer slides.",
        legacy="Too many Slides.",
    )
    yield _entry(
        "E226",
        "MMS audio / video are not allowed in the same slide.",
        "A slide holds audio and a video.",
        "Move one of them to another slide.",
        legacy="Audio and Video not allowed in same slide.",
    )
    yield _entry(
        "E227",
        "MMS video / image are not allowed in the same slide.",
        "A slide holds a video and an image.",
        "Move one of them to another slide.",
        legacy="Video and Image not allowed in same slide.",
    )
    yield _entry(
        "E228",
        "MMS text cannot exceed {x} characters.",
        "A slide's text is longer than the X characters that the API takes.",
        "Shorten the text, or spread it over several slides.",
        legacy="Text more than {x} characters.",
    )
    yield _entry(
        "E229",
        "Content not allowed.",
        "A file was fetched, but its type may not stand in this element.",
        "Name a file of a type that the element takes; look for an HTML page at the URL.",
    )
    yield _entry(
        "E230",
        "Invalid / bad slide duration in slide {x}.",
        "The duration of slide X is not a whole number of seconds from 1 to 60.",
        "Correct the duration, or leave it out for 10 seconds.",
        legacy="Bad {x} slide duration.",
    )
    yield _entry(
        "E311",
        "Invalid MMS name / name is required.",
        "The name of the message is missing or empty.",
        "Give the message a name; recipients don't see it.",
    )
    yield _entry(
        "E312",
        "No slides.",
        "The message has no slide.",
        "Send at least one slide.",
    )
    yield _entry(
        "E313",
        "Slide {x} is empty.",
        "Slide X holds neither text nor media.",
        "Put something into the slide, or leave it out.",
    )
    yield _entry(
        "E314",
        "Invalid message-subject / message-subject is required.",
        "The subject is longer than 80 characters, or has characters that the account rejects.",
        "Shorten the subject; leave emoji out.",
    )
    yield _entry(
        "E334",
        "Text in slide {x} is too long.",
        "The text of slide X is longer than the account allows.",
        "Shorten the text, or have the account's limit raised.",
    )
    yield _entry(
        "E622",
        "fallback-sms-text is required.",
        "The fallback SMS is active, and neither the request nor the account has a text for it.",
        "Send fallback-sms-text, or disable-fallback-sms with the value yes.",
        legacy="The 'fallback_sms_text' is required.",
    )
    yield _entry(
        "E629",
        "Unrecognized content type.",
        "A file was fetched, but its bytes are of no type known here.",
        "Open the URL and look at what it really serves.",
    )


def _media() -> Iterator[Entry]:
    """Files that are too big, broken or out of reach."""
    for kind, code in TOO_BIG.items():
        yield _entry(
            code,
            f"{kind.label} in slide {{x}} is too big.",
            f"The {kind.value} file of slide X is over the account's size limit.",
            "Make the file smaller, or have the limit raised.",
        )
    yield _entry(
        "E341",
        "Image file in slide {x} is corrupted.",
        "The image of slide X cannot be decoded, or has too many pixels.",
        "Save it again in a viewer. A JPEG may have 50 million pixels, others 20 million and 300 frames.",
    )
    yield _entry(
        "E343",
        "Video in slide {x} has missing codecs",
        "The video of slide X holds nothing that can be decoded. Only the Skycore dialect is answered so; in the "
        "other one the postback E003 or E013 says it.",
        "Save the video as MP4 with H.264 and AAC.",
    )
    for kind, code in NOT_FETCHED.items():
        yield _entry(
            code,
            f"Could not copy {kind.label} in slide {{x}}.",
            f"The {kind.value} file of slide X could not be downloaded.",
            "Check that the URL answers 200 from outside with the whole file; the request log has the reason.",
        )


def _templates() -> Iterator[Entry]:
    """Stored messages and their list."""
    yield _entry(
        "E200",
        "No MMS Templates were created in this account.",
        "getMmsIds, and the account has no stored MMS.",
        "Store one with saveMMS.",
    )
    yield _entry(
        "E212",
        "page-number is invalid.",
        "page-number is not a whole number from 1.",
        "Correct the number, or leave it out for the first page.",
        legacy="pagenumber is invalid.",
    )
    yield _entry(
        "E213",
        "items-per-page is invalid",
        "items-per-page is not a whole number from 1.",
        "Correct the number, or leave it out.",
        legacy="itemsperpage is invalid.",
    )
    yield _entry(
        "E214",
        "start-date is invalid",
        "start-date is not an ISO 8601 instant.",
        "Write it like 2026-01-02T09:30:47+00:00, or leave it out.",
        legacy="startdate is invalid.",
    )
    yield _entry(
        "E241",
        "Invalid mms-id / MMS do not exist",
        "The account has no stored MMS with this mms-id.",
        "Take the id from the answer to saveMMS, or from the list of templates.",
        legacy="This content does not exist.",
    )
    yield _entry(
        "E620",
        "mms-id is required.",
        "mms-id is missing or empty.",
        "Send the id of a stored MMS.",
        legacy="The 'mmsid' is required.",
    )
    yield _entry(
        "E626",
        "MMS not available. Encoding in progress, try again later.",
        "The stored MMS is still being encoded.",
        "Wait for the N003 postback, then send.",
        legacy="Content unavailable. Encoding in progress, try again later.",
    )


def _own() -> Iterator[Entry]:
    """Our own, for what the original API has no code for (ruling R-23)."""
    yield _entry(
        "G001",
        "Not found.",
        "The account has nothing with this id.",
        "Check the id, and that the key belongs to the account that sent the message.",
    )


def _by_code(*groups: Iterable[Entry]) -> Mapping[str, Entry]:
    entries = sorted((entry for group in groups for entry in group), key=lambda entry: entry.code)
    return MappingProxyType({entry.code: entry for entry in entries})


#: Every code that is served or reserved, in order of its number.
CATALOGUE = _by_code(_calls(), _addresses(), _content(), _media(), _templates(), _own())

_RETIRED = {
    "E301": "renumbered to E311 in 2015, never sent (ruling R-02)",
    "E302": "renumbered to E312 in 2015, never sent (ruling R-02)",
    "E303": "renumbered to E313 in 2015, never sent (ruling R-02)",
    "E304": "renumbered to E314 in 2015, never sent (ruling R-02)",
}

#: Published codes that no action of this version answers with, and why.
UNREACHABLE: Mapping[str, str] = MappingProxyType(
    _RETIRED | {entry.code: entry.unreachable for entry in CATALOGUE.values() if entry.unreachable}
)


class Refusal(Exception):  # noqa: N818  # it refuses; an "error" would be ours
    """The caller's fault: what is wrong with the request, by the catalogue.

    `x` is the number in the text; where the text wants one and none is given it is the slide's. `slide` counts
    from 1. `detail` tells people more than the text does (byte counts, the setting to change); it must hold no
    secret and no whole phone number. `wording` replaces the catalogue's text where that would mislead (R-07).

    A code that is not in the catalogue is a KeyError, a missing number a ValueError: both are our mistakes.
    """

    def __init__(
        self, code: str, *, x: int | None = None, slide: int | None = None, detail: str = "", wording: str = ""
    ) -> None:
        entry = CATALOGUE[code]
        self.code = code
        self.slide = slide
        self.x = slide if x is None else x
        self.detail = detail or entry.meaning.rstrip(".")
        self.wording = wording
        if entry.is_numbered and self.x is None and not wording:
            raise ValueError(f"the text of {code} needs a number")
        super().__init__(f"{code}: {self.detail}")

    @classmethod
    def of_slide(cls, fault: SlideFault) -> Self:
        """The refusal for a slide rule that the request breaks."""
        return cls(fault.code, x=fault.limit, slide=fault.slide or None, detail=fault.reason)


class Fault(Exception):  # noqa: N818  # as Refusal; the rooms' own errors derive from it
    """Something failed on our side."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


def error_text(refusal: Refusal, dialect: WireDialect) -> str:
    """The text that goes into error-info, as that dialect words it."""
    if refusal.wording:
        return refusal.wording
    return CATALOGUE[refusal.code].template(dialect).format(x=refusal.x, detail=refusal.detail)


def reference() -> str:
    """The catalogue as a page of Markdown."""
    head = (
        "# Error codes\n\n"
        "Written by `python -m mmsgate.errors`. X stands for a number: of the slide, the limit or the seconds.\n"
        "Codes with G are this gateway's own, the others are those of the API it is compatible with.\n\n"
        "| code | text | meaning | what to do |\n|---|---|---|---|\n"
    )
    rows = "".join(_row(entry) for entry in CATALOGUE.values())
    notes = "".join(f"| {code} | {reason} |\n" for code, reason in sorted(UNREACHABLE.items()))
    notices = "".join(f"| {code} | {each.meaning} | {each.remedy} |\n" for code, each in NOTICES.items())
    return (
        f"{head}{rows}\n## Not sent by this version\n\n| code | why |\n|---|---|\n{notes}\n"
        "## Postback codes\n\n"
        "These are told, not answered: [receive postbacks](../how-to/receive-postbacks.md).\n\n"
        f"| code | meaning | what to do |\n|---|---|---|\n{notices}"
    )


def _row(entry: Entry) -> str:
    texts = [entry.text] + ([f"Skycore: {entry.legacy}"] if entry.legacy else [])
    text = "<br>".join(texts).replace("{x}", "X").replace("{detail}", "the reason")
    return f"| {entry.code} | {text} | {entry.meaning} | {entry.remedy} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
