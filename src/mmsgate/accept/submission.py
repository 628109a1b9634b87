"""What both ways of sending share: the fallback, the route, the message, the commit (API contract 6.1, 6.3, 9)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmsgate.accept.addressing import Address, BlockReason, Wanted, check_address
from mmsgate.accept.call import Call
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import NoRoute, route
from mmsgate.carriers.target import Target
from mmsgate.clock import DAY, Clock, Ids, Millis, iso, parse_iso
from mmsgate.domain.account import Account
from mmsgate.domain.message import Content, Event, Fallback, Message, counted
from mmsgate.domain.rendition import Preparation, Terms, plays
from mmsgate.domain.request import SendMms, SendSavedMms, WireDialect
from mmsgate.domain.state import State
from mmsgate.domain.template import Template
from mmsgate.errors import Refusal
from mmsgate.store import Acceptance, Store

MESSAGE_LIFE: Millis = 3 * DAY
LINK_LIFE: Millis = 365 * DAY
KEY_LIFE: Millis = DAY

_NO_ROUTE = {NoRoute.NO_CARRIER: "E628", NoRoute.NOT_PROVISIONED: "E619"}

Profiles = Callable[[], Sequence[CarrierProfile]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message that has passed every check: to whom, what, and how if the phone can't have it.

    `mms_id` is what the customer knows the content by; `stored` says that the content is in the store already.
    """

    address: Address
    content: Content
    fallback: Fallback
    profile: CarrierProfile
    mms_id: int
    stored: bool = False

    @property
    def prepared_first(self) -> bool:
        """Whether sound or video has to be transcoded before it is sent (R-14); a template's has been."""
        return self.mms_id == self.content.id and not self.stored and plays(self.content.slides)

    @property
    def terms(self) -> Terms:
        """What its carrier takes."""
        address = self.address
        return Target.of(self.profile, address.operator, address.sender.type).terms(self.content.slides)


class Submission:
    """The checks of sending, and the commit."""

    def __init__(
        self, *, store: Store, profiles: Profiles, block_reason: BlockReason, on_accepted: Callable[[str], None],
        on_preparation: Callable[[], None], clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._store, self._profiles, self._block_reason = store, profiles, block_reason
        self._on_accepted, self._on_preparation, self._clock, self._ids = on_accepted, on_preparation, clock, ids

    def address(self, request: SendMms | SendSavedMms, call: Call) -> Address:
        """Recipient, sender, service, operator and campaign, in the contract's order."""
        wanted = Wanted(
            to=request.to, sender=request.sender, mask=request.sender_mask, service_id=request.service_id,
            operator_id=request.operator_id, campaign_ref=request.campaign_ref,
        )  # fmt: skip
        return check_address(wanted, call.account, call.dialect, self._block_reason)

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

    def route(self, address: Address) -> CarrierProfile:
        """The carrier's connection: E619 where this kind of sender is not provisioned, E628 where none is."""
        found = route(
            self._profiles(), operator=address.operator, recipient=address.recipient,
            sender_type=address.sender.type,
        )  # fmt: skip
        if isinstance(found, NoRoute):
            raise Refusal(_NO_ROUTE[found], detail=found.value)
        return found[0].profile

    def message(self, parcel: Parcel, call: Call, now: Millis) -> Message:
        """The message as it begins its life."""
        address = parcel.address
        return Message(
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
            operator=address.operator,
            service_id=address.service_id,
            fallback=parcel.fallback,
            accepted_at=now,
            expires_at=now + MESSAGE_LIFE,
            connection=parcel.profile.name,
            state=State.PREPARING if parcel.prepared_first else State.ACCEPTED,
            due_at=now + MESSAGE_LIFE if parcel.prepared_first else now,
            awaits=parcel.terms.key if parcel.prepared_first else "",
            updated_at=now,
        )

    async def commit(self, message: Message, parcel: Parcel, call: Call, response: bytes) -> None:
        """Write all of it, durably; then its delivery may begin.

        Raises `TemplateGone` if the template was deleted meanwhile.
        """
        content = parcel.content
        slides, files = len(content.slides), len(content.media)
        size = sum(medium.size for medium in content.media)
        event = Event(
            at=message.accepted_at,
            happening=None,
            state=message.state,
            reason=f"accepted for {message.connection}: {counted(slides, 'slide')}, {counted(files, 'file')}, "
            f"{size:,} bytes",
            data={"slides": slides, "files": files, "bytes": size},
        )
        await self._store.messages.accept(
            Acceptance(
                message=message, content=None if parcel.stored else content, event=event,
                idempotency_key=call.idempotency_key, response=response,
                response_expires=message.accepted_at + KEY_LIFE, preparation=_preparation(message, parcel),
            )
        )  # fmt: skip
        if message.state is State.PREPARING:
            self._on_preparation()
        else:
            self._on_accepted(message.connection)


def _preparation(message: Message, parcel: Parcel) -> Preparation | None:
    """What the message waits for, if it does: its own sound and video on its carrier's terms."""
    if message.state is not State.PREPARING:
        return None
    return Preparation(
        content_id=message.mms_id, account_id=message.account_id, dialect=message.dialect, terms=parcel.terms
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
