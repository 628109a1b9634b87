"""Previews: what each carrier would get of a content, made by the delivery's own choice and then forgotten.

    destinations → a rendition for each, on a trial → rows, warnings, problems

A trial keeps nothing in the store. Its versions of files may stay among the blobs until they are swept, as those of
a message that was never sent would.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mmsgate.carriers.limits import published_limits
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.routing import NoRoute, route
from mmsgate.carriers.target import Target
from mmsgate.delivery.encoder import EncodeJob, Encoder
from mmsgate.delivery.rendition import CarrierRenditions, FindContent, Missing, Rendition, Unfit
from mmsgate.delivery.versions import Versions
from mmsgate.domain.advice import ImageLook, Seen, advise
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.preview import Outcome, Preview, PreviewDraft, PreviewRow, Problem
from mmsgate.domain.rendition import BrokenMedium, Misfit, Terms, Version
from mmsgate.domain.request import Action
from mmsgate.domain.slide import Medium
from mmsgate.media.adapter import Adapter
from mmsgate.media.cage import ImageCage
from mmsgate.media.probe import AvFacts
from mmsgate.media.storage import BlobStore
from mmsgate.mm7.content import EncodedContent

K = TypeVar("K")
V = TypeVar("V")


class Previewer:
    """Makes previews. `profiles` are the connections as they are now, `content` looks up a template's slides."""

    def __init__(
        self, *, profiles: Callable[[], Sequence[CarrierProfile]], content: FindContent,
        versions: Versions, adapter: Adapter, encoder: Encoder, cage: ImageCage, blobs: BlobStore,
    ) -> None:  # fmt: skip
        self._profiles, self._content, self._versions = profiles, content, versions
        self._adapter, self._encoder, self._cage, self._blobs = adapter, encoder, cage, blobs

    async def preview(self, draft: PreviewDraft) -> Preview:
        """All destinations at once; the cages bound what really runs. Raises if the fault is ours.

        Each holds the encoded forms of its content: whoever asks sees to it that there are few at a time.
        """
        trial = Trial(self._versions, self._adapter, self._encoder)
        types = {sender.type for sender in draft.account.senders.values()}
        places = destinations(self._profiles(), types, draft.operator)
        async with asyncio.TaskGroup() as group:
            rows = [group.create_task(self._row(place, draft, trial)) for place in places]
            looks = group.create_task(self._looks(draft))
            seconds = group.create_task(self._seconds(draft.content))
        seen = Seen(looks=looks.result(), seconds=seconds.result(), durations=draft.durations)
        fallback_text = draft.fallback_text if draft.fallback else ""
        return Preview(
            action=draft.action, content=draft.content, rows=tuple(row.result() for row in rows),
            warnings=advise(draft.content.subject, draft.content.slides, seen, fallback_text=fallback_text),
            problems=problems(draft.action, trial.broken.values()), seconds=seen.seconds,
        )  # fmt: skip

    async def _row(self, place: "Destination", draft: PreviewDraft, trial: "Trial") -> PreviewRow:
        target = Target.of(place.profile, place.operator, place.sender_type)
        choice = CarrierRenditions(place.profile, self._content, trial, trial, memory=0)
        chosen = await choice.choose_for(target, draft.content, draft.mms_id)
        row = PreviewRow(
            connection=place.profile.name, operator=place.operator, label=target.limit.label,
            sender_type=place.sender_type, limit=target.limit.limit, source=target.limit.source,
            outcome=Outcome.FAILS,
        )  # fmt: skip
        match chosen:
            case Rendition(content=encoded, changes=changes):
                return replace(row, outcome=Outcome.MMS, size=target.size(encoded), changes=changes)
            case Unfit(reason=reason, final=final):
                outcome = Outcome.SMS if draft.fallback and not final else Outcome.FAILS
                return replace(row, outcome=outcome, reason=reason)
            case Missing(terms=terms):
                return replace(row, reason=str(trial.broken[terms.key]))

    async def _looks(self, draft: PreviewDraft) -> dict[str, ImageLook]:
        """A glance at each picture. One that can't be looked at has passed its check and goes without advice."""
        limits = draft.account.source_limits.pictures
        pictures = {medium.blob: medium.mime for medium in draft.content.media if medium.kind is MediaKind.IMAGE}

        async def look(blob: str, mime: str) -> ImageLook | None:
            path, owner = await self._blobs.path(blob), str(draft.account.id)
            found = await self._cage.look(path, mime, limits=limits, owner=owner)
            return found if isinstance(found, ImageLook) else None

        looks = await asyncio.gather(*(look(blob, mime) for blob, mime in pictures.items()))
        return {blob: found for blob, found in zip(pictures, looks, strict=True) if found is not None}

    async def _seconds(self, content: Content) -> dict[str, float]:
        """How long sounds and videos are; what is broken is a problem of its rows."""
        played, owner = {medium.blob: medium for medium in content.media if medium.plays}, str(content.account_id)
        facts = await asyncio.gather(*(self._adapter.inspect(each, owner=owner) for each in played.values()))
        return {blob: each.seconds for blob, each in zip(played, facts, strict=True) if isinstance(each, AvFacts)}


class Trial:
    """Versions and encoded forms for one preview: each made once, none kept in the store.

    `broken` are the terms, by their key, for which a sound or video could not be used.
    """

    def __init__(self, versions: Versions, adapter: Adapter, encoder: Encoder) -> None:
        self._versions, self._adapter, self._encoder = versions, adapter, encoder
        self._made: dict[str, asyncio.Task[Version | Misfit | BrokenMedium]] = {}
        self._encoded: dict[EncodeJob, asyncio.Task[EncodedContent]] = {}
        self.broken: dict[str, BrokenMedium] = {}

    async def find(self, content: Content, terms: Terms) -> Version | Misfit | None:
        """The version: a template's that is there already, or one that is made now. None if it can't be."""
        known = await self._versions.known(content.id, terms)
        if known is not None:
            return known
        owner = str(content.account_id)
        made = await _once(self._made, terms.key, lambda: self._adapter.adapt(content.slides, terms, owner=owner))
        if isinstance(made, BrokenMedium):
            self.broken[terms.key] = made
            return None
        return made

    async def encode(self, job: EncodeJob, content_id: int | None, key: str = "") -> EncodedContent:
        """The bytes, to know their number: whoever's they are, they are not kept."""
        return await _once(self._encoded, job, lambda: self._encoder.encode(job, None))


async def _once(tasks: dict[K, asyncio.Task[V]], key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
    """What `make` gives, made once for everybody who asks under that key."""
    if key not in tasks:
        tasks[key] = asyncio.create_task(make())
    return await tasks[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Recipients of one operator (empty: unknown), sent to from one type of sender, and who carries it there."""

    profile: CarrierProfile
    operator: str
    sender_type: SenderType


def destinations(profiles: Sequence[CarrierProfile], types: set[SenderType], operator: str) -> list[Destination]:
    """Where an account can send to, as routing chooses: the operators that connections name, and the request's.

    Where a connection serves everybody, also unknown operators and those with a published limit.
    """
    named = {each for profile in profiles for each in profile.reach.operators} - {"*"}
    if any("*" in profile.reach.operators for profile in profiles):
        named |= {"", *(each for each, _ in published_limits())}
    found = []
    for sender_type in sorted(types):
        for each in sorted(named | {operator}):
            routed = route(profiles, operator=each, recipient="", sender_type=sender_type)
            if not isinstance(routed, NoRoute):
                found.append(Destination(profile=routed[0].profile, operator=each, sender_type=sender_type))
    return sorted(found, key=lambda place: (place.profile.name, place.sender_type, place.operator))


def problems(action: Action, broken: Iterable[BrokenMedium]) -> tuple[Problem, ...]:
    """Each file that can't be used, once, with the code that the customer would be told (postback contract 2)."""
    by_file: dict[tuple[int, str], Problem] = {}
    for each in broken:
        code = _code(action, each.medium)
        problem = Problem(code=code, slide=each.slide, medium=each.medium, reason=each.reason)
        by_file.setdefault((each.slide, each.medium.blob), problem)
    return tuple(by_file[key] for key in sorted(by_file))


def _code(action: Action, medium: Medium) -> PostbackCode:
    if action is Action.SAVE_MMS:
        return PostbackCode.E002 if medium.kind is MediaKind.AUDIO else PostbackCode.E003
    return PostbackCode.E012 if medium.kind is MediaKind.AUDIO else PostbackCode.E013
