"""Notifications of inbound messages in the XML dialects: N401 for an MMS, N211 for an SMS (postback contract 3, 4).

The contract knows N211 in Skycore alone; kebab gets the same elements under its own names. A group's other numbers
stand where the JSON form has them, behind ``to``: neither XML form has an element of its own for them.
"""

from collections.abc import Sequence

from mmsgate.clock import iso
from mmsgate.domain.inbound import Inbound, InboundKind
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.request import WireDialect
from mmsgate.wire.markup import DECLARATION, Group, Piece, document
from mmsgate.wire.names import element_name
from mmsgate.wire.postback import SKYCORE_DECLARATION

_CODES = {InboundKind.MMS: "N401", InboundKind.SMS: "N211"}
_MMS = {
    WireDialect.KEBAB: ("keyword", "tracking-id", "operator-id", "timestamp", "message-subject"),
    WireDialect.SKYCORE: ("keyword", "subject", "tracking-id", "spid", "timestamp"),
}
_SMS = ("text", "received", "transaction-id")


def inbound_code(kind: InboundKind) -> str:
    """The code under which such a message is told."""
    return _CODES[kind]


def render_inbound(
    inbound: Inbound, dialect: WireDialect, *, files: Sequence[str], group: bool, operators: Operators = BUILT_IN
) -> bytes:
    """The body of the notification.

    `files` are the addresses of its parts; `group` says whether the others of a group are named; `operators` has
    the carriers' older numbers. Raises ValueError for JSON.
    """
    mms = inbound.kind is InboundKind.MMS
    values = _values(inbound, dialect, operators)
    pieces: list[Piece] = [_element(dialect, name, values) for name in ("origin", "code", "from", "to")]
    if group and inbound.copy_to:
        pieces.append(_group(dialect, "copy-to", "number", inbound.copy_to))
    pieces += [_element(dialect, name, values) for name in (_MMS[dialect] if mms else _SMS)]
    if mms:
        pieces.append(_group(dialect, "content", "file", files))
    declaration = SKYCORE_DECLARATION if dialect is WireDialect.SKYCORE else DECLARATION
    return document(element_name(dialect, "postback"), pieces, declaration=declaration)


def _element(dialect: WireDialect, name: str, values: dict[str, str]) -> tuple[str, str]:
    return element_name(dialect, name), values[name]


def _group(dialect: WireDialect, name: str, inner: str, texts: Sequence[str]) -> Group:
    return Group(element_name(dialect, name), tuple((element_name(dialect, inner), text) for text in texts))


def _values(inbound: Inbound, dialect: WireDialect, operators: Operators) -> dict[str, str]:
    element_name(dialect, "postback")  # JSON has no elements, and none of the layouts
    return {
        "origin": "MMS_MO" if inbound.kind is InboundKind.MMS else "SMS_MO",
        "code": inbound_code(inbound.kind),
        "from": inbound.sender,
        "to": inbound.recipient,
        "keyword": inbound.keyword,
        "message-subject": inbound.subject,
        "subject": inbound.subject,
        "text": inbound.text,
        "tracking-id": inbound.tracking_id,
        "transaction-id": inbound.tracking_id,
        "operator-id": inbound.operator,
        "spid": operators.spid(inbound.operator),
        "timestamp": iso(inbound.sent_at),
        "received": iso(inbound.sent_at),
    }
