"""The desk for what phones send us: a message becomes a row, hosted files, a postback, a reply if it wants one.

All of it is on stable storage before the carrier gets its answer. A repetition is taken once.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import DAY, HOUR, MINUTE, Clock, Ids, Millis
from mmsgate.delivery.alarms import Alarms
from mmsgate.domain.inbound import MAX_INBOUND_TEXT, Inbound, InboundFile, InboundKind, owner_of
from mmsgate.domain.number import normalise, parse_msisdn
from mmsgate.domain.operators import Operators
from mmsgate.media.storage import BlobStore
from mmsgate.mm7.deliver import DeliverReq
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.postbacks.inbound import inbound_row
from mmsgate.reports.hosted import Draft, drafts
from mmsgate.reports.optout import consequence
from mmsgate.sms.message import InboundSms
from mmsgate.store import Arrival, InboundRow, NumberSource, Store, Taken
from mmsgate.store.accounts import Directory
from mmsgate.store.parts import PART_REPEATED, SmsPartKey, SmsPiece
from mmsgate.trail import about

log = logging.getLogger("mmsgate.inbound")

#: What is told of a message that had come before.
REPEATED = "repeated"

#: How long a carrier may repeat a message that has an id, and one that has none. An SMSC that hears no answer
#: repeats an SMS within its time-out; whoever writes HELP or YES again after that means it.
REPEATED_WITHIN: Millis = 7 * DAY
REPEATED_WITHOUT_ID: Millis = 5 * MINUTE
REPEATED_SMS: Millis = MINUTE
#: A carrier's time is believed if it is no older than that, and not in the future.
_BELIEVED_AGE: Millis = 30 * DAY
_BELIEVED_AHEAD: Millis = HOUR
#: How long the missing parts of an SMS are waited for.
PART_PATIENCE: Millis = HOUR
#: How long a carrier's word is believed about whose number a message came from.
OPERATOR_TTL: Millis = 30 * DAY


Profiles = Callable[[str], CarrierProfile | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRules:
    """What is configured: `life` is how long messages and their files are kept, `base` our own address."""

    life: Millis
    base: str


class InboundDesk:
    """Takes inbound messages in.

    `on_postback` is told the receiver, `on_due` the connection, for which there is work after a commit.
    """

    def __init__(
        self, *, store: Store, blobs: BlobStore, directory: Callable[[], Directory], profile: Profiles,
        alarms: Alarms, rules: InboundRules, on_postback: Callable[[str], None], on_due: Callable[[str], None],
        clock: Clock, ids: Ids,
    ) -> None:  # fmt: skip
        self._store, self._blobs, self._directory, self._profile = store, blobs, directory, profile
        self._alarms, self._rules, self._on_postback, self._on_due = alarms, rules, on_postback, on_due
        self._clock, self._ids = clock, ids
        self._troubled = True  # an alarm of the run before may be open
        self.observe: Observe = unobserved

    # -- MMS

    async def take_mms(self, profile: CarrierProfile, request: DeliverReq, *, operator: str = "") -> None:
        """Take a DeliverReq in, durably. `operator` is the carrier's id as its header names it."""
        found = await asyncio.to_thread(drafts, request.content.parts)
        files = tuple([await self._host(draft) for draft in found])
        now = self._clock.now()
        message = Inbound(
            id=0, tracking_id="", kind=InboundKind.MMS, connection=profile.name,
            reference=request.linked_id or request.transaction_id,
            sender=request.sender.value if request.sender else "", recipient="",
            operator=_operator(operator, profile, self._directory().operators),
            subject=request.subject[:MAX_INBOUND_TEXT],
            text="\n".join(draft.text for draft in found if draft.text)[:MAX_INBOUND_TEXT], files=files,
            sent_at=_believed(request.timestamp, now), received_at=now, expires_at=now + self._rules.life,
        )  # fmt: skip
        named = [each.value for each in request.recipients]
        display = [each.value for each in request.copy_to]
        if not named and not display:
            named = self._only_number(profile)
        arrivals = [
            self._arrival(replace(message, recipient=number, copy_to=others))
            for number, others in self._ours(named, display)
        ]
        await self._tell(await self._store.inbound.record(arrivals))
        await self._learn(message.sender, operator)

    async def _learn(self, sender: str, header: str) -> None:
        """Keep whose number it is, where the carrier's header says so: routing asks the number cache."""
        number, operator = parse_msisdn(sender), self._directory().operators.find(header)
        if number and operator:
            now = self._clock.now()
            await self._store.numbers.learn(
                number, operator.id, source=NumberSource.CARRIER, at=now, expires_at=now + OPERATOR_TTL
            )

    async def _host(self, draft: Draft) -> InboundFile:
        return InboundFile(
            number=draft.number, extension=draft.extension, mime=draft.mime,
            blob=await self._blobs.put_bytes(draft.data), size=len(draft.data), attach=draft.attach,
            declared=draft.declared, note=draft.note,
        )  # fmt: skip

    def _ours(self, named: Sequence[str], display: Sequence[str]) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Each of our numbers that it was sent to, with the others of its group; if none is ours, the first."""
        owners = self._directory().owners
        sent, shown = ([number for number in numbers if number in owners] for numbers in (named, display))
        ours = sent or shown[:1] or list(named[:1]) or [""]
        for number in dict.fromkeys(ours):
            yield number, tuple(dict.fromkeys(other for other in (*named, *display) if other != number))

    def _only_number(self, profile: CarrierProfile) -> list[str]:
        """The number that a message without recipients can only be for: there is no other on this connection."""
        numbers = {
            sender.number
            for account in self._directory().accounts.values()
            for sender in account.senders.values()
            if sender.type in profile.reach.sender_types
        }
        return list(numbers) if len(numbers) == 1 else []

    # -- SMS

    async def take_sms(self, connection: str, sms: InboundSms) -> None:
        """Take an SMS, or a part of one, in, durably."""
        whole = SmsPartKey(
            connection=connection, sender=normalise(sms.source), recipient=normalise(sms.destination), reference=0,
            total=1,
        )  # fmt: skip
        if sms.part is None or sms.part.total == 1:
            await self._tell(await self._store.inbound.record(self._sms(whole, sms.text, "")))
        else:
            part = sms.part
            key = replace(whole, reference=part.reference, total=part.total, number=part.number)
            piece = SmsPiece(text=sms.text, payload=sms.payload, data_coding=sms.data_coding)
            taken = await self._store.inbound.record_part(key, piece, partial(self._sms, key), at=self._clock.now())
            if taken is None:
                log.info("%s: came before, taken once", key)
            else:
                await self._tell(taken)

    def _sms(self, key: SmsPartKey, text: str, note: str) -> Sequence[Arrival]:
        now = self._clock.now()
        message = Inbound(
            id=0, tracking_id="", kind=InboundKind.SMS, connection=key.connection, sender=key.sender,
            recipient=key.recipient, text=text, sent_at=now, received_at=now, expires_at=now + self._rules.life,
        )  # fmt: skip
        return [self._arrival(message, note)]

    # -- both

    def _arrival(self, message: Inbound, note: str = "") -> Arrival:
        """A new message with an id, its owner, and what follows. Called in the store's transaction: no IO."""
        message = replace(
            message, id=self._ids.number(), tracking_id=self._ids.tracking(),
            token=self._ids.token() if message.files else "",
        )  # fmt: skip
        without_id = REPEATED_SMS if message.kind is InboundKind.SMS else REPEATED_WITHOUT_ID
        within = REPEATED_WITHIN if message.reference else without_id
        return self._routed(message, note, digest=_digest(message), horizon=message.received_at - within)

    def _routed(self, message: Inbound, note: str, *, digest: str = "", horizon: Millis = 0) -> Arrival:
        """Whose it is, what it asks for, and who is told."""
        directory = self._directory()
        owners = directory.owners_of(message.recipient)
        account = owner_of(owners, message.recipient, (message.subject, message.text))
        if account is None:
            return Arrival(inbound=message, digest=digest, horizon=horizon, note=note)
        follows = consequence(
            message, account, directory, sms=self._sms_of(message), ids=self._ids, at=self._clock.now()
        )
        return Arrival(
            inbound=follows.inbound, digest=digest, horizon=horizon, blocks=follows.blocks, reply=follows.reply,
            postback=inbound_row(follows.inbound, account, self._rules.base, self._directory().operators),
            note="; ".join(each for each in (note, follows.note) if each),
        )  # fmt: skip

    def _sms_of(self, message: Inbound) -> str:
        """The SMSC's connection that carries an answer; empty if there is none."""
        profile = self._profile(message.connection)
        names = profile.reach.sms if profile else (message.connection,)
        return next((name for name in names if name in self._directory().profiles), "")

    async def _tell(self, taken: Iterable[Taken]) -> None:
        """After the commit: the log, whoever has work now, and the operator where nobody has the number."""
        for each in taken:
            inbound = each.arrival.inbound
            what = REPEATED if each.repeated else inbound.kind.value
            about(inbound.tracking_id)
            self.observe(Work.INBOUND, inbound.connection, what, None, inbound.tracking_id)
            if each.repeated:
                log.info("%s: came before, taken once", inbound)
                continue
            log.info("%s: %d files%s", inbound, len(inbound.files), f", {inbound.intent}" if inbound.intent else "")
            if each.arrival.postback is not None:
                self._on_postback(each.arrival.postback.receiver)
            if each.reply is not None:
                self._on_due(each.reply.connection)
            if inbound.account_id is None:
                self._troubled = True
                reason = f"{inbound} is kept; it goes to the account that gets the number"
                await self._alarms.raise_(_homeless(inbound.connection), reason)

    # -- housekeeping

    async def keep_house(self) -> None:
        """Take in SMS whose parts don't come, find owners for what was nobody's, drop what has had its time."""
        now = self._clock.now()
        for key in await self._store.inbound.stale_parts(before=now - PART_PATIENCE):
            await self._tell(await self._store.inbound.flush_parts(key, partial(self._sms, key)))
        await self._store.inbound.expire(now=now, parts_before=now - PART_REPEATED)
        await self._find_owners()

    async def _find_owners(self) -> None:
        """An operator may have given the number to an account meanwhile."""
        last = 0
        while page := await self._store.inbound.claimable(after=last):
            for row in page:
                await self._find_owner(row)
            last = page[-1].inbound.id
        if self._troubled and not await self._store.inbound.count_homeless():
            self._troubled = False
            for name in self._directory().profiles:
                await self._alarms.clear(_homeless(name))

    async def _find_owner(self, row: InboundRow) -> None:
        try:
            arrival = self._routed(row.inbound, row.note)
            if arrival.inbound.account_id is not None and (taken := await self._store.inbound.adopt(arrival)):
                await self._tell([taken])
        except Exception:  # it must not keep those behind it from their owners
            log.exception("%s: no owner could be looked for", row.inbound)


def _homeless(connection: str) -> str:
    return f"{connection} brings messages for numbers that no account has"


def _operator(header: str, profile: CarrierProfile, operators: Operators) -> str:
    """Our id of the carrier: the one that its header names, else the only one that the connection serves."""
    named = operators.find(header) if header else None
    if named is not None:
        return named.id
    served = profile.reach.operators
    only = next(iter(served)) if len(served) == 1 else ""
    known = operators.find(only)
    return known.id if known else only.replace("*", "")


def _believed(timestamp: Millis | None, now: Millis) -> Millis:
    """When it was sent; when it came if the carrier's clock is far off."""
    plausible = timestamp is not None and now - _BELIEVED_AGE <= timestamp <= now + _BELIEVED_AHEAD
    return timestamp if plausible and timestamp is not None else now


def _digest(message: Inbound) -> str:
    """The same for a repetition. An id that comes again with another content is another message."""
    parts = (message.reference, message.recipient, message.subject, message.text, *(f.blob for f in message.files))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
