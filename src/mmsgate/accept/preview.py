"""Previews: a call's own checks, in its own order, then a look at what it would make; nothing is sent or stored.

A preview works like a hundred messages and nobody waits behind it, so there are few at a time: accounts take turns,
and what is too much is refused rather than queued.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from mmsgate.accept.call import Call
from mmsgate.accept.save import SaveMmsWorkflow
from mmsgate.accept.saved import SendSavedMmsWorkflow
from mmsgate.accept.send import SendMmsWorkflow
from mmsgate.accept.submission import Parcel
from mmsgate.clock import Clock
from mmsgate.domain.account import Account
from mmsgate.domain.message import Content
from mmsgate.domain.preview import Preview, PreviewDraft
from mmsgate.domain.request import Action, Parameters, SaveMms, SendMms, SendSavedMms
from mmsgate.domain.slide import DraftSlide
from mmsgate.domain.template import Template
from mmsgate.errors import Refusal
from mmsgate.media.turns import Turns

log = logging.getLogger("mmsgate.accept")

MOST_OF_ACCOUNT = 2  # previews of one account that may be under way
MOST = 8  # under way in all, those included that wait for their turn
AT_ONCE = 4  # made at the same time: each holds the encoded forms of its content
DEADLINE = 600.0  # seconds for one preview, from its first check to its answer


class Previews:
    """Runs the previews of the actions that have something to show. `preview` makes them of checked drafts.

    `deadline` is in seconds.
    """

    def __init__(
        self, *, send: SendMmsWorkflow, save: SaveMmsWorkflow, saved: SendSavedMmsWorkflow,
        preview: Callable[[PreviewDraft], Awaitable[Preview]], clock: Clock, deadline: float = DEADLINE,
    ) -> None:  # fmt: skip
        self._send, self._save, self._saved, self._preview, self._clock = send, save, saved, preview, clock
        self._deadline = deadline
        self._under_way: Counter[int] = Counter()
        self._turns = Turns(AT_ONCE, waiting=MOST_OF_ACCOUNT)  # never Crowded: no account has more under way

    async def run(self, parameters: Parameters, action: Action, call: Call) -> Preview:
        """The preview, or the `Refusal` that the call itself would get; E100 for an action without a preview.

        Also refused: E113 when there are too many under way, E503 after the deadline.
        """
        account = call.account
        with self._place(account.id):
            try:
                async with asyncio.timeout(self._deadline) as deadline:
                    draft = await self._draft(parameters, action, call)
                    async with self._turns.turn(str(account.id)):
                        return await self._preview(draft)
            except TimeoutError:
                if not deadline.expired():  # another one, of something that we do not know
                    raise
                log.warning("a preview of account %d was not ready after %g s", account.id, self._deadline)
                detail = f"the preview was not ready after {self._deadline:g} s; nothing was sent or stored"
                raise Refusal("E503", detail=detail) from None

    @contextmanager
    def _place(self, account_id: int) -> Iterator[None]:
        """A place among the previews under way. `Refusal` E113 if there is none."""
        if self._under_way[account_id] >= MOST_OF_ACCOUNT:
            detail = (
                f"{MOST_OF_ACCOUNT} previews of the account are under way, which is the most; wait for one to end"
            )
            raise Refusal("E113", detail=detail)
        if self._under_way.total() >= MOST:
            raise Refusal(
                "E113", detail=f"{MOST} previews of all accounts are under way, which is the most; try later"
            )
        self._under_way[account_id] += 1
        try:
            yield
        finally:
            self._under_way[account_id] -= 1
            if not self._under_way[account_id]:
                del self._under_way[account_id]

    async def _draft(self, parameters: Parameters, action: Action, call: Call) -> PreviewDraft:
        """What is to be previewed, after the checks of the call itself."""
        now, account = self._clock.now(), call.account
        match parameters:
            case SendMms():
                parcel = await self._send.prepare(parameters, call, now)
                return _of_parcel(action, parcel, account, written(parameters.slides))
            case SaveMms():
                template, content = await self._save.prepare(parameters, call, now)
                return _of_template(action, template, content, account, written(parameters.slides))
            case SendSavedMms():
                parcel = await self._saved.prepare(parameters, call, now)
                return _of_parcel(action, parcel, account, frozenset())
            case _:
                detail = f"{action.value} has nothing to preview; nothing was done"
                raise Refusal("E100", detail=detail)


def written(slides: Sequence[DraftSlide]) -> frozenset[int]:
    """The numbers of the slides on which a duration is written."""
    return frozenset(number for number, slide in enumerate(slides, 1) if slide.duration is not None)


def _of_parcel(action: Action, parcel: Parcel, account: Account, durations: frozenset[int]) -> PreviewDraft:
    return PreviewDraft(
        action=action, account=account, content=parcel.content, mms_id=parcel.mms_id,
        operator=parcel.operator, fallback=parcel.fallback.enabled, fallback_text=parcel.fallback.text,
        durations=durations,
    )  # fmt: skip


def _of_template(
    action: Action, template: Template, content: Content, account: Account, durations: frozenset[int]
) -> PreviewDraft:
    """As it would be sent by a request that says nothing about the fallback itself."""
    disabled = template.disable_fallback
    return PreviewDraft(
        action=action, account=account, content=content, mms_id=template.id, operator=account.operator,
        fallback=account.fallback_enabled if disabled is None else not disabled,
        fallback_text=template.fallback_text or account.fallback_text, durations=durations,
    )  # fmt: skip
