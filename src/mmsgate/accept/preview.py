"""Previews: a call's own checks, in its own order, then a look at what it would make; nothing is sent or stored."""

from collections.abc import Awaitable, Callable, Sequence

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


class Previews:
    """Runs the previews of the actions that have something to show. `preview` makes them of checked drafts."""

    def __init__(
        self, *, send: SendMmsWorkflow, save: SaveMmsWorkflow, saved: SendSavedMmsWorkflow,
        preview: Callable[[PreviewDraft], Awaitable[Preview]], clock: Clock,
    ) -> None:  # fmt: skip
        self._send, self._save, self._saved, self._preview, self._clock = send, save, saved, preview, clock

    async def run(self, parameters: Parameters, action: Action, call: Call) -> Preview:
        """The preview, or the `Refusal` that the call itself would get; E100 for an action without a preview."""
        now, account = self._clock.now(), call.account
        match parameters:
            case SendMms():
                parcel = await self._send.prepare(parameters, call, now)
                draft = _of_parcel(action, parcel, account, written(parameters.slides))
            case SaveMms():
                template, content = await self._save.prepare(parameters, call, now)
                draft = _of_template(action, template, content, account, written(parameters.slides))
            case SendSavedMms():
                draft = _of_parcel(action, self._saved.prepare(parameters, call, now), account, frozenset())
            case _:
                detail = f"{action.value} has nothing to preview; nothing was done"
                raise Refusal("E100", detail=detail)
        return await self._preview(draft)


def written(slides: Sequence[DraftSlide]) -> frozenset[int]:
    """The numbers of the slides on which a duration is written."""
    return frozenset(number for number, slide in enumerate(slides, 1) if slide.duration is not None)


def _of_parcel(action: Action, parcel: Parcel, account: Account, durations: frozenset[int]) -> PreviewDraft:
    return PreviewDraft(
        action=action, account=account, content=parcel.content, mms_id=parcel.mms_id,
        operator=parcel.address.operator, fallback=parcel.fallback.enabled, fallback_text=parcel.fallback.text,
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
