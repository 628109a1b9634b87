"""One door for every MM7 request: our report endpoint's and the simulated MMSC's."""

from mmsgate.mm7.deliver import DeliverReq, read_deliver
from mmsgate.mm7.envelope import Envelope, Schema
from mmsgate.mm7.multipart import Part
from mmsgate.mm7.parts import content_parts, open_message
from mmsgate.mm7.received import SubmitReqReceived, Unpack, read_submit
from mmsgate.mm7.report import DeliveryReportReq, ReadReplyReq, read_delivery_report, read_read_reply
from mmsgate.mm7.unreadable import CannotRead, Unreadable

#: Bytes of a request that are read unless the caller says otherwise.
MAX_BODY = 16 * 1024 * 1024

Request = SubmitReqReceived | DeliverReq | DeliveryReportReq | ReadReplyReq


def read_request(
    content_type: str, body: bytes, *, limit: int = MAX_BODY, unpack: Unpack = content_parts
) -> Request | Unreadable:
    """The request in an HTTP body of at most `limit` bytes. Never raises.

    `unpack` says what a SubmitReq's content is.
    """
    if len(body) > limit:
        return Unreadable(status_code=2007, reason=f"the request has {len(body):,} bytes, {limit:,} are read")
    try:
        envelope, beside = open_message(content_type, body)
    except CannotRead as unreadable:
        return Unreadable(status_code=unreadable.status_code, reason=unreadable.reason)
    try:
        return _operation(envelope, beside, len(body), unpack)
    except CannotRead as unreadable:
        return Unreadable(
            status_code=unreadable.status_code,
            reason=unreadable.reason,
            transaction_id=envelope.transaction_id,
            namespace=envelope.namespace,
            version=envelope.version,
        )


def _operation(envelope: Envelope, beside: tuple[Part, ...], wire_size: int, unpack: Unpack) -> Request:
    match envelope.operation:
        case "SubmitReq":
            return read_submit(envelope, beside, wire_size, unpack)
        case "DeliverReq":
            return read_deliver(envelope, beside)
        case "DeliveryReportReq":
            return read_delivery_report(envelope)
        case "ReadReplyReq":
            return read_read_reply(envelope)
        case other:
            raise CannotRead(f"the operation {other[:60]!r} is not supported", status_code=4003)


def answering_schema(request: Request | Unreadable) -> Schema:
    """The namespace and version in which to answer: the request's own (MM7 page 1), ours where it has none."""
    ours = Schema()
    theirs = request.namespace if "MM7" in request.namespace.upper() else ""
    return Schema(namespace=theirs or ours.namespace, version=request.version or ours.version)
