"""Notifications in the XML dialects, element by element in the postback contract's order (3 and 4).

Where the contract lists an element, it is always there: empty if we don't know its value (handset, details,
carrier, Skycore's AGGREGATORID, which we never have), so that receivers can rely on the shape.
"""

from collections.abc import Mapping
from functools import cache

from mmsgate.clock import iso
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.postback import Postback, PostbackCode, SentAs, Undelivered
from mmsgate.domain.request import WireDialect
from mmsgate.wire.markup import DECLARATION, flat_document
from mmsgate.wire.names import element_name

_CONTENT_TYPES: Mapping[WireDialect, str] = {
    WireDialect.KEBAB: "text/xml; charset=utf-8",
    WireDialect.SKYCORE: "text/xml; charset=utf-8",
    WireDialect.JSON: "application/json; charset=utf-8",
}

SKYCORE_DECLARATION = "<?xml version='1.0'?>"

_Layout = tuple[str, ...]
_Layouts = Mapping[tuple[PostbackCode, SentAs], _Layout]


def _layout(names: str) -> _Layout:
    return tuple(names.split())


def _layouts(*, sent: tuple[str, str], delivered: tuple[str, str], undelivered: str) -> _Layouts:
    """One layout for each code and way of sending; pairs are (as MMS, as the link SMS)."""
    failed = _layout("origin code status mms-id from to tracking-id operator-id status-details")
    layouts: dict[tuple[PostbackCode, SentAs], _Layout] = {}
    for way, start, arrival in zip(SentAs, sent, delivered, strict=True):
        layouts |= {
            (PostbackCode.N003, way): _layout("origin code mms-id"),
            (PostbackCode.E002, way): _layout("origin code mms-id audio-name"),
            (PostbackCode.E003, way): _layout("origin code mms-id video-name"),
            (PostbackCode.N013, way): _layout("origin code mms-id tracking-id"),
            (PostbackCode.E012, way): (*failed, "audio-name"),
            (PostbackCode.E013, way): (*failed, "video-name"),
            (PostbackCode.N101, way): _layout(start),
            (PostbackCode.N102, way): _layout(arrival),
            (PostbackCode.N202, way): _layout(delivered[1]),
            (PostbackCode.E101, way): failed,
            (PostbackCode.E102, way): _layout(f"origin code {undelivered}"),
            (PostbackCode.E202, way): _layout(f"origin code sent-as {undelivered}"),
            (PostbackCode.E999, way): failed,
            (PostbackCode.N501, way): _layout(f"{_SENT} status-details"),
            (PostbackCode.N502, way): _layout(delivered[0]),
            (PostbackCode.E501, way): failed,
            (PostbackCode.E502, way): _layout(f"origin code {undelivered}"),
        }
    return layouts


_SENT = "origin code sent-as status mms-id from to tracking-id operator-id timestamp"
_LINK = "origin code sent-as status from to tracking-id operator-id timestamp"

_LAYOUTS: Mapping[WireDialect, _Layouts] = {
    WireDialect.KEBAB: _layouts(
        sent=(_SENT, f"{_SENT} status-details"),
        delivered=(f"{_SENT} handset", _LINK),
        undelivered="status mms-id from to tracking-id operator-id status-details",
    ),
    WireDialect.SKYCORE: _layouts(
        sent=(_SENT, f"{_SENT} status-details"),
        delivered=(f"{_SENT} handset aggregator-id", f"{_LINK} aggregator-id"),
        undelivered="status mms-id from to tracking-id operator-id timestamp aggregator-id status-details",
    ),
}

_STATUS = {
    PostbackCode.N101: "Message Sent",
    PostbackCode.N102: "Message Sent/Delivered",
    PostbackCode.N202: "Message Sent/Delivered",
    PostbackCode.E101: "Message Failed",
    PostbackCode.E012: "Message Failed",
    PostbackCode.E013: "Message Failed",
    PostbackCode.E999: "Message Failed",
    PostbackCode.N501: "Message Sent",
    PostbackCode.N502: "Message Sent/Delivered",
    PostbackCode.E501: "Message Failed",
}

#: The XML column of the map from network reports (postback contract 8); all else is Failed.
_UNDELIVERED = {
    Undelivered.EXPIRED: "Expired",
    Undelivered.REJECTED: "Rejected",
    Undelivered.NOT_SUPPORTED: "Not Supported",
}


def content_type(dialect: WireDialect) -> str:
    """The Content-Type of a notification (postback contract 1, G-27): unlike answers, Skycore's is XML too."""
    return _CONTENT_TYPES[dialect]


def render_postback(postback: Postback, dialect: WireDialect, operators: Operators = BUILT_IN) -> bytes:
    """The body of a notification. `dialect` is one of the two of XML; the code is the caller's choice (R-28).

    `operators` has the carriers' older numbers. E102 and E202 without a reason count as failed. Raises ValueError
    for JSON.
    """
    skycore = dialect is WireDialect.SKYCORE
    values = _values(postback, operators if skycore else None)
    root, layout = _shape(dialect, postback.code, postback.sent_as)
    return flat_document(
        root,
        [(element, values[name]) for element, name in layout],
        declaration=SKYCORE_DECLARATION if skycore else DECLARATION,
    )


@cache
def _shape(dialect: WireDialect, code: PostbackCode, sent_as: SentAs) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The root's name, and each element's name in the dialect with our name of its value."""
    layout = _LAYOUTS[dialect][code, sent_as] if dialect in _LAYOUTS else ()
    return element_name(dialect, "postback"), tuple((_name(dialect, name), name) for name in layout)


def _name(dialect: WireDialect, name: str) -> str:
    if dialect is WireDialect.SKYCORE and name == "operator-id":
        return "SPID"  # requests renamed it in 2014, notifications never did (API contract 2.2)
    return element_name(dialect, name)


def _values(postback: Postback, spids: Operators | None) -> dict[str, str]:
    """Our names to what they are; with `spids` as Skycore has them."""
    return {
        "origin": "MMS_MT",
        "code": postback.code,
        "sent-as": postback.sent_as,
        "status": _status(postback, skycore=spids is not None),
        "mms-id": str(postback.mms_id),
        "from": postback.sender,
        "to": postback.recipient,
        "tracking-id": postback.tracking_id,
        "operator-id": spids.spid(postback.operator) if spids else postback.operator,
        "timestamp": iso(postback.timestamp),
        "status-details": postback.details,
        "handset": postback.handset,
        "aggregator-id": "",
        "audio-name": postback.medium,
        "video-name": postback.medium,
    }


def _status(postback: Postback, *, skycore: bool) -> str:
    fixed = _STATUS.get(postback.code)
    if fixed:
        return fixed
    word = _UNDELIVERED.get(postback.why or Undelivered.FAILED, "Failed")
    return f"Message Sent/{word.replace(' ', '') if skycore else word}"
