"""What a carrier answers to a SubmitReq: read from whatever came back, and written for the simulator.

Reading follows the MM7 peers page: faults come with HTTP 200 or 4xx/5xx, the MM7 code sometimes only in a
header, and some answer an empty 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mmsgate.mm7 import status
from mmsgate.mm7.envelope import TAIL_XML, Envelope, Schema, head_xml, write_envelope
from mmsgate.mm7.parts import open_message
from mmsgate.mm7.unreadable import CannotRead
from mmsgate.mm7.xml import Node, all_text, child, decode, escape, text_at

MAX_EXCERPT = 2048  # characters
MAX_TEXT = 500  # characters of a text kept from an answer
MAX_ID = 256  # of a message id: more than carriers write; reports are cut to the same, so that they match
_MAX_BODY = 1024 * 1024
_CODE_HEADER = "x-mm7-status-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAnswer:
    """What an HTTP answer to a SubmitReq says.

    `status_code` is the MM7 code as it came (look it up in the profile, then in `status`), None if there is
    none. A body that could not be read has `readable` False and the reason in `problem`; an empty one is
    readable and says nothing. `excerpt` is the start of the body as text, for the event log.
    """

    http_status: int
    status_code: int | None = None
    status_text: str = ""
    details: str = ""
    message_id: str | None = None
    transaction_id: str = ""
    is_fault: bool = False
    readable: bool = True
    problem: str = ""
    excerpt: str = field(default="", repr=False)


def read_submit_response(http_status: int, headers: Mapping[str, str], body: bytes) -> SubmitAnswer:
    """The answer as a value. Never raises."""
    lower = {name.lower(): value for name, value in headers.items()}
    header_code = _code(lower.get(_CODE_HEADER, ""))
    excerpt = decode(body[: 2 * MAX_EXCERPT])[:MAX_EXCERPT]
    if not body.strip():
        return SubmitAnswer(http_status=http_status, status_code=header_code, excerpt=excerpt)
    try:
        envelope, _ = open_message(lower.get("content-type", ""), _capped(body))
        return _answer(http_status, envelope, header_code, excerpt)
    except CannotRead as unreadable:
        return SubmitAnswer(
            http_status=http_status,
            status_code=header_code,
            readable=False,
            problem=unreadable.reason,
            excerpt=excerpt,
        )


def _capped(body: bytes) -> bytes:
    if len(body) > _MAX_BODY:
        raise CannotRead(f"the answer has {len(body):,} bytes, {_MAX_BODY:,} are read")
    return body


def _answer(http_status: int, envelope: Envelope, header_code: int | None, excerpt: str) -> SubmitAnswer:
    is_fault = envelope.operation == "Fault"
    group = _find_status(envelope.body)
    if group is None and not is_fault and not envelope.operation.endswith("Rsp"):
        raise CannotRead(f"the answer holds {envelope.operation[:60]!r}, no SubmitRsp and no fault")
    code = _code(text_at(group, "StatusCode"))
    words = text_at(group, "StatusText") or text_at(envelope.body, "faultstring")
    details = all_text(child(envelope.body, "detail") if group is None else child(group, "Details"))
    return SubmitAnswer(
        http_status=http_status,
        status_code=header_code if code is None else code,
        status_text=words[:MAX_TEXT],
        details=details[:MAX_TEXT],
        message_id=text_at(envelope.body, "MessageID")[:MAX_ID] or None,
        transaction_id=envelope.transaction_id[:MAX_TEXT],
        is_fault=is_fault,
        excerpt=excerpt,
    )


def _find_status(operation: Node) -> Node | None:
    """The Status: below the operation, or below whatever a fault's detail holds."""
    direct = child(operation, "Status")
    if direct is not None:
        return direct
    detail = child(operation, "detail")
    holders = () if detail is None else (detail, *detail)
    return next((found for holder in holders if (found := child(holder, "Status")) is not None), None)


def _code(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else None


# -- writing


def status_xml(schema: Schema, code: int, text: str = "", details: str = "") -> str:
    """A Status element; without a text it gets the standard's."""
    return schema.group(
        "Status",
        schema.element("StatusCode", str(code)),
        schema.element("StatusText", text or status.text(code)),
        schema.element("Details", details),
    )


def encode_response(
    operation: str,
    *,
    transaction_id: str,
    code: int = 1000,
    text: str = "",
    details: str = "",
    message_id: str = "",
    schema: Schema | None = None,
) -> bytes:
    """Any response that is a version and a status: SubmitRsp, DeliverRsp, DeliveryReportRsp, ReadReplyRsp."""
    schema = schema or Schema()
    if message_id or len(schema.namespace + schema.version + text + details) > _USUAL:
        lines = (status_xml(schema, code, text, details), schema.element("MessageID", message_id))
        return write_envelope(schema.operation(operation, lines), transaction_id=transaction_id, schema=schema)
    before, after = _around(operation, schema, code, text, details)
    return f"{before}{escape(transaction_id)}{after}".encode()


#: Characters of what is remembered: a peer may write what it likes into namespace and version.
_USUAL = 400


@lru_cache(maxsize=64)
def _around(operation: str, schema: Schema, code: int, text: str, details: str) -> tuple[str, str]:
    """A response before and after its transaction id: most are the same for a whole carrier."""
    before, after = head_xml(schema)
    body = schema.operation(operation, (status_xml(schema, code, text, details),))
    return before, f"{after}{body}{TAIL_XML}"


def encode_submit_rsp(
    *, transaction_id: str, code: int = 1000, text: str = "", message_id: str = "", schema: Schema | None = None
) -> bytes:
    """A SubmitRsp; without `message_id` it has no MessageID, as some carriers answer."""
    return encode_response(
        "SubmitRsp", transaction_id=transaction_id, code=code, text=text, message_id=message_id, schema=schema
    )


def encode_fault(
    *, transaction_id: str, code: int, text: str = "", details: str = "", schema: Schema | None = None
) -> bytes:
    """A SOAP Fault around an RSErrorRsp: 2xxx is the client's fault, the rest the server's (MM7 page 2)."""
    schema = schema or Schema()
    client = status.status_class(code) is status.StatusClass.CLIENT
    error = schema.operation("RSErrorRsp", (status_xml(schema, code, text, details),))
    body = (
        "<env:Fault>\r\n"
        f"<faultcode>env:{'Client' if client else 'Server'}</faultcode>\r\n"
        f"<faultstring>{'Client error' if client else 'Server error'}</faultstring>\r\n"
        f"<detail>\r\n{error}\r\n</detail>\r\n"
        "</env:Fault>"
    )
    return write_envelope(body, transaction_id=transaction_id, schema=schema)
