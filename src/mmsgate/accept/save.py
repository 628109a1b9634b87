"""saveMMS: the checks in the contract's order (6.2), the media, the commit; then N003, or first a preparation."""

from mmsgate.accept.call import Call
from mmsgate.accept.content import SlideFetcher, check_name, check_slides, check_subject
from mmsgate.accept.submission import KEY_LIFE
from mmsgate.clock import Clock, Ids, Millis
from mmsgate.domain.message import Content
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.rendition import Preparation, plays
from mmsgate.domain.request import SaveMms
from mmsgate.domain.template import Template, TemplateState
from mmsgate.errors import Refusal
from mmsgate.postbacks.ledger import Ledger
from mmsgate.store import Kept, Store
from mmsgate.wire.writer import success_save


class SaveMmsWorkflow:
    """Accepts saveMMS. `run` returns the answer's bytes once the template is committed, or raises `Refusal`."""

    def __init__(self, *, store: Store, slides: SlideFetcher, ledger: Ledger, clock: Clock, ids: Ids) -> None:
        self._store, self._slides, self._ledger, self._clock, self._ids = store, slides, ledger, clock, ids

    async def run(self, request: SaveMms, call: Call) -> bytes:
        now = self._clock.now()
        template, content = await self.prepare(request, call, now)
        response = success_save(call.dialect, mms_id=template.id)
        kept = Kept(idempotency_key=call.idempotency_key, response=response, response_expires=now + KEY_LIFE)
        await self._commit(template, content, call, kept)
        return response

    async def prepare(self, request: SaveMms, call: Call, now: Millis) -> tuple[Template, Content]:
        """Every check and the media, nothing committed; a preview ends here."""
        account = call.account
        check_name(request.name)
        if not request.subject:
            raise Refusal("E314", detail="message-subject is missing")
        subject = check_subject(request.subject, account)
        check_slides(request.slides, account)
        slides = await self._slides.fetch(request.slides, call)
        content = Content(
            id=self._ids.number(), account_id=account.id, name=request.name or "", subject=subject, slides=slides,
            created_at=now,
        )  # fmt: skip
        state = TemplateState.PREPARING if plays(slides) else TemplateState.READY
        template = Template(
            id=content.id, account_id=account.id, state=state, size=size_of(content), created_at=now,
            fallback_text=(request.fallback_text or "").strip() or None,
            disable_fallback=request.disable_fallback, disable_fallback_link=request.disable_fallback_link,
        )  # fmt: skip
        return template, content

    async def _commit(self, template: Template, content: Content, call: Call, kept: Kept) -> None:
        """With sound or video it is locked until they are prepared (E626)."""
        if template.state is TemplateState.PREPARING:
            preparation = Preparation(content_id=template.id, account_id=template.account_id, dialect=call.dialect)
            await self._store.templates.save(template, content, notices=(), kept=kept, preparation=preparation)
            self._ledger.on_preparation()
            return
        notices = self._ledger.render_template(
            PostbackCode.N003, template.id, call.account, call.dialect, at=template.created_at
        )
        await self._store.templates.save(template, content, notices=notices, kept=kept)
        if notices:
            self._ledger.on_postbacks(notices[0].receiver)


def size_of(content: Content) -> int:
    """Bytes of the source files and of the texts in UTF-8 (contract 6.5)."""
    return sum(medium.size for medium in content.media) + sum(len(s.text.encode()) for s in content.slides)
