"""sendMMS: the checks in the contract's order (6.1), the media, the commit."""

from mmsgate.accept.call import Call
from mmsgate.accept.content import SlideFetcher, check_name, check_slides, check_subject
from mmsgate.accept.submission import Parcel, Submission, check_billing
from mmsgate.clock import Clock, Ids, Millis
from mmsgate.domain.message import Content
from mmsgate.domain.request import SendMms
from mmsgate.wire.writer import success_send


class SendMmsWorkflow:
    """Accepts sendMMS. `run` returns the answer's bytes once the message is committed, or raises `Refusal`."""

    def __init__(self, *, submission: Submission, slides: SlideFetcher, clock: Clock, ids: Ids) -> None:
        self._submission, self._slides, self._clock, self._ids = submission, slides, clock, ids

    async def run(self, request: SendMms, call: Call) -> bytes:
        now = self._clock.now()
        parcel = await self.prepare(request, call, now)
        message = self._submission.message(parcel, call, now)
        response = success_send(
            call.dialect, to=message.recipient, mms_id=message.mms_id, tracking_id=message.tracking_id
        )
        await self._submission.commit(message, parcel, call, response)
        return response

    async def prepare(self, request: SendMms, call: Call, now: Millis) -> Parcel:
        """Every check and the media, nothing committed; a preview ends here."""
        account = call.account
        address = await self._submission.address(request, call)
        check_name(request.name)
        subject = check_subject(request.subject, account)
        fallback = self._submission.fallback(request, call, now)
        check_slides(request.slides, account)
        slides = await self._slides.fetch(request.slides, call)
        way = await self._submission.way(address, fallback, call)
        check_billing(account)
        content = Content(
            id=self._ids.number(), account_id=account.id, name=request.name or "", subject=subject, slides=slides,
            created_at=now,
        )  # fmt: skip
        return Parcel(address=address, content=content, fallback=fallback, way=way, mms_id=content.id)
