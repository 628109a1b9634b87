"""What both ways of sending share: the fallback, the route, the message, the commit (API contract 6.1, 6.3, 9)."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from mmsgate.accept.addressing import Address, BlockReason, Wanted, check_address
from mmsgate.accept.call import Call
from mmsgate.accept.router import Router, Way
from mmsgate.carriers.target import Target
from mmsgate.clock import DAY, Clock, Ids, Millis, iso, parse_iso
from mmsgate.domain.account import Account
from mmsgate.domain.change import Why, move
from mmsgate.domain.discovery import Discovery
from mmsgate.domain.message import Content, Event, Fallback, Message, counted
from mmsgate.domain.rendition import PAGE, Preparation, Terms, plays
from mmsgate.domain.request import SendMms, SendSavedMms, WireDialect
from mmsgate.domain.state import Happening, State
from mmsgate.domain.template import Template
from mmsgate.errors import Refusal
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.store import Acceptance, Store
from mmsgate.trail import about

MESSAGE_LIFE: Millis = 3 * DAY
LINK_LIFE: Millis = 365 * DAY
KEY_LIFE: Millis = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message that has passed every check: to whom, what, which way, and how if the phone can't have it.

    `mms_id` is what the customer knows the content by; `stored` says that the content is in the store already.
    `discovery` is what may go ahead of it.
    """

    address: Address
    content: Content
    fallback: Fallback
    way: Way
    mms_id: int
    stored: bool = False
    discovery: Discovery | None = None

    @property
    def operator(self) -> str:
        """Our id of the recipient's operator; empty if nobody knows it."""
        return self.way.found.id

    @property
    def prepared_first(self) -> bool:
        """Whether sound or video has to be transcoded before it is sent (R-14); a template's has been."""
        own = self.mms_id == self.content.id and not self.stored
        return own and plays(self.content.slides) and not self.way.no_mms

    @property
    def terms(self) -> Terms:
        """What its carrier takes."""
        return Target.of(self.way.profile, self.operator, self.address.sender.type).terms(self.content.slides)


class Submission:
    """The checks of sending, and the commit."""

    def __init__(
        self, *, store: Store, router: Router, block_reason: BlockReason, on_accepted: Callable[[Message], None],
        on_preparation: Callable[[], None], clock: Clock, ids: Ids,
        observe: Observe = unobserved,
    ) -> None:  # fmt: skip
        self._observe = observe
        self._store, self._router, self._block_reason = store, router, block_reason
        self._on_accepted, self._on_preparation, self._clock, self._ids = on_accepted, on_preparation, clock, ids

    async def address(self, request: SendMms | SendSavedMms, call: Call) -> Address:
        """Recipient, sender, service, operator and campaign, in the contract's order."""
        wanted = Wanted(
            to=request.to, sender=request.sender, mask=request.sender_mask, service_id=request.service_id,
            operator_id=request.operator_id, campaign_ref=request.campaign_ref,
            localised=isinstance(request, SendSavedMms),
        )  # fmt: skip
        return await check_address(wanted, call.account, call.dialect, self._block_reason, self._router.operators)

    def fallback(
        self, request: SendMms | SendSavedMms, call: Call, now: Millis, template: Template | None = None
    ) -> Fallback:
        """Text (E622), link and its expiry (E100).

        The request counts before the template, the template before the account (contract 9).
        """
        account, switches = call.account, call.account.switches
        disabled = _first(request.disable_fallback, template.disable_fallback if template else None)
        enabled = account.fallback_enabled if disabled is None else not disabled
        text = (
            (request.fallback_text or "").strip() or (template and template.fallback_text) or account.fallback_text
        )
        demanded = switches.require_fallback_text
        if enabled and not text and (call.dialect is not WireDialect.SKYCORE if demanded is None else demanded):
            raise Refusal("E622")
        no_link = _first(request.disable_fallback_link, template.disable_fallback_link if template else None)
        link = enabled and not no_link
        expires = check_expiration(request.fallback_link_expiration, now)
        token = self._ids.token() if link else ""
        return Fallback(enabled=enabled, text=text, link=link, token=token, expires_at=expires)

    async def way(self, address: Address, fallback: Fallback, call: Call) -> Way:
        """Operator and connection: E618, E619, E628."""
        return await self._router.way(address, call.account, fallback)

    def message(self, parcel: Parcel, call: Call, now: Millis) -> Message:
        """The message as it begins its life."""
        address = parcel.address
        message = Message(
            id=self._ids.number(),
            tracking_id=self._ids.tracking(),
            account_id=call.account.id,
            mms_id=parcel.mms_id,
            content_id=parcel.content.id,
            dialect=call.dialect,
            sender=address.sender.number,
            sender_type=address.sender.type,
            sender_mask=address.mask,
            recipient=address.recipient,
            operator=parcel.operator,
            service_id=address.service_id,
            fallback=parcel.fallback,
            accepted_at=now,
            expires_at=now + MESSAGE_LIFE,
            connection=parcel.way.profile.name,
            state=State.PREPARING if parcel.prepared_first else State.ACCEPTED,
            due_at=now + MESSAGE_LIFE if parcel.prepared_first else now,
            awaits=parcel.terms.key if parcel.prepared_first else "",
            updated_at=now,
        )
        return _as_sms(message, parcel.way, now) if parcel.way.no_mms else message

    async def commit(
        self, message: Message, parcel: Parcel, call: Call, response: bytes, *, ahead: Acceptance | None = None,
        note: str = "",
    ) -> None:  # fmt: skip
        """Write all of it, durably; then its delivery may begin. `note` stands in the timeline's first line.

        Raises `TemplateGone` if the template was deleted meanwhile.
        """
        preparation, began = _preparation(message, parcel), time.perf_counter()
        about(message.tracking_id)
        await self._store.messages.accept(
            Acceptance(
                message=message, content=None if parcel.stored else parcel.content,
                event=_first_event(message, parcel, note),
                idempotency_key=call.idempotency_key, response=response,
                response_expires=message.accepted_at + KEY_LIFE, preparation=preparation, ahead=ahead,
            )
        )  # fmt: skip
        took = time.perf_counter() - began
        self._observe(Work.ACCEPT, message.connection, message.state, took, message.tracking_id)
        if preparation:
            self._on_preparation()
        if message.state is not State.PREPARING:
            self._on_accepted(message)


def _as_sms(message: Message, way: Way, now: Millis) -> Message:
    """A message that is its fallback SMS from the beginning."""
    why = Why.of(f"SMS instead: {way.no_mms}")
    return move(message, Happening.FELL_BACK, why, at=now, due_at=now, connection=way.sms).message


def _first_event(message: Message, parcel: Parcel, note: str) -> Event:
    content, found = parcel.content, parcel.way.found
    slides, files = len(content.slides), len(content.media)
    size = sum(medium.size for medium in content.media)
    what = f"{counted(slides, 'slide')}, {counted(files, 'file')}, {size:,} bytes"
    more = note or (message.details if message.state is State.FALLBACK else "")
    return Event(
        at=message.accepted_at,
        happening=None,
        state=message.state,
        reason=f"accepted for {message.connection}: {what}; {found}" + (f"; {more}" if more else ""),
        data={
            "slides": slides, "files": files, "bytes": size, "operator": found.id,
            "operator-from": found.told_by.value,
        },
    )  # fmt: skip


def _preparation(message: Message, parcel: Parcel) -> Preparation | None:
    """What has to be made: its own sound and video on its carrier's terms, or the page that its SMS leads to."""
    if message.state is State.PREPARING:
        terms = parcel.terms
    elif message.state is State.FALLBACK and message.fallback.link:
        terms = PAGE
    else:
        return None
    return Preparation(
        content_id=message.mms_id, account_id=message.account_id, dialect=message.dialect, terms=terms
    )


def _first(request: bool | None, template: bool | None) -> bool | None:
    return template if request is None else request


def check_expiration(text: str | None, now: Millis) -> Millis:
    """When the fallback link ends: at most and usually 365 days from now (R-11); unusable → E100."""
    latest = now + LINK_LIFE
    if not text:
        return latest
    moment = parse_iso(text)
    if moment is None or moment <= now:
        raise Refusal("E100", detail=f"fallback-sms-link-expiration must be an ISO 8601 time after {iso(now)}")
    return min(moment, latest)


def check_billing(account: Account) -> None:
    """E713."""
    if not account.billing_ok:
        raise Refusal("E713")
