"""sendSavedMMS: the checks in the contract's order (6.3), what is personal, the commit."""

from dataclasses import replace

from mmsgate.accept.call import Call
from mmsgate.accept.content import check_subject
from mmsgate.accept.discovery import Discoverer, check_discovery
from mmsgate.accept.submission import Parcel, Submission, check_billing
from mmsgate.clock import Clock, Ids, Millis
from mmsgate.domain.account import Account
from mmsgate.domain.message import Content
from mmsgate.domain.request import CustomText, SendSavedMms
from mmsgate.domain.slide import MAX_TEXT
from mmsgate.domain.template import Personal, Template, TemplateState
from mmsgate.errors import Refusal
from mmsgate.store import Store, TemplateGone
from mmsgate.wire.writer import success_send_saved

_MAX_ID = 2**63 - 1


class SendSavedMmsWorkflow:
    """Accepts sendSavedMMS. `run` returns the answer's bytes once the message is committed, or raises `Refusal`."""

    def __init__(
        self, *, store: Store, submission: Submission, discoverer: Discoverer, clock: Clock, ids: Ids
    ) -> None:
        self._store, self._submission, self._clock, self._ids = store, submission, clock, ids
        self._discoverer = discoverer

    async def run(self, request: SendSavedMms, call: Call) -> bytes:
        now = self._clock.now()
        parcel = await self.prepare(request, call, now)
        message = self._submission.message(parcel, call, now)
        start = await self._discoverer.start(message, parcel.discovery, parcel.way.profile)
        response = success_send_saved(
            call.dialect, mms_id=message.mms_id, tracking_id=message.tracking_id, to=message.recipient,
            sender=message.sender,
        )  # fmt: skip
        try:
            await self._submission.commit(
                start.message, parcel, call, response, ahead=start.ahead, note=start.note
            )  # fmt: skip
        except TemplateGone:
            raise Refusal("E241", detail="the template was deleted just now") from None
        return response

    async def prepare(self, request: SendSavedMms, call: Call, now: Millis) -> Parcel:
        """Every check and what is personal, nothing committed; a preview ends here."""
        account = call.account
        template, content = await self._sendable(request.mms_id, account)
        address = await self._submission.address(request, call)
        subject = check_subject(request.custom_subject, account)
        texts = check_custom_texts(request.custom_texts, content, account)
        discovery = check_discovery(request, account)
        personal = Personal(subject=subject or None, texts=texts, data=request.data)
        fallback = self._submission.fallback(request, call, now, template)
        fallback = replace(fallback, text=personal.of_text(fallback.text))
        way = await self._submission.way(address, fallback, call)
        check_billing(account)
        own = self._personal(content, personal, now)
        return Parcel(
            address=address, content=own, fallback=fallback, way=way, mms_id=template.id,
            stored=own is content, discovery=None if way.no_mms else discovery,
        )  # fmt: skip

    async def _sendable(self, mms_id: str | None, account: Account) -> tuple[Template, Content]:
        """The template and its content: E620, E241, E626."""
        template = await self._store.templates.get(check_mms_id(mms_id), account.id)
        content = await self._store.messages.content(template.id) if template else None
        if template is None or content is None:
            raise Refusal("E241")
        if template.state is TemplateState.PREPARING:
            raise Refusal("E626")
        if template.state is TemplateState.DEAD:
            raise Refusal("E241", detail=f"it could not be prepared: {template.reason}; save it anew")
        return template, content

    def _personal(self, content: Content, personal: Personal, now: Millis) -> Content:
        """The content for this recipient: the template's own where nothing differs."""
        slides = personal.of_slides(content.slides)
        subject = personal.of_text(content.subject if personal.subject is None else personal.subject)
        if slides is content.slides and subject == content.subject:
            return content
        return replace(content, id=self._ids.number(), slides=slides, subject=subject, created_at=now)


def check_mms_id(text: str | None) -> int:
    """The id: E620 where it is missing, E241 where it can be none."""
    if not text:
        raise Refusal("E620")
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) <= _MAX_ID):
        raise Refusal("E241", detail="an mms-id is a positive whole number")
    return int(text)


def check_custom_texts(customs: tuple[CustomText, ...], content: Content, account: Account) -> dict[int, str]:
    """The texts by slide: E313 where a child is missing or there is no such slide (G-13), E228 and E334 for length.

    Of two for one slide the last counts, as if they had been set one after the other.
    """
    texts: dict[int, str] = {}
    for custom in customs:
        number = _slide_number(custom, len(content.slides))
        text = custom.value or ""
        if len(text) > MAX_TEXT:
            raise Refusal("E228", x=MAX_TEXT, slide=number, detail=f"custom-text has {len(text):,} characters")
        if len(text) > account.text_limit:
            detail = f"custom-text has {len(text):,} characters, this account allows {account.text_limit:,}"
            raise Refusal("E334", slide=number, detail=detail)
        texts[number] = text
    return texts


def _slide_number(custom: CustomText, slides: int) -> int:
    written = custom.slide or ""
    number = int(written) if written.isascii() and written.isdigit() and len(written) < 6 else 0
    if custom.value is None or not 1 <= number <= slides:
        what = (
            "custom-text needs value and slide" if custom.value is None or not written else "there is no such slide"
        )
        wording = "" if number else "custom-text names no slide."  # "Slide 0 is empty." would name one that is none
        raise Refusal("E313", slide=number, detail=f"{what}; the template has {slides}", wording=wording)
    return number
