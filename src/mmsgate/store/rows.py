"""Rows to values and back. The order of columns is written here once."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import msgspec

from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content, Event, Fallback, Message
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import SentAs
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import Medium, Slide
from mmsgate.domain.state import Happening, State
from mmsgate.store.engine import Row

MESSAGE_FIXED = (
    "id, tracking_id, account_id, mms_id, content_id, dialect, sender, sender_type, sender_mask, recipient, "
    "operator, service_id, fallback_enabled, fallback_text, fallback_link, fallback_token, fallback_expires, "
    "accepted_at, expires_at"
)
MESSAGE_MUTABLE = (
    "connection, state, sent_as, due_at, attempts, carrier_message_id, handset, details, told, postbacks, "
    "size_cap, awaits, updated_at"
)
MESSAGE = f"{MESSAGE_FIXED}, {MESSAGE_MUTABLE}, discovers"

_encoder = msgspec.json.Encoder()
_MEDIUM = tuple(field.name for field in fields(Medium))
_STATES = {state.value: state for state in State}
_DIALECTS = {dialect.value: dialect for dialect in WireDialect}
_SENDER_TYPES = {kind.value: kind for kind in SenderType}
_WAYS = {way.value: way for way in SentAs}


def _json(value: object) -> str:
    return _encoder.encode(value).decode()


def message_fixed(message: Message) -> Row:
    """The columns that never change, in the order of `MESSAGE_FIXED`."""
    fallback = message.fallback
    return (
        message.id, message.tracking_id, message.account_id, message.mms_id, message.content_id,
        message.dialect.value, message.sender,
        message.sender_type.value, message.sender_mask, message.recipient, message.operator, message.service_id,
        fallback.enabled, fallback.text, fallback.link, fallback.token, fallback.expires_at,
        message.accepted_at, message.expires_at,
    )  # fmt: skip


def message_mutable(message: Message) -> Row:
    """The columns that change, in the order of `MESSAGE_MUTABLE`."""
    return (
        message.connection, message.state.value, message.sent_as.value, message.due_at, message.attempts,
        message.carrier_message_id, message.handset, message.details, message.told, message.postbacks,
        message.size_cap, message.awaits, message.updated_at,
    )  # fmt: skip


def message_row(message: Message) -> Row:
    """All columns, in the order of `MESSAGE`."""
    return (*message_fixed(message), *message_mutable(message), message.discovers)


def to_message(row: Sequence[Any]) -> Message:
    """A row of `MESSAGE`."""
    return Message(
        id=row[0], tracking_id=row[1], account_id=row[2], mms_id=row[3], content_id=row[4],
        dialect=_DIALECTS[row[5]], sender=row[6],
        sender_type=_SENDER_TYPES[row[7]], sender_mask=row[8], recipient=row[9], operator=row[10],
        service_id=row[11],
        fallback=Fallback(
            enabled=bool(row[12]), text=row[13], link=bool(row[14]), token=row[15], expires_at=row[16]
        ),
        accepted_at=row[17], expires_at=row[18],
        connection=row[19], state=_STATES[row[20]], sent_as=_WAYS[row[21]], due_at=row[22], attempts=row[23],
        carrier_message_id=row[24], handset=row[25], details=row[26], told=bool(row[27]), postbacks=row[28],
        size_cap=row[29], awaits=row[30], updated_at=row[31], discovers=row[-1],
    )  # fmt: skip


def slides_json(slides: tuple[Slide, ...]) -> str:
    """Slides as they are kept."""
    return _json([
        {"text": slide.text, "media": list(map(_medium_fields, slide.media)), "duration": slide.duration}
        for slide in slides
    ])  # fmt: skip


def _medium_fields(medium: Medium) -> Mapping[str, object]:
    return {name: getattr(medium, name) for name in _MEDIUM}


def to_slides(text: str) -> tuple[Slide, ...]:
    """Slides as they were kept."""
    return tuple(
        Slide(text=slide["text"], duration=slide["duration"], media=tuple(map(_to_medium, slide["media"])))
        for slide in msgspec.json.decode(text)
    )


def _to_medium(fields: Mapping[str, object]) -> Medium:
    return Medium(**{**fields, "kind": MediaKind(str(fields["kind"]))})  # type: ignore[arg-type]  # from our own asdict


def to_content(row: Row) -> Content:
    """A row of ``id, account_id, name, subject, slides, created_at``."""
    return Content(
        id=row[0], account_id=row[1], name=row[2], subject=row[3], slides=to_slides(row[4]), created_at=row[5]
    )


def event_row(message_id: int, event: Event) -> Row:
    """``message_id, at, happening, state, changed, reason, data``."""
    data = _json(dict(event.data)) if event.data else "{}"
    happening = event.happening.value if event.happening else None
    return (message_id, event.at, happening, event.state.value, event.changed, event.reason, data)


def to_event(row: Row) -> Event:
    """A row of ``at, happening, state, changed, reason, data``."""
    return Event(
        at=row[0], happening=Happening(row[1]) if row[1] else None, state=_STATES[row[2]], changed=bool(row[3]),
        reason=row[4], data=msgspec.json.decode(row[5]),
    )  # fmt: skip
