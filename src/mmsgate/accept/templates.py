"""deleteMMSID, getMMSTemplates, getMmsIds: what an account does with its templates (API contract 6.4, 6.5, 10)."""

from mmsgate.accept.call import Call
from mmsgate.accept.saved import check_mms_id
from mmsgate.clock import Clock, Ids, Millis, parse_iso
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content
from mmsgate.domain.request import DeleteMmsId, GetMmsIds, GetMmsTemplates, LoginUser
from mmsgate.errors import Refusal
from mmsgate.store import Store
from mmsgate.wire.writer import TemplateEntry, TemplateList, id_list, session, success_save, template_list

DEFAULT_ITEMS = 100
MAX_ITEMS = 1000


class TemplateWorkflows:
    """One method for each action; all of them see the account's own templates only."""

    def __init__(self, *, store: Store, clock: Clock, ids: Ids) -> None:
        self._store, self._clock, self._ids = store, clock, ids

    async def delete(self, request: DeleteMmsId, call: Call) -> bytes:
        """E620, E241. What has been accepted is still sent, and pages stay until they expire (R-24)."""
        mms_id = check_mms_id(request.mms_id)
        if not await self._store.templates.delete(mms_id, call.account.id, at=self._clock.now()):
            raise Refusal("E241")
        return success_save(call.dialect, mms_id=mms_id)

    async def list(self, request: GetMmsTemplates, call: Call) -> bytes:
        """E214, E212, E213. Newest first; `total-results` counts all pages."""
        since = _since(request.start_date)
        page = _whole(request.page_number, "E212", default=1, most=10**9)
        items = _whole(request.items_per_page, "E213", default=DEFAULT_ITEMS, most=MAX_ITEMS)
        found = await self._store.templates.page(call.account.id, since=since, skip=(page - 1) * items, limit=items)
        entries = tuple(
            TemplateEntry(
                mms_id=each.template.id, name=each.content.name, subject=each.content.subject,
                fallback_text=each.template.fallback_text or "", created_at=each.template.created_at,
                slides=len(each.content.slides), size=each.template.size, poster=_poster(each.content),
            )
            for each in found
        )  # fmt: skip
        total = await self._store.templates.count(call.account.id, since=since)
        listed = TemplateList(
            start_date=request.start_date or "", page=page, per_page=items, total=total, entries=entries
        )
        return template_list(call.dialect, listed)

    async def ids(self, _: GetMmsIds, call: Call) -> bytes:
        """E200 where there is none."""
        found = await self._store.templates.ids(call.account.id)
        if not found:
            raise Refusal("E200")
        return id_list(call.dialect, found)

    async def log_in(self, _: LoginUser, call: Call) -> bytes:
        """A session id that nothing asks for: the key in each request is what counts."""
        return session(call.dialect, self._ids.tracking())


def _poster(content: Content) -> str:
    """The URL that the customer gave for the first picture, else for the first video; empty if there is neither."""
    for kind in (MediaKind.IMAGE, MediaKind.VIDEO):
        for medium in content.media:
            if medium.kind is kind:
                return medium.source
    return ""


def _since(text: str | None) -> Millis:
    if not text:
        return 0
    moment = parse_iso(text)
    if moment is None:
        raise Refusal("E214", detail="start-date must be an ISO 8601 time, like 2026-01-02T09:30:47+00:00")
    return moment


def _whole(text: str | None, code: str, *, default: int, most: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= most):
        raise Refusal(code, detail=f"a whole number from 1 to {most:,} is wanted")
    return int(text)
