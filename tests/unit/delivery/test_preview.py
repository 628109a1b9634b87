"""Where a preview looks, what it makes only once, and what it says of files that can't be used."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from mmsgate.carriers.limits import published_limits
from mmsgate.carriers.profile import CarrierProfile
from mmsgate.clock import ManualClock
from mmsgate.delivery.encoder import Encoder
from mmsgate.delivery.preview import Previewer, destinations, problems
from mmsgate.delivery.versions import Versions
from mmsgate.domain.account import Sender
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content
from mmsgate.domain.number import SenderType
from mmsgate.domain.postback import PostbackCode
from mmsgate.domain.preview import Outcome, Preview, PreviewDraft
from mmsgate.domain.rendition import BrokenMedium, Version
from mmsgate.domain.request import Action
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.adapter import Adapter
from mmsgate.media.cage import ImageBroken, ImageCage
from mmsgate.media.probe import AvBroken, AvFacts
from mmsgate.media.storage import BlobStore
from tests.unit.builders import altered, an_account
from tests.unit.delivery.fakes import FakeAdapter, FakeBlobs, FakeRenditions, a_content, looks_up
from tests.unit.mm7.samples import IMAGE

ALL = CarrierProfile(name="all", endpoints=("http://mmsc.example/",))
SHORT, LONG = SenderType.SHORT_CODE, SenderType.LONG_CODE
SOUND = Medium(kind=MediaKind.AUDIO, blob=IMAGE.blob, mime="audio/mpeg", size=900, source="http://x/a.mp3")
BIG = replace(IMAGE, size=700_000)


class Blobs(FakeBlobs):
    async def path(self, blob: str) -> Path:
        return Path("/blobs") / blob


class Cage:
    """Can't look at anything."""

    async def look(self, path: Path, mime: str, **_: object) -> ImageBroken:
        assert mime.startswith("image/")
        return ImageBroken(reason="broken")


class Inspecting(FakeAdapter):
    facts: AvFacts | AvBroken = AvFacts(seconds=2.5, estimated=False, video=None, audio=None)

    async def inspect(self, _: Medium, *, owner: str) -> AvFacts | AvBroken:
        assert owner
        return self.facts


class Desk:
    """A previewer over things in memory."""

    def __init__(self, *profiles: CarrierProfile, adapter: Inspecting | None = None) -> None:
        self.adapter, self.kept, self.blobs = adapter or Inspecting(), FakeRenditions(), Blobs()
        self.encoder = Encoder(self.blobs, self.kept)
        self.contents: dict[int, Content] = {}
        self._previewer = Previewer(
            profiles=lambda: profiles or (ALL,), content=looks_up(self.contents),
            versions=Versions(self.kept, cast("Adapter", self.adapter), ManualClock()),
            adapter=cast("Adapter", self.adapter), encoder=self.encoder, cage=cast("ImageCage", Cage()),
            blobs=cast("BlobStore", self.blobs),
        )  # fmt: skip

    async def preview(self, *slides: Slide, mms_id: int = 5, **changes: Any) -> Preview:
        content = a_content(slides=slides, subject="")
        draft = PreviewDraft(
            action=Action.SEND_MMS, account=an_account(), content=content, mms_id=mms_id, fallback=True,
            fallback_text="",
        )  # fmt: skip
        return await self._previewer.preview(replace(draft, **changes))


# -- where


def where(
    *profiles: CarrierProfile, types: set[SenderType] | None = None, operator: str = ""
) -> list[tuple[str, ...]]:
    found = destinations(profiles, types or {SHORT}, operator)
    return [(each.profile.name, each.operator, each.sender_type.value) for each in found]


def test_a_connection_for_everybody_is_shown_for_every_published_operator_and_the_unknown_one() -> None:
    operators = [operator for _, operator, _ in where(ALL)]
    assert operators == sorted({"", *(operator for operator, _ in published_limits())})


def test_a_connection_that_names_operators_is_shown_for_those_alone() -> None:
    att = altered(replace(ALL, name="att"), reach={"operators": frozenset({"31002", "31005"})})
    assert where(att, types={SHORT, LONG}) == [
        ("att", "31002", "long-code"), ("att", "31005", "long-code"),
        ("att", "31002", "short-code"), ("att", "31005", "short-code"),
    ]  # fmt: skip


def test_an_operator_is_shown_where_it_is_routed_to() -> None:
    att = altered(
        replace(ALL, name="att"), reach={"operators": frozenset({"31002"}), "sender_types": frozenset({SHORT})}
    )
    found = where(ALL, att, types={SHORT, LONG})
    assert [each for each in found if each[1] == "31002"] == [
        ("all", "31002", "long-code"), ("att", "31002", "short-code"),
    ]  # fmt: skip


def test_the_operator_of_the_request_is_shown_too() -> None:
    assert ("all", "0001400", "short-code") in where(ALL, operator="0001400")
    assert where(altered(ALL, reach={"sender_types": frozenset({LONG})})) == []


# -- what


async def test_carriers_with_equal_terms_share_the_work_and_nothing_is_kept() -> None:
    made = Version(slides=(Slide(media=(replace(BIG, size=500_000),)),), notes=("slide 1: smaller",))
    desk = Desk(adapter=Inspecting(made))
    preview = await desk.preview(Slide(media=(BIG,)))
    changed = [row for row in preview.rows if row.changes]
    assert len(changed) > 2
    assert len(desk.adapter.asked) < len(changed)
    assert len(desk.adapter.asked) == len({terms.key for terms in desk.adapter.asked})
    assert desk.encoder.encodes == 2  # as it is, and smaller
    assert (desk.kept.kept, desk.kept.rows) == ({}, {})


async def test_a_change_is_told_in_the_words_of_the_timeline_and_the_size_is_the_encoded_one() -> None:
    made = Version(slides=(Slide(media=(replace(BIG, size=500_000),)),), notes=("slide 1: smaller",))
    preview = await Desk(altered(ALL, limits={"bytes": 600_000}), adapter=Inspecting(made)).preview(
        Slide(media=(BIG,))
    )
    row = preview.rows[0]
    assert row.changes == ("slide 1: smaller to fit 600,000 decoded on all/short-code",)
    assert row.size is not None
    assert row.size > len(await Blobs().read(BIG.blob))
    assert (row.limit.bytes, row.source) == (600_000, "the profile of all")


async def test_what_does_not_fit_goes_by_sms_or_not_at_all() -> None:
    desk = Desk(altered(ALL, limits={"bytes": 600_000}))
    preview = await desk.preview(Slide(media=(BIG,)))
    assert {row.outcome for row in preview.rows} == {Outcome.SMS}
    assert "over the 600,000 decoded on all/short-code" in preview.rows[0].reason
    alone = await desk.preview(Slide(media=(BIG,)), fallback=False)
    assert {row.outcome for row in alone.rows} == {Outcome.FAILS}


async def test_a_text_that_has_grown_too_long_fails_whatever_the_fallback() -> None:
    preview = await Desk().preview(Slide(text="x" * 5001))
    assert {row.outcome for row in preview.rows} == {Outcome.FAILS}
    assert "Error fetching dynamic content" in preview.rows[0].reason


async def test_a_templates_version_that_is_there_is_used() -> None:
    desk = Desk(altered(ALL, limits={"bytes": 600_000}))
    desk.contents[5] = a_content(slides=(Slide(media=(BIG,)),))
    await desk.preview(Slide(media=(BIG,)))
    (terms,) = {terms.key: terms for terms in desk.adapter.asked}.values()
    desk.kept.kept[5, terms.key] = Version(slides=(Slide(media=(IMAGE,)),), notes=("kept",))
    again = await desk.preview(Slide(text="", media=(BIG,)))
    assert again.rows[0].changes[0].startswith("kept to fit")
    assert len(desk.adapter.asked) == 1


async def test_a_sound_that_cannot_be_used_is_a_problem_with_the_code_that_would_follow() -> None:
    slide = Slide(media=(SOUND,))
    adapter = Inspecting(BrokenMedium(slide=1, medium=SOUND, reason="no sound in it"))
    adapter.facts = AvBroken(reason="no sound in it")
    preview = await Desk(adapter=adapter).preview(slide)
    assert {row.outcome for row in preview.rows} == {Outcome.FAILS}
    assert {row.reason for row in preview.rows} == {"slide 1: Audio: no sound in it"}
    (problem,) = preview.problems
    assert (problem.code, problem.slide, problem.medium) == (PostbackCode.E012, 1, SOUND)
    assert preview.seconds == {}


async def test_lengths_of_sounds_reach_the_advice() -> None:
    preview = await Desk().preview(Slide(media=(SOUND,)), durations=frozenset({1}))
    assert preview.seconds == {SOUND.blob: 2.5}
    assert "2.5 s" in preview.warnings[0]


def test_codes_of_problems() -> None:
    film = Medium(kind=MediaKind.VIDEO, blob="v", mime="video/mp4", size=1)
    broken = [
        BrokenMedium(slide=number, medium=each, reason="r") for number, each in ((2, film), (1, SOUND), (1, SOUND))
    ]
    assert [each.code for each in problems(Action.SAVE_MMS, broken)] == [PostbackCode.E002, PostbackCode.E003]
    assert [each.code for each in problems(Action.SEND_SAVED_MMS, broken)] == [PostbackCode.E012, PostbackCode.E013]


async def test_all_kinds_of_the_accounts_senders_are_shown() -> None:
    senders = {n: Sender(number=n, type=t) for n, t in (("1", SHORT), ("2", LONG), ("3", SHORT))}
    preview = await Desk().preview(Slide(text="a"), account=an_account(senders=senders))
    assert {row.sender_type for row in preview.rows} == {SHORT, LONG}
    assert len({(row.connection, row.operator, row.sender_type) for row in preview.rows}) == len(preview.rows)
