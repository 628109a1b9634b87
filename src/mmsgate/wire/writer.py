"""Answers to API calls in the XML dialects, element by element in the contract's order (4, 6.1)."""

from collections.abc import Mapping

from mmsgate.domain.request import WireDialect
from mmsgate.errors import Refusal, error_text
from mmsgate.wire.markup import document
from mmsgate.wire.names import element_name

QUEUED = "MMS request accepted and queued for delivery"

_CONTENT_TYPES: Mapping[WireDialect, str] = {
    WireDialect.KEBAB: "text/xml; charset=utf-8",
    WireDialect.SKYCORE: "text/html; charset=UTF-8",
    WireDialect.JSON: "application/json; charset=utf-8",
}


def content_type(dialect: WireDialect) -> str:
    """The Content-Type of an answer (ruling R-15).

    Skycore's is HTML because its clients' HTTP library parses what is labelled as XML, and then they do it again.
    """
    return _CONTENT_TYPES[dialect]


def success_send(dialect: WireDialect, *, to: str, mms_id: int, tracking_id: str) -> bytes:
    """The answer to an accepted sendMMS. `dialect` is one of the two of XML."""
    return _response(
        dialect,
        ("status", "Success"),
        ("to", to),
        ("mms-id", str(mms_id)),
        ("tracking-id", tracking_id),
        ("status-details", QUEUED),
    )


def failure(dialect: WireDialect, refusal: Refusal, *, to: str | None = None) -> bytes:
    """The answer to a refused call. `to` is the recipient as the caller wrote it, for sending actions."""
    recipient = () if to is None else (("to", to),)
    return _response(
        dialect,
        ("status", "Failure"),
        ("error-code", refusal.code),
        *recipient,
        ("error-info", error_text(refusal, dialect)),
    )


def _response(dialect: WireDialect, *elements: tuple[str, str]) -> bytes:
    return document(
        element_name(dialect, "response"), [(element_name(dialect, name), value) for name, value in elements]
    )
