"""Answers to API calls in the XML dialects, element by element in the contract's order (4, 6.1)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mmsgate.clock import Millis, iso
from mmsgate.domain.request import WireDialect
from mmsgate.errors import Refusal, error_text
from mmsgate.wire.markup import Group, document, flat_document
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


def success_save(dialect: WireDialect, *, mms_id: int) -> bytes:
    """The answer to an accepted saveMMS (6.2), and to deleteMMSID (6.4)."""
    return _response(dialect, ("status", "Success"), ("mms-id", str(mms_id)))


def success_send_saved(dialect: WireDialect, *, mms_id: int, tracking_id: str, to: str, sender: str) -> bytes:
    """The answer to an accepted sendSavedMMS (6.3): another order than sendMMS's."""
    return _response(
        dialect,
        ("status", "Success"),
        ("mms-id", str(mms_id)),
        ("tracking-id", tracking_id),
        ("to", to),
        ("from", sender),
        ("status-details", QUEUED),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateList:
    """One page of an account's templates (6.5). `start_date` is what the request said; `total` is of all pages."""

    start_date: str
    page: int
    per_page: int
    total: int
    entries: tuple["TemplateEntry", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEntry:
    """One template of a list; `size` in bytes of files and texts, `poster` a picture's or video's URL, if any."""

    mms_id: int
    name: str
    subject: str
    fallback_text: str
    created_at: Millis
    slides: int
    size: int
    poster: str = ""


def template_list(dialect: WireDialect, page: TemplateList) -> bytes:
    """The answer to getMMSTemplates (6.5). Skycore's names of the list keep their underscores (2.2)."""
    skycore = dialect is WireDialect.SKYCORE
    head = (
        ("status", "Success"),
        ("start-date", page.start_date),
        ("page-number", str(page.page)),
        ("items-per-page", str(page.per_page)),
        ("total-results", str(page.total)),
    )
    name_of = _underscored if skycore else str
    entries = [Group(name_of("mms-template"), tuple(_template(entry, skycore=skycore))) for entry in page.entries]
    return document(
        element_name(dialect, "response"), [*((name_of(name), value) for name, value in head), *entries]
    )


def _template(entry: TemplateEntry, *, skycore: bool) -> Iterator[tuple[str, str]]:
    yield ("MMSID" if skycore else "mms-id"), str(entry.mms_id)
    yield ("NAME" if skycore else "mms-name"), entry.name
    yield ("SUBJECT" if skycore else "mms-subject"), entry.subject
    if skycore:
        yield "FALLBACK_SMS_TEXT", entry.fallback_text
    yield ("DATE_CREATED" if skycore else "date-created"), iso(entry.created_at)
    yield ("TOTAL_SLIDES" if skycore else "total-slides"), str(entry.slides)
    yield ("SIZE" if skycore else "mms-size"), str(entry.size)
    if skycore and entry.poster:
        yield "POSTER_URL", entry.poster


def _underscored(name: str) -> str:
    return name.replace("-", "_").upper()


def id_list(dialect: WireDialect, ids: Iterable[int]) -> bytes:
    """The answer to getMmsIds (10)."""
    return _response(dialect, ("status", "Success"), ("mms-ids", ",".join(map(str, ids))))


def session(dialect: WireDialect, session_id: str) -> bytes:
    """The answer to loginUser (10)."""
    return _response(dialect, ("status", "Success"), ("session-id", session_id))


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
    return flat_document(
        element_name(dialect, "response"), [(element_name(dialect, name), value) for name, value in elements]
    )
