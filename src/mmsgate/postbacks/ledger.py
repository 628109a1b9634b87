"""The ledger: writes a step of a message's life together with what the customer is told of it.

Delivery and reports write through it, nobody else. After the commit it wakes who has to act: the postback sender,
and the lane that a message has moved to.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from mmsgate.clock import Millis
from mmsgate.domain.account import Account
from mmsgate.domain.change import Change
from mmsgate.domain.message import Message
from mmsgate.domain.number import mask_numbers
from mmsgate.domain.operators import BUILT_IN, Operators
from mmsgate.domain.postback import Postback, PostbackCode, SentAs
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import Medium
from mmsgate.domain.state import Happening, State
from mmsgate.observe import Observe, Work, unobserved
from mmsgate.store import Decide, Orphan, PostbackRow, Recorded, Store
from mmsgate.store.accounts import Directory
from mmsgate.wire.json_postback import json_code, json_postback
from mmsgate.wire.postback import content_type, render_postback

log = logging.getLogger("mmsgate.messages")


def receiver_of(account_id: int, url: str) -> str:
    """The lane of a receiver: one account's URL."""
    return f"{account_id} {url}"


def render(change: Change, account: Account, operators: Operators = BUILT_IN) -> Sequence[PostbackRow]:
    """The postbacks of a step in the account's dialect. Called in the step's transaction: no IO."""
    url = account.postback.url
    if not url:
        return ()
    dialect = account.postback.dialect or change.message.dialect
    return [
        _row(replace(postback, code=code), account, dialect, operators)
        for postback in change.postbacks
        if (code := _code(postback, account, dialect))
    ]


def _row(
    postback: Postback, account: Account, dialect: WireDialect, operators: Operators = BUILT_IN
) -> PostbackRow:
    return PostbackRow(
        receiver=receiver_of(account.id, account.postback.url),
        url=account.postback.url,
        code=postback.code.value,
        content_type=content_type(dialect),
        body=_body(postback, dialect, operators),
        ordered=account.switches.better(account.switches.ordered_postbacks),
    )


def _body(postback: Postback, dialect: WireDialect, operators: Operators) -> bytes:
    if dialect is WireDialect.JSON:
        return json_postback(postback, operators)
    return render_postback(postback, dialect, operators)


def _code(postback: Postback, account: Account, dialect: WireDialect) -> PostbackCode | None:
    """The code under which the dialect tells it; None: it does not.

    R-28: a delivered fallback SMS is N102 in kebab, N202 elsewhere, unless the account says otherwise.
    """
    if postback.code is PostbackCode.N102 and postback.sent_as is SentAs.SMS:
        usual = PostbackCode.N102 if dialect is WireDialect.KEBAB else PostbackCode.N202
        return PostbackCode(account.switches.fallback_dlr_code or usual)
    return json_code(postback) if dialect is WireDialect.JSON else postback.code


class Ledger:
    """Records steps. `on_postbacks`, `on_due` and `on_preparation` are called after the commit, `on_early_report`
    for each report that had come before its message's id was known.
    """

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory
        self.on_postbacks: Callable[[str], None] = lambda receiver: None
        self.on_due: Callable[[Message], None] = lambda message: None
        self.on_preparation: Callable[[], None] = lambda: None
        self.on_early_report: Callable[[Orphan], Awaitable[None]] | None = None
        self.observe: Observe = unobserved

    def render(self, change: Change) -> Sequence[PostbackRow]:
        """For the store, which calls it inside the step's transaction."""
        directory = self._directory()
        account = directory.accounts.get(change.message.account_id)
        return render(change, account, directory.operators) if account else ()

    def render_template(
        self, code: PostbackCode, template_id: int, account: Account, dialect: WireDialect, *, at: Millis,
        medium: Medium | None = None,
    ) -> Sequence[PostbackRow]:  # fmt: skip
        """N003 for a template that can be sent, E002 or E003 with the URL of the `medium` for one that never can.

        Nothing where the account wants no postbacks.
        """
        if not account.postback.url:
            return ()
        told = Postback(
            code=code, sent_as=SentAs.MMS, mms_id=template_id, timestamp=at, medium=medium.source if medium else ""
        )
        return [_row(told, account, account.postback.dialect or dialect)]

    async def record(self, message: Message, decide: Decide) -> Change:
        """Write the step that `decide` makes of the message as it stands then."""
        return await self.follow_up(await self._store.messages.record(message, decide))

    def _wake_sender(self, account_id: int) -> None:
        account = self._directory().accounts.get(account_id)
        if account is not None and account.postback.url:
            self.on_postbacks(receiver_of(account.id, account.postback.url))

    def _wake(self, change: Change) -> None:
        _log(change)
        if change.event.changed:
            message = change.message
            self.observe(Work.STEP, message.connection, message.state, None, message.tracking_id)
        if change.postbacks:
            self._wake_sender(change.message.account_id)
        if change.preparation is not None:
            self.on_preparation()
        if change.event.changed and change.message.due_at is not None:
            self.on_due(change.message)

    async def follow_up(self, recorded: Recorded) -> Change:
        """Wake who has to act on a step that has been committed."""
        change = recorded.change
        for each in filter(None, (change, recorded.followed)):
            self._wake(each)
        for orphan in recorded.orphans:
            await self._early_report(orphan)
        return change

    async def _early_report(self, orphan: Orphan) -> None:
        """Whatever goes wrong with it, the step before it has been committed: the report is tried again later."""
        if self.on_early_report is None:
            return
        try:
            await self.on_early_report(orphan)
        except Exception:
            log.exception("%s: the kept report %d could not be tried", orphan.connection, orphan.id)


_CONTRADICTED = frozenset({State.FAILED, State.UNDELIVERED})


def _log(change: Change) -> None:
    if change.event.happening is Happening.REPORTED_DELIVERED and change.message.state in _CONTRADICTED:
        # no second final postback, but a person should know
        log.warning("%s: reported as delivered after it had failed", change.message)
    if log.isEnabledFor(logging.INFO):
        event = change.event
        reason = mask_numbers(event.reason)  # the timeline keeps the carrier's own words
        log.info("%s: %s (%s)", change.message, reason, event.state if event.changed else "no change")
