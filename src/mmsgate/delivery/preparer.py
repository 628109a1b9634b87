"""Preparations: sound and video are transcoded before anything is sent (R-14), a few at a time, accounts in turn.

    claim → content still there → a version for each terms → template ready, or its messages go on

A preparation that fails by a fault of its files ends the template (E002, E003) or the messages (E012, E013). One
that fails by ours is tried again until its deadline. A restart takes up what was under way.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence

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
from mmsgate.domain.rendition import IN_USE, PREPARE_WITHIN, BrokenMedium, Misfit, Preparation, Terms, Version
from mmsgate.domain.state import Happening
from mmsgate.domain.template import TemplateState
from mmsgate.media.cage import CageError
from mmsgate.postbacks.ledger import Ledger
from mmsgate.pump import Pump
from mmsgate.store import Store, StoreFault

log = logging.getLogger("mmsgate.preparer")

#: Preparations under way at once; how many processes really work is the cages' business.
AT_ONCE = 8
#: Longer than any preparation: its deadline ends it before.
LEASE: Millis = PREPARE_WITHIN + 5 * MINUTE


class Preparer:
    """The queue of preparations. `wake` says that one was asked for."""

    def __init__(
        self, *, store: Store, versions: Versions, ledger: Ledger, profiles: Callable[[], Sequence[CarrierProfile]],
        accounts: Callable[[int], Account | None], clock: Clock, owner: str,
    ) -> None:  # fmt: skip
        self._store, self._versions, self._ledger, self._profiles = store, versions, ledger, profiles
        self._accounts, self._clock, self._owner = accounts, clock, owner
        self._pump: Pump[Preparation] = Pump(
            "preparations", claim=self._claim, work=self._work, next_due=self._next_due, clock=clock,
            slots=AT_ONCE, release=self._release,
        )  # fmt: skip
        self.start, self.stop, self.wake = self._pump.start, self._pump.stop, self._pump.wake

    async def _claim(self, limit: int, now: Millis) -> list[Preparation]:
        return await self._store.preparations.claim(now=now, lease=now + LEASE, owner=self._owner, limit=limit)

    def _next_due(self, default: Millis) -> Millis:
        return self._store.preparations.next_due(default=default)

    async def _release(self, preparations: Sequence[Preparation]) -> None:
        await self._store.preparations.release(preparations, at=self._clock.now(), owner=self._owner)

    async def _work(self, preparation: Preparation) -> None:
        """One preparation to its end, or to its next try."""
        content = self._store.messages.content(preparation.content_id)
        if content is None:
            log.info("content %d was deleted while it was being prepared", preparation.content_id)
            await self._let_go(preparation, ())
            return
        try:
            outcome = await self._make(preparation, content)
        except (CageError, OSError, StoreFault) as error:
            await self._again(preparation, content, error)
            return
        await self._end(preparation, content, outcome)

    async def _make(
        self, preparation: Preparation, content: Content
    ) -> BrokenMedium | tuple[Version | Misfit, ...]:
        """A version for each of the terms; the first broken file ends it."""
        left = preparation.deadline - self._clock.now()
        made: list[Version | Misfit] = []
        try:
            async with asyncio.timeout(max(left, 0) / 1000):
                for terms in self._terms(preparation, content):
                    version = await self._versions.make(content, terms)
                    if isinstance(version, BrokenMedium):
                        return version
                    made.append(version)
        except TimeoutError:
            return _first_played(content, f"it could not be prepared within {spoken(PREPARE_WITHIN)}")
        return tuple(made)

    def _terms(self, preparation: Preparation, content: Content) -> Iterable[Terms]:
        if preparation.terms != IN_USE:
            return (Terms.from_json(preparation.terms),)
        account = self._accounts(preparation.account_id)
        return terms_in_use(self._profiles(), account, content) if account else ()

    async def _again(self, preparation: Preparation, content: Content, error: Exception) -> None:
        """A fault of ours: tried again until the deadline."""
        now = self._clock.now()
        due_at = now + retry_delay(preparation.attempts + 1)
        reason = f"the gateway failed: {type(error).__name__}: {error}"[:500]
        log.warning("content %d: %s", preparation.content_id, reason)
        if due_at < preparation.deadline:
            await self._store.preparations.retry(preparation, due_at=due_at)
        else:
            await self._end(preparation, content, _first_played(content, reason))

    # -- the end of one

    async def _end(
        self, preparation: Preparation, content: Content, outcome: BrokenMedium | tuple[Version | Misfit, ...]
    ) -> None:
        if preparation.terms == IN_USE:
            await self._end_template(preparation, content, outcome)
        if preparation.for_page and isinstance(outcome, BrokenMedium):
            log.warning("content %d: its page shows the files as they are: %s", content.id, outcome)
        await self._let_go(preparation, outcome)

    async def _let_go(self, preparation: Preparation, outcome: BrokenMedium | tuple[Version | Misfit, ...]) -> None:
        """Take it off once no message waits for it any more."""
        while not await self._store.preparations.finish(preparation):
            for message in self._store.preparations.waiting(preparation.content_id):
                await self._ledger.record(message, self._verdict(message, outcome).decide(self._clock.now()))

    async def _end_template(
        self, preparation: Preparation, content: Content, outcome: BrokenMedium | tuple[Version | Misfit, ...]
    ) -> None:
        """N003, or E002 or E003 with the file's URL. Nothing if it was deleted meanwhile."""
        account = self._accounts(preparation.account_id)
        if isinstance(outcome, BrokenMedium):
            state, medium = TemplateState.DEAD, outcome.medium
            code = PostbackCode.E002 if medium.kind is MediaKind.AUDIO else PostbackCode.E003
            log.warning("template %d of account %d can't be sent: %s", content.id, content.account_id, outcome)
        else:
            state, code, medium = TemplateState.READY, PostbackCode.N003, None
        now = self._clock.now()
        notices = (
            self._ledger.render_template(code, content.id, account, preparation.dialect, at=now, medium=medium)
            if account
            else ()
        )
        kept = await self._store.templates.prepared(
            content.id, preparation.account_id, state, notices=notices, at=now
        )
        if kept and notices:
            self._ledger.on_postbacks(notices[0].receiver)

    def _verdict(self, message: Message, outcome: BrokenMedium | tuple[Version | Misfit, ...]) -> Verdict:
        if isinstance(outcome, BrokenMedium):
            why = Why(
                reason=str(outcome),
                data={"slide": outcome.slide, "blob": outcome.medium.blob},
                medium=outcome.medium,
            )
            return Verdict(happening=Happening.GAVE_UP, why=why)
        notes = [note for version in outcome if isinstance(version, Version) for note in version.notes]
        notes += [version.reason for version in outcome if isinstance(version, Misfit)]
        why = Why.of("; ".join(("prepared", *notes)))
        one_off = not self._store.renditions.is_template(message.mms_id)
        return Verdict(
            happening=Happening.PREPARED,
            why=why,
            due_at=self._clock.now(),
            announced=one_off and not message.attempts,
        )


def terms_in_use(profiles: Sequence[CarrierProfile], account: Account, content: Content) -> list[Terms]:
    """The terms on which an account's template may be sent, each once: its senders' types on every connection.

    A connection that serves everybody counts with the account's own operator, or none; others as they are needed.
    """
    found: dict[str, Terms] = {}
    for profile in profiles:
        named = sorted(profile.operators - {"*"}) or [account.operator]
        for sender_type in sorted({sender.type for sender in account.senders.values()} & profile.sender_types):
            for operator in named:
                terms = Target.of(profile, operator, sender_type).terms(content.slides)
                found[terms.key] = terms
    return list(found.values())


def _first_played(content: Content, reason: str) -> BrokenMedium:
    """What an end that is no single file's fault is told of: the first sound or video."""
    number, medium = next(
        (number, medium) for number, slide in enumerate(content.slides, 1) for medium in slide.media if medium.plays
    )
    return BrokenMedium(slide=number, medium=medium, reason=reason)
