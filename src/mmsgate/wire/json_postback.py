"""Notifications in JSON, member by member in the postback contract's order (5, 6, 8).

Where the contract lists a member, it is always there, as in XML: empty if we don't know its value. Only those that
it puts in brackets are left out. It knows N211 in XML alone; JSON gets the same members under kebab's names.
"""

import json
from collections.abc import Mapping, Sequence

from mmsgate.clock import iso_micros, iso_z
from mmsgate.domain.inbound import Inbound, InboundKind
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.postback import Postback, PostbackCode, Undelivered
from mmsgate.wire.inbound import inbound_code

_LIFE = (
    "origin code sent-as status status-details from to from-mask tracking-id operator-id operator-name timestamp "
    "mms-id handset"
)
_REFUSED = "origin code status status-details from to tracking-id timestamp"
_LAYOUTS: Mapping[PostbackCode, tuple[str, ...]] = {
    code: tuple(names.split())
    for code, names in {
        PostbackCode.N003: "origin code status mms-id tracking-id timestamp",
        PostbackCode.E002: "origin code status mms-id audio-name tracking-id timestamp",
        PostbackCode.E003: "origin code status mms-id video-name tracking-id timestamp",
        PostbackCode.N013: "origin code status mms-id tracking-id timestamp",
        PostbackCode.E012: f"{_REFUSED} audio-name",
        PostbackCode.E013: f"{_REFUSED} video-name",
        PostbackCode.N101: _LIFE,
        PostbackCode.N102: _LIFE,
        PostbackCode.N103: _LIFE,
        PostbackCode.N202: _LIFE,
        PostbackCode.E101: _LIFE,
        PostbackCode.E102: _LIFE,
        PostbackCode.E202: _LIFE,
        PostbackCode.E999: _LIFE,
    }.items()
}
_LEFT_OUT = frozenset({"from-mask", "handset"})  # where they are empty

_STATUS = {
    PostbackCode.N003: "Transcoding successful",
    PostbackCode.E002: "Transcoding failed",
    PostbackCode.E003: "Transcoding failed",
    PostbackCode.N013: "Transcoding successful and sending triggered",
    PostbackCode.E012: "Transcoding failed",
    PostbackCode.E013: "Transcoding failed",
    PostbackCode.N101: "Sent",
    PostbackCode.N102: "Delivered",
    PostbackCode.N103: "Expired",
    PostbackCode.N202: "Delivered",
    PostbackCode.E101: "Failed",
    PostbackCode.E999: "Failed",
}
#: The JSON column of the map from network reports (8).
_UNDELIVERED = {
    Undelivered.EXPIRED: "Expired",
    Undelivered.REJECTED: "Rejected",
    Undelivered.NOT_SUPPORTED: "Unrecognised",
    Undelivered.UNRECOGNISED: "Unrecognised",
    Undelivered.UNREACHABLE: "Rejected",
    Undelivered.INDETERMINATE: "Rejected",
}
#: What E102 and E202 are for any other reason, or none: a JSON E102 is never Failed (2).
_OTHERWISE = {PostbackCode.E102: "Rejected", PostbackCode.E202: "Failed"}

_MMS = ("keyword", "tracking-id", "operator-id", "timestamp", "message-subject")
_SMS = ("text", "received", "transaction-id")


def json_code(postback: Postback) -> PostbackCode | None:
    """The code under which JSON tells it: an expired message is N103, not E102. None: it has no word for it (2)."""
    if postback.code is PostbackCode.E102 and postback.why is Undelivered.EXPIRED:
        return PostbackCode.N103
    return postback.code if postback.code in _LAYOUTS else None


def json_postback(postback: Postback, operators: Operators = BUILT_IN) -> bytes:
    """The body of a notification; its code is one that JSON has (`json_code`), else KeyError."""
    values = _values(postback, operators)
    layout = _LAYOUTS[postback.code]
    return _dumped({name: values[name] for name in layout if values[name] or name not in _LEFT_OUT})


def json_inbound(inbound: Inbound, *, files: Sequence[str], group: bool) -> bytes:
    """The body of N401 or N211. `files` and `group` are those of `render_inbound`."""
    mms = inbound.kind is InboundKind.MMS
    values = _inbound_values(inbound)
    members: dict[str, object] = {name: values[name] for name in ("origin", "code", "from", "to")}
    if group and inbound.copy_to:
        members["copy-to"] = [{"number": number} for number in inbound.copy_to]
    members |= {name: values[name] for name in (_MMS if mms else _SMS)}
    if mms:
        members["content"] = [{"file": file} for file in files]
    return _dumped(members)


def _dumped(members: Mapping[str, object]) -> bytes:
    """In UTF-8; half a surrogate pair, which is no character, becomes a question mark."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _values(postback: Postback, operators: Operators) -> dict[str, str]:
    status = _status(postback)
    operator = operators.find(postback.operator)
    return {
        "origin": "MMS_MT",
        "code": postback.code,
        "sent-as": postback.sent_as,
        "status": status,
        "status-details": postback.details or f"Message {status}",
        "from": postback.sender,
        "to": postback.recipient,
        "from-mask": postback.sender_mask,
        "tracking-id": postback.tracking_id,
        "operator-id": postback.operator,
        "operator-name": operator.name if operator else "",
        "timestamp": iso_micros(postback.timestamp),
        "mms-id": str(postback.mms_id),
        "handset": postback.handset,
        "audio-name": postback.medium,
        "video-name": postback.medium,
    }


def _status(postback: Postback) -> str:
    fixed = _STATUS.get(postback.code)
    return fixed or _UNDELIVERED.get(postback.why or Undelivered.FAILED, _OTHERWISE[postback.code])


def _inbound_values(inbound: Inbound) -> dict[str, str]:
    return {
        "origin": "MMS_MO" if inbound.kind is InboundKind.MMS else "SMS_MO",
        "code": inbound_code(inbound.kind),
        "from": inbound.sender,
        "to": inbound.recipient,
        "keyword": inbound.keyword,
        "tracking-id": inbound.tracking_id,
        "operator-id": inbound.operator,
        "timestamp": iso_z(inbound.sent_at),
        "message-subject": inbound.subject,
        "text": inbound.text,
        "received": iso_z(inbound.sent_at),
        "transaction-id": inbound.tracking_id,
    }
