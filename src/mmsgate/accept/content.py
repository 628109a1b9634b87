"""The content of a request: name, subject, slides, and the files behind their URLs (API contract 5, 6.1, 6.2)."""

from collections.abc import Sequence
from typing import Protocol

from mmsgate.accept.call import Call
from mmsgate.domain.account import STRICT_LIMITS, Account, SourceLimits
from mmsgate.domain.gsm import is_gsm
from mmsgate.domain.media import MediaKind
from mmsgate.domain.request import WireDialect
from mmsgate.domain.slide import MAX_SUBJECT, DraftSlide, Medium, Slide, count_fault, parse_duration, slide_fault
from mmsgate.errors import Refusal
from mmsgate.media.fetcher import Fetcher, MediaFault, MediaRequest
from mmsgate.media.probe import AvBroken, AvFacts

MAX_NAME = 255  # characters


def check_name(name: str | None) -> None:
    """E311."""
    if not name:
        raise Refusal("E311", detail="name is missing")
    if len(name) > MAX_NAME:
        raise Refusal("E311", detail=f"name has {len(name):,} characters, {MAX_NAME} are allowed")


def check_subject(subject: str | None, account: Account) -> str:
    """E314: only if a subject is given and can't be used (contract 6.1, R-18)."""
    if not subject:
        return ""
    if len(subject) > MAX_SUBJECT:
        raise Refusal("E314", detail=f"message-subject has {len(subject)} characters, {MAX_SUBJECT} are allowed")
    if account.switches.reject_unicode_subject and not is_gsm(subject):
        raise Refusal("E314", detail="message-subject has characters outside GSM-7, which this account rejects")
    return subject


def check_slides(drafts: Sequence[DraftSlide], account: Account) -> None:
    """E312, E225, and the rules of each slide in order (contract 5.1)."""
    fault = count_fault(drafts)
    if fault is None:
        faults = (slide_fault(draft, n, text_limit=account.text_limit) for n, draft in enumerate(drafts, 1))
        fault = next((each for each in faults if each is not None), None)
    if fault is not None:
        raise Refusal.of_slide(fault)


class Inspect(Protocol):
    """What a sound or video is (the adapter's `inspect`)."""

    async def __call__(self, medium: Medium, *, owner: str) -> AvFacts | AvBroken:
        """Looked at in the turn of the account `owner`."""
        ...


class SlideFetcher:
    """Turns slides as asked for into slides with files."""

    def __init__(self, fetcher: Fetcher, inspect: Inspect) -> None:
        self._fetcher, self._inspect = fetcher, inspect

    async def fetch(self, drafts: Sequence[DraftSlide], call: Call) -> tuple[Slide, ...]:
        """All files of the request at once; the first failing one in document order answers (R-32)."""
        account = call.account
        wanted = [
            MediaRequest(slide=number, kind=kind, url=url)
            for number, draft in enumerate(drafts, 1)
            for kind, url in draft.urls
        ]
        obtained = await self._fetcher.obtain(
            wanted, account=str(account.id), limits=source_limits(account), strict=is_strict(account)
        )
        if isinstance(obtained, MediaFault):
            raise Refusal(obtained.code, slide=obtained.slide, detail=obtained.reason)
        if call.dialect is WireDialect.SKYCORE:
            await self._check_codecs(wanted, obtained, account)
        media: dict[int, list[Medium]] = {}
        for order, medium in zip(wanted, obtained, strict=True):
            media.setdefault(order.slide, []).append(medium)
        return tuple(_slide(draft, media.get(number, [])) for number, draft in enumerate(drafts, 1))

    async def _check_codecs(
        self, wanted: Sequence[MediaRequest], obtained: Sequence[Medium], account: Account
    ) -> None:
        """E343: the Skycore dialect says at once that a video has no known codec (contract 5.4)."""
        for order, medium in zip(wanted, obtained, strict=True):
            if medium.kind is MediaKind.VIDEO:
                facts = await self._inspect(medium, owner=str(account.id))
                if isinstance(facts, AvBroken) and facts.codecs:
                    raise Refusal("E343", slide=order.slide, detail=f"slide {order.slide}: {facts.reason}")


def source_limits(account: Account) -> SourceLimits:
    """The largest files of each kind (R-30); literally those of the original where the account is strict."""
    return STRICT_LIMITS if is_strict(account) else account.source_limits


def is_strict(account: Account) -> bool:
    """Whether media are fetched as literally as the contract says (R-04, R-05, R-06)."""
    return account.switches.literal(account.switches.strict_media)


def _slide(draft: DraftSlide, media: Sequence[Medium]) -> Slide:
    duration = parse_duration(draft.duration)
    assert duration is not None  # the slide's rules have been checked
    return Slide(text=draft.text, media=tuple(media), duration=duration)
