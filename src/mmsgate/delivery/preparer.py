"""Preparations: sound and video are transcoded before anything is sent (R-14), a few at a time, accounts in turn.

    claim → content still there → a version for each terms → template ready, or its messages go on

A preparation that fails by a fault of its files ends the template (E002, E003) or the messages (E012, E013). One
that fails by ours is tried again until its deadline. A restart takes up what was under way.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.target import Target
from mmsgate.clock import MINUTE, Clock, Millis, spoken
from mmsgate.delivery.retry import retry_delay
from mmsgate.delivery.verdict import Verdict
from mmsgate.delivery.versions import Versions
from mmsgate.domain.account import Account
from mmsgate.domain.change import Why
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content, Message
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.rendition import PREPARE_WITHIN, BrokenMedium, Misfit, Preparation, Terms, Version
from mmsgate.domain.state import Happening
from mmsgate.domain.template import TemplateState
from mmsgate.postbacks.ledger import Ledger
from mmsgate.pump import Pump
from mmsgate.store import Store, StoreFault

log = logging.getLogger("mmsgate.preparer")

#: Preparations under way at once, and of one account; how many processes really work is the cages' business.
AT_ONCE, AT_ONCE_EACH = 64, 8
LEASE: Millis = 2 * MINUTE
RENEW_EVERY = 30.0  # seconds
#: Beginnings that failed by our fault, a crash of the gateway among them; then it has failed.
MOST_ATTEMPTS = 20

_Outcome = BrokenMedium | tuple[Version | Misfit, ...]


class Preparer:
    """The queue of preparations. `wake` says that one was asked for."""

    def __init__(
        self, *, store: Store, versions: Versions, ledger: Ledger, profiles: Callable[[], Sequence[CarrierProfile]],
        accounts: Callable[[int], Account | None], clock: Clock, owner: str,
    ) -> None:  # fmt: skip
        self._store, self._versions, self._ledger, self._profiles = store, versions, ledger, profiles
        self._accounts, self._clock, self._owner = accounts, clock, owner
        self._all_turns_taken = False
        self._pump: Pump[Preparation] = Pump(
            "preparations", claim=self._claim, work=self._work, next_due=self._next_due, clock=clock,
            slots=AT_ONCE, refill=1, grace=0, release=self._release,
        )  # fmt: skip
        self.start, self.wake = self._pump.start, self._pump.wake

    async def stop(self) -> None:
        """Leaves what is under way to the next start, which begins it anew: a transcode may take minutes."""
        await self._pump.stop()
        try:
            await self._store.preparations.release_all(at=self._clock.now(), owner=self._owner)
        except StoreFault:
            log.exception("preparations could not be given back; the next start takes them back")

    async def _claim(self, limit: int, now: Millis) -> list[Preparation]:
        claimed = await self._store.preparations.claim(
            now=now, lease=now + LEASE, owner=self._owner, limit=limit, each=AT_ONCE_EACH
        )
        self._all_turns_taken = not claimed  # what is due then waits for others of its account to end
        return claimed

    async def _next_due(self, default: Millis) -> Millis:
        return default if self._all_turns_taken else await self._store.preparations.next_due(default=default)

    async def _release(self, preparations: Sequence[Preparation]) -> None:
        await self._store.preparations.release(preparations, at=self._clock.now(), owner=self._owner)

    async def _work(self, preparation: Preparation) -> None:
        """One preparation to its end, or to its next try."""
        renewing = asyncio.create_task(self._renew(preparation))
        try:
            content = await self._store.messages.content(preparation.content_id)
            if content is None:
                log.info("content %d was deleted while it was being prepared", preparation.content_id)
                await self._let_go(preparation, ())
            else:
                await self._end(preparation, content, await self._make(preparation, content))
        except Exception as error:
            log.exception("the preparation of content %d failed", preparation.content_id)
            await self._again(preparation, error)
        finally:
            renewing.cancel()
            self.wake()  # another of its account may have waited for this

    async def _renew(self, preparation: Preparation) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            lease = self._clock.now() + LEASE
            await self._store.preparations.renew(preparation, lease=lease, owner=self._owner)

    async def _make(self, preparation: Preparation, content: Content) -> _Outcome:
        """A version for each of the terms; the first broken file ends it."""
        left = preparation.deadline - self._clock.now()
        made: list[Version | Misfit] = []
        try:
            async with asyncio.timeout(max(left, 0) / 1000):
                if preparation.terms is None and (broken := await self._versions.inspect(content)):
                    return broken
                async for terms in self._terms(preparation, content):
                    version = await self._versions.make(content, terms)
                    if isinstance(version, BrokenMedium):
                        return version
                    made.append(version)
        except TimeoutError:
            return _ended(content, f"it could not be prepared within {spoken(PREPARE_WITHIN)}")
        return tuple(made)

    async def _terms(self, preparation: Preparation, content: Content) -> AsyncIterator[Terms]:
        if preparation.terms is not None:
            yield preparation.terms
            return
        account = self._accounts(preparation.account_id)
        for terms in terms_in_use(self._profiles(), account, content) if account else ():
            if await self._store.templates.get(content.id, content.account_id) is None:
                return  # deleted meanwhile
            yield terms

    async def _again(self, preparation: Preparation, error: Exception) -> None:
        """A fault of ours: tried again until the deadline."""
        due_at = self._clock.now() + retry_delay(preparation.attempts + 1)
        content = await self._store.messages.content(preparation.content_id)
        if content is None or (due_at < preparation.deadline and preparation.attempts < MOST_ATTEMPTS):
            await self._store.preparations.retry(preparation, due_at=due_at, owner=self._owner)
            return
        reason = f"the gateway failed: {type(error).__name__}: {error}"[:500]
        await self._end(preparation, content, _ended(content, reason))

    # -- the end of one

    async def _end(self, preparation: Preparation, content: Content, outcome: _Outcome) -> None:
        if preparation.terms is None:
            await self._end_template(preparation, content, outcome)
        if preparation.for_page and isinstance(outcome, BrokenMedium):
            log.warning("content %d: its page shows the files as they are: %s", content.id, outcome)
        await self._let_go(preparation, outcome)

    async def _let_go(self, preparation: Preparation, outcome: _Outcome) -> None:
        """Take it off once no message waits for it any more."""
        while not await self._store.preparations.finish(preparation):
            waiting = await self._store.preparations.waiting(preparation)
            await asyncio.gather(*(self._tell(message, outcome) for message in waiting))

    async def _tell(self, message: Message, outcome: _Outcome) -> None:
        verdict = await self._verdict(message, outcome)
        await self._ledger.record(message, verdict.decide(self._clock.now()))

    async def _end_template(self, preparation: Preparation, content: Content, outcome: _Outcome) -> None:
        """N003, or E002 or E003 with the file's URL. Nothing if it was deleted meanwhile."""
        account = self._accounts(preparation.account_id)
        state, code, medium, reason = TemplateState.READY, PostbackCode.N003, None, ""
        if isinstance(outcome, BrokenMedium):
            state, medium, reason = TemplateState.DEAD, outcome.medium, str(outcome)
            code = PostbackCode.E002 if medium.kind is MediaKind.AUDIO else PostbackCode.E003
            log.warning("template %d of account %d can't be sent: %s", content.id, content.account_id, outcome)
        now = self._clock.now()
        notices = (
            self._ledger.render_template(code, content.id, account, preparation.dialect, at=now, medium=medium)
            if account
            else ()
        )
        kept = await self._store.templates.prepared(
            content.id, preparation.account_id, state, notices=notices, at=now, reason=reason
        )
        if kept and notices:
            self._ledger.on_postbacks(notices[0].receiver)

    async def _verdict(self, message: Message, outcome: _Outcome) -> Verdict:
        if isinstance(outcome, BrokenMedium):
            why = Why(
                reason=str(outcome),
                data={"slide": outcome.slide, "blob": outcome.medium.blob},
                medium=outcome.medium,
            )
            return Verdict(happening=Happening.GAVE_UP, why=why)
        notes = [note for version in outcome if isinstance(version, Version) for note in version.notes]
        notes += [version.reason for version in outcome if isinstance(version, Misfit)]
        one_off = not await self._store.renditions.is_template(message.mms_id)
        return Verdict(
            happening=Happening.PREPARED, why=Why.of("; ".join(("prepared", *notes))), due_at=self._clock.now(),
            announced=one_off and not message.postbacks,
        )  # fmt: skip


def terms_in_use(profiles: Sequence[CarrierProfile], account: Account, content: Content) -> list[Terms]:
    """The terms on which an account's template may be sent, each once: its senders' types on every connection.

    A connection that serves everybody counts with the account's own operator, or none; others as they are needed.
    """
    found: dict[str, Terms] = {}
    for profile in profiles:
        named = sorted(profile.reach.operators - {"*"}) or [account.operator]
        types = {sender.type for sender in account.senders.values()} & profile.reach.sender_types
        for sender_type in sorted(types):
            for operator in named:
                terms = Target.of(profile, operator, sender_type).terms(content.slides)
                found[terms.key] = terms
    return list(found.values())


def _ended(content: Content, reason: str) -> _Outcome:
    """An end that is no single file's fault is told of the first sound or video; of pictures, of nothing."""
    played = (
        BrokenMedium(slide=number, medium=medium, reason=reason)
        for number, slide in enumerate(content.slides, 1)
        for medium in slide.media
        if medium.plays
    )
    return next(played, ())
