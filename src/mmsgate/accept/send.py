"""sendMMS: the checks in the contract's order (6.1), the media, the commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmsgate.accept.addressing import Address, Wanted, check_address
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import NoRoute, route
from mmsgate.clock import DAY, Clock, Ids, Millis, iso, parse_iso
from mmsgate.domain.account import STRICT_LIMITS, Account, SourceLimits
from mmsgate.domain.gsm import is_gsm
from mmsgate.domain.message import Content, Event, Fallback, Message, counted
from mmsgate.domain.request import SendMms, WireDialect
from mmsgate.domain.slide import DraftSlide, Medium, Slide, count_fault, parse_duration, slide_fault
from mmsgate.domain.state import State
from mmsgate.errors import Refusal
from mmsgate.media.fetcher import Fetcher, MediaFault, MediaRequest
from mmsgate.store import Acceptance, Store
from mmsgate.wire.writer import success_send

MAX_NAME = 255  # characters
MAX_SUBJECT = 80  # characters, contract 2.3
MESSAGE_LIFE: Millis = 3 * DAY
LINK_LIFE: Millis = 365 * DAY
KEY_LIFE: Millis = DAY

_NO_ROUTE = {NoRoute.NO_CARRIER: "E628", NoRoute.NOT_PROVISIONED: "E619"}

BlockReason = Callable[[int, str, str], str | None]
Profiles = Callable[[], Sequence[CarrierProfile]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks, in which dialect, and under which Idempotency-Key (empty: none)."""

    account: Account
    dialect: WireDialect
    idempotency_key: str = ""


class SendMmsWorkflow:
    """Accepts sendMMS. `run` returns the answer's bytes once the message is committed, or raises `Refusal`."""

    def __init__(
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        profiles: Profiles,
        block_reason: BlockReason,
        on_accepted: Callable[[str], None],
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store, self._fetcher, self._profiles = store, fetcher, profiles
        self._block_reason, self._on_accepted = block_reason, on_accepted
        self._clock, self._ids = clock, ids

    async def run(self, request: SendMms, call: Call) -> bytes:
        now = self._clock.now()
        account = call.account
        address = check_address(_wanted(request), account, call.dialect, self._block_reason)
        check_name(request.name)
        subject = check_subject(request.subject, account)
        fallback = self._check_fallback(request, call, now)
        check_slides(request.slides, account)
        slides = await self._fetch(request.slides, account)
        profile = self._check_route(address)
        check_billing(account)
        content = Content(
            id=self._ids.number(), account_id=account.id, name=request.name or "", subject=subject, slides=slides,
            created_at=now,
        )  # fmt: skip
        message = self._message(call, content=content, address=address, fallback=fallback, connection=profile.name)
        response = success_send(
            call.dialect, to=message.recipient, mms_id=content.id, tracking_id=message.tracking_id
        )
        await self._commit(message, content, call, response)
        return response

    def _check_fallback(self, request: SendMms, call: Call, now: Millis) -> Fallback:
        """Text (E622), link and its expiry (E100). What the request says counts before the account (contract 9)."""
        account, switches = call.account, call.account.switches
        enabled = account.fallback_enabled if request.disable_fallback is None else not request.disable_fallback
        text = (request.fallback_text or "").strip() or account.fallback_text
        demanded = switches.require_fallback_text
        if enabled and not text and (call.dialect is not WireDialect.SKYCORE if demanded is None else demanded):
            raise Refusal("E622")
        link = enabled and not request.disable_fallback_link
        expires = check_expiration(request.fallback_link_expiration, now)
        token = self._ids.token() if link else ""
        return Fallback(enabled=enabled, text=text, link=link, token=token, expires_at=expires)

    async def _fetch(self, drafts: Sequence[DraftSlide], account: Account) -> tuple[Slide, ...]:
        """All files of the request at once; the first failing one in document order answers (R-32)."""
        wanted = [
            MediaRequest(slide=number, kind=kind, url=url)
            for number, draft in enumerate(drafts, 1)
            for kind, url in draft.urls
        ]
        obtained = await self._fetcher.obtain(
            wanted, account=str(account.id), limits=source_limits(account), strict=is_strict(account)
        )
        if isinstance(obtained, MediaFault):
            raise Refusal(obtained.code, slide=obtained.slide, detail=obtained.reason)
        media: dict[int, list[Medium]] = {}
        for order, medium in zip(wanted, obtained, strict=True):
            media.setdefault(order.slide, []).append(medium)
        return tuple(_slide(draft, media.get(number, [])) for number, draft in enumerate(drafts, 1))

    def _check_route(self, address: Address) -> CarrierProfile:
        """The carrier's connection: E619 where this kind of sender is not provisioned, E628 where none is."""
        found = route(self._profiles(), operator=address.operator, sender_type=address.sender.type)
        if isinstance(found, NoRoute):
            raise Refusal(_NO_ROUTE[found], detail=found.value)
        return found.profile

    def _message(
        self, call: Call, *, content: Content, address: Address, fallback: Fallback, connection: str
    ) -> Message:
        return Message(
            id=self._ids.number(),
            tracking_id=self._ids.tracking(),
            account_id=call.account.id,
            mms_id=content.id,
            dialect=call.dialect,
            sender=address.sender.number,
            sender_type=address.sender.type,
            sender_mask=address.mask,
            recipient=address.recipient,
            operator=address.operator,
            service_id=address.service_id,
            fallback=fallback,
            accepted_at=content.created_at,
            expires_at=content.created_at + MESSAGE_LIFE,
            connection=connection,
            due_at=content.created_at,
            updated_at=content.created_at,
        )

    async def _commit(self, message: Message, content: Content, call: Call, response: bytes) -> None:
        slides, files = len(content.slides), len(content.media)
        size = sum(medium.size for medium in content.media)
        event = Event(
            at=message.accepted_at,
            happening=None,
            state=State.ACCEPTED,
            reason=f"accepted for {message.connection}: {counted(slides, 'slide')}, {counted(files, 'file')}, "
            f"{size:,} bytes",
            data={"slides": slides, "files": files, "bytes": size},
        )
        await self._store.messages.accept(
            Acceptance(
                message=message, content=content, event=event, idempotency_key=call.idempotency_key,
                response=response, response_expires=message.accepted_at + KEY_LIFE,
            )
        )  # fmt: skip
        self._on_accepted(message.connection)


def _wanted(request: SendMms) -> Wanted:
    return Wanted(
        to=request.to, sender=request.sender, mask=request.sender_mask, service_id=request.service_id,
        operator_id=request.operator_id, campaign_ref=request.campaign_ref,
    )  # fmt: skip


def check_name(name: str | None) -> None:
    """E311."""
    if not name:
        raise Refusal("E311", detail="name is missing")
    if len(name) > MAX_NAME:
        raise Refusal("E311", detail=f"name has {len(name):,} characters, {MAX_NAME} are allowed")


def check_subject(subject: str | None, account: Account) -> str:
    """E314: only if a subject is given and can't be used (contract 6.1, R-18)."""
    if not subject:
        return ""
    if len(subject) > MAX_SUBJECT:
        raise Refusal("E314", detail=f"message-subject has {len(subject)} characters, {MAX_SUBJECT} are allowed")
    if account.switches.reject_unicode_subject and not is_gsm(subject):
        raise Refusal("E314", detail="message-subject has characters outside GSM-7, which this account rejects")
    return subject


def check_expiration(text: str | None, now: Millis) -> Millis:
    """When the fallback link ends: at most and usually 365 days from now (R-11); unusable → E100."""
    latest = now + LINK_LIFE
    if not text:
        return latest
    moment = parse_iso(text)
    if moment is None or moment <= now:
        raise Refusal("E100", detail=f"fallback-sms-link-expiration must be an ISO 8601 time after {iso(now)}")
    return min(moment, latest)


def check_slides(drafts: Sequence[DraftSlide], account: Account) -> None:
    """E312, E225, and the rules of each slide in order (contract 5.1)."""
    fault = count_fault(drafts)
    if fault is None:
        faults = (slide_fault(draft, n, text_limit=account.text_limit) for n, draft in enumerate(drafts, 1))
        fault = next((each for each in faults if each is not None), None)
    if fault is not None:
        raise Refusal.of_slide(fault)


def source_limits(account: Account) -> SourceLimits:
    """The largest files of each kind (R-30); literally those of the original where the account is strict."""
    return STRICT_LIMITS if is_strict(account) else account.source_limits


def is_strict(account: Account) -> bool:
    """Whether media are fetched as literally as the contract says (R-04, R-05, R-06)."""
    return account.switches.literal(account.switches.strict_media)


def check_billing(account: Account) -> None:
    """E713."""
    if not account.billing_ok:
        raise Refusal("E713")


def _slide(draft: DraftSlide, media: Sequence[Medium]) -> Slide:
    duration = parse_duration(draft.duration)
    assert duration is not None  # the slide's rules have been checked
    return Slide(text=draft.text, media=tuple(media), duration=duration)
