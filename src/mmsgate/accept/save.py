"""saveMMS: the checks in the contract's order (6.2), the media, the commit, and N003."""

from mmsgate.accept.call import Call
from mmsgate.accept.content import SlideFetcher, check_name, check_slides, check_subject
from mmsgate.accept.submission import KEY_LIFE
from mmsgate.clock import Clock, Ids
from mmsgate.domain.message import Content
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
        now, account = self._clock.now(), call.account
        check_name(request.name)
        if not request.subject:
            raise Refusal("E314", detail="message-subject is missing")
        subject = check_subject(request.subject, account)
        check_slides(request.slides, account)
        slides = await self._slides.fetch(request.slides, account)
        content = Content(
            id=self._ids.number(), account_id=account.id, name=request.name or "", subject=subject, slides=slides,
            created_at=now,
        )  # fmt: skip
        template = Template(
            id=content.id, account_id=account.id, state=TemplateState.READY, size=size_of(content), created_at=now,
            fallback_text=(request.fallback_text or "").strip() or None,
            disable_fallback=request.disable_fallback, disable_fallback_link=request.disable_fallback_link,
        )  # fmt: skip
        response = success_save(call.dialect, mms_id=template.id)
        kept = Kept(idempotency_key=call.idempotency_key, response=response, response_expires=now + KEY_LIFE)
        notices = self._ledger.render_ready(template, account, call.dialect)
        await self._store.templates.save(template, content, notices=notices, kept=kept)
        if notices:
            self._ledger.on_postbacks(notices[0].receiver)
        return response


def size_of(content: Content) -> int:
    """Bytes of the source files and of the texts in UTF-8 (contract 6.5)."""
    return sum(medium.size for medium in content.media) + sum(len(s.text.encode()) for s in content.slides)
