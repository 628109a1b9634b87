"""Which content a carrier gets, why it gets none, and what is encoded only once."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.delivery.encoder import Boundaries
from mmsgate.delivery.rendition import Missing, Rendition, Unfit
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content
from mmsgate.domain.number import SenderType
from mmsgate.domain.rendition import Measure, Misfit, Version
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.dialect import Dialect, Encoding
from tests.unit.builders import a_message, altered
from tests.unit.delivery.fakes import FakeAdapter, FakeBlobs, FakeRenditions, a_content, fake_renditions
from tests.unit.mm7.samples import ANIMATION, BLOBS, CARD, FILM, HELLO, IMAGE, JPEG

SIM = CarrierProfile(name="sim", endpoints=("http://mmsc.example/",))


class Kitchen:
    """Renditions over contents and blobs in memory."""

    def __init__(
        self, *contents: Content, blobs: dict[str, bytes] | None = None, adapter: FakeAdapter | None = None,
        kept: FakeRenditions | None = None,
    ) -> None:  # fmt: skip
        self.blobs = FakeBlobs() if blobs is None else FakeBlobs(blobs)
        self.adapter, self.kept = adapter or FakeAdapter(), kept or FakeRenditions()
        self._renditions = fake_renditions(
            {content.id: content for content in contents}, blobs=self.blobs, adapter=self.adapter, kept=self.kept
        )

    async def choose(
        self, content_id: int = 5, profile: CarrierProfile = SIM, **message: Any
    ) -> Rendition | Unfit | Missing:
        chosen = a_message(**{"content_id": content_id, "mms_id": content_id, "operator": "", **message})
        return await self._renditions.on(profile).choose(chosen)

    async def made(self, content_id: int = 5, profile: CarrierProfile = SIM, **message: Any) -> Rendition:
        chosen = await self.choose(content_id, profile, **message)
        assert isinstance(chosen, Rendition)
        return chosen

    async def refused(self, content_id: int = 5, profile: CarrierProfile = SIM, **message: Any) -> Unfit:
        chosen = await self.choose(content_id, profile, **message)
        assert isinstance(chosen, Unfit)
        return chosen


# -- what fits


async def test_content_that_fits_travels_as_it_is() -> None:
    rendition = await Kitchen(a_content()).made()
    assert rendition.subject == "Hello"
    assert JPEG in rendition.content.buffers
    assert rendition.summary == f"1 slide, {rendition.content.decoded_size:,} bytes"


async def test_the_summary_counts_slides() -> None:
    slides = (Slide(text="a"), Slide(text="b"))
    assert (await Kitchen(a_content(slides=slides)).made()).summary.startswith("2 slides, ")


async def test_every_type_that_handsets_take_is_taken_by_a_usual_carrier() -> None:
    slides = tuple(Slide(media=(medium,)) for medium in (IMAGE, ANIMATION, CARD))
    assert (await Kitchen(a_content(slides=slides)).made()).summary.startswith("3 slides")


async def test_content_that_is_gone_has_no_rendition() -> None:
    assert (await Kitchen().refused()).reason == "its content is gone"


# -- types


def taking(*types: str) -> CarrierProfile:
    return altered(SIM, limits={"types": frozenset(types)})


async def test_a_type_that_the_carrier_does_not_take_is_named_with_its_slide() -> None:
    kitchen = Kitchen(a_content(slides=(*HELLO, Slide(media=(ANIMATION,)))))
    unfit = await kitchen.refused(profile=taking("image/jpeg", "text/plain"))
    assert unfit.reason == "slide 2: phones on sim/short-code don't take GIF image; nothing helps"
    assert unfit.data == {"slide": 2, "type": "image/gif"}
    assert kitchen.blobs.read_names == []


async def test_a_type_that_nobody_knows_is_named_as_it_is() -> None:
    odd = Medium(kind=MediaKind.IMAGE, blob="x", mime="image/x-odd", size=10)
    unfit = await Kitchen(a_content(slides=(Slide(media=(odd,)),))).refused()
    assert unfit.reason == "slide 1: phones on sim/short-code don't take image/x-odd image; nothing helps"


async def test_what_one_carrier_took_is_still_refused_to_one_that_does_not_take_the_type() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(ANIMATION,)),)))
    await kitchen.made()
    assert (await kitchen.refused(profile=taking("image/jpeg"))).data["type"] == "image/gif"


# -- sizes

BIG = replace(IMAGE, size=400_000)
BIGGER = replace(ANIMATION, size=500_000)


def limited(limit: int) -> CarrierProfile:
    return altered(SIM, limits={"bytes": limit})


async def test_files_over_the_limit_are_refused_unread_and_the_largest_is_named() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(BIG,)), Slide(media=(BIGGER,)))))
    unfit = await kitchen.refused(profile=limited(614_400))
    assert unfit.reason == (
        "slide 2: Image of 500,000 bytes; all files are 900,000, over the 614,400 decoded on "
        "sim/short-code; nothing helps"
    )
    assert unfit.data == {"bytes": 900_000, "limit": 614_400}
    assert kitchen.blobs.read_names == []


async def test_the_reason_names_the_kind_of_sender() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(BIG,)),)))
    unfit = await kitchen.choose(profile=limited(1), sender_type=SenderType.TOLL_FREE)
    assert isinstance(unfit, Unfit)
    assert "decoded on sim/toll-free; " in unfit.reason


async def test_files_that_fit_alone_are_refused_with_their_text_and_smil_over_the_limit() -> None:
    slides = (Slide(text="a"), Slide(text="b" * 600))
    unfit = await Kitchen(a_content(slides=slides)).refused(profile=limited(700))
    size = (await Kitchen(a_content(slides=slides)).made()).content.decoded_size
    assert unfit.reason.startswith("slide 2 has the most, 600 bytes; ")
    assert f"the whole content is {size:,}, over the 700 decoded on sim/short-code" in unfit.reason
    assert unfit.data == {"bytes": size, "limit": 700}


async def test_the_limit_itself_still_fits() -> None:
    kitchen = Kitchen(a_content())
    size = (await kitchen.made()).content.decoded_size
    await kitchen.made(profile=limited(size))
    await kitchen.refused(profile=limited(size - 1))


async def test_the_limit_counts_decoded_bytes_whatever_the_encoding() -> None:
    size = (await Kitchen(a_content()).made()).content.decoded_size
    encoded = replace(limited(size), mm7=Dialect(encoding=Encoding.BASE64))
    assert (await Kitchen(a_content()).made(profile=encoded)).content.wire_size > size


async def test_what_one_carrier_took_is_still_too_large_for_one_with_a_smaller_limit() -> None:
    kitchen = Kitchen(a_content())
    await kitchen.made()
    unfit = await kitchen.refused(profile=limited(len(JPEG) - 1))
    assert unfit.reason.startswith("slide 1: Image of ")


# -- encoded once


async def test_equal_slides_are_encoded_once_for_all_their_mms_ids() -> None:
    kitchen = Kitchen(a_content(5, subject="one"), a_content(6, subject="two"))
    first, second = await kitchen.made(5), await kitchen.made(6)
    assert second.content is first.content
    assert (first.subject, second.subject) == ("one", "two")
    assert kitchen.blobs.read_names == ["jpeg"]


async def test_a_retry_shares_the_bytes() -> None:
    kitchen = Kitchen(a_content())
    assert (await kitchen.made()).content is (await kitchen.made()).content


async def test_another_connection_with_the_same_dialect_shares_the_bytes() -> None:
    kitchen = Kitchen(a_content())
    first = await kitchen.made()
    assert (await kitchen.made(profile=replace(SIM, name="other"))).content is first.content


async def test_another_dialect_is_encoded_anew() -> None:
    kitchen = Kitchen(a_content())
    binary = await kitchen.made()
    base64 = await kitchen.made(profile=replace(SIM, mm7=Dialect(encoding=Encoding.BASE64)))
    assert JPEG in binary.content.buffers
    assert JPEG not in base64.content.buffers
    assert (await kitchen.made()).content is binary.content


@pytest.mark.parametrize(
    "slide", [Slide(text="Hi!", media=(IMAGE,)), Slide(text="Hi", media=(IMAGE,), duration=5), Slide(text="Hi")]
)
async def test_other_slides_are_encoded_anew(slide: Slide) -> None:
    kitchen = Kitchen(a_content(5), a_content(6, slides=(slide,)))
    assert (await kitchen.made(6)).content.buffers != (await kitchen.made(5)).content.buffers


async def test_a_file_that_two_slides_show_is_sent_twice() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(IMAGE,)), Slide(media=(IMAGE,)))))
    assert (await kitchen.made()).content.buffers.count(JPEG) == 2


# -- boundaries


def test_every_content_begins_with_the_same_token() -> None:
    drawn = iter(["a", "b", "c"])
    boundaries = Boundaries(lambda: next(drawn))
    assert [boundaries()(), boundaries()(), boundaries()()] == ["a", "a", "a"]


def test_the_second_token_of_a_content_is_a_new_one() -> None:
    drawn = iter(["a", "b", "c"])
    token = Boundaries(lambda: next(drawn))()
    assert [token(), token(), token()] == ["a", "b", "c"]


async def test_contents_share_a_boundary_unless_their_bytes_hold_it() -> None:
    blobs = {"jpeg": JPEG}
    hostile = Slide(media=(replace(IMAGE, blob="hostile"),))
    kitchen = Kitchen(
        a_content(5), a_content(6, slides=(*HELLO, *HELLO)), a_content(7, slides=(hostile,)), blobs=blobs
    )
    usual = (await kitchen.made(5)).content.boundary
    blobs["hostile"] = f"--{usual}--".encode()
    assert (await kitchen.made(6)).content.boundary == usual
    assert (await kitchen.made(7)).content.boundary != usual


def test_a_usual_token_is_long_and_not_the_same_in_two_processes() -> None:
    first, second = Boundaries()()(), Boundaries()()()
    assert first != second
    assert len(first) == 24


# -- versions


def smaller(slides: tuple[Slide, ...], *notes: str) -> Version:
    """What an adapter could make of slides: their first picture as a small JPEG."""
    made = replace(slides[0], media=(replace(IMAGE, size=9, width=3, height=2),))
    return Version(slides=(made, *slides[1:]), notes=notes)


BIG_SLIDES = (Slide(text="Hi", media=(BIG,)),)


async def test_what_was_changed_is_said_with_the_limit_and_for_whom() -> None:
    adapter = FakeAdapter(smaller(BIG_SLIDES, "slide 1: JPEG 400,000 → 9 bytes (quality 64, 3×2)"))
    kitchen = Kitchen(a_content(slides=BIG_SLIDES), adapter=adapter)
    made = await kitchen.made(profile=limited(100_000), sender_type=SenderType.TOLL_FREE, operator="31002")
    assert made.summary.endswith(
        "; slide 1: JPEG 400,000 → 9 bytes (quality 64, 3×2) to fit 100,000 decoded on AT&T/toll-free"
    )


async def test_a_version_is_made_once_and_outlives_the_process() -> None:
    kept, content = FakeRenditions(), a_content(slides=BIG_SLIDES)
    first = Kitchen(content, adapter=FakeAdapter(smaller(BIG_SLIDES)), kept=kept)
    await first.made(profile=limited(100_000))
    await first.made(profile=limited(100_000), recipient="12065550101")
    assert len(first.adapter.asked) == 1
    later = Kitchen(content, kept=kept)
    await later.made(profile=limited(100_000))
    assert later.adapter.asked == []


async def test_limits_that_leave_the_same_room_share_a_version() -> None:
    kitchen = Kitchen(a_content(slides=BIG_SLIDES), adapter=FakeAdapter(smaller(BIG_SLIDES)))
    await kitchen.made(profile=limited(100_000))
    await kitchen.made(profile=replace(limited(100_010), name="other"))
    assert len(kitchen.adapter.asked) == 1


async def test_a_personal_text_gets_the_template_s_pictures() -> None:
    own = (replace(BIG_SLIDES[0], text="Hello Ann"),)
    kitchen = Kitchen(
        a_content(5, slides=BIG_SLIDES), a_content(6, slides=own), adapter=FakeAdapter(smaller(BIG_SLIDES))
    )
    await kitchen.made(5, limited(100_000))
    personal = await kitchen.made(6, limited(100_000), mms_id=5)
    assert len(kitchen.adapter.asked) == 1
    assert b"Hello Ann" in b"".join(personal.content.buffers)
    assert JPEG in personal.content.buffers


async def test_sound_and_video_wait_for_their_version() -> None:
    film = (Slide(media=(FILM,)),)
    kitchen = Kitchen(a_content(slides=film))
    missing = await kitchen.choose()
    assert isinstance(missing, Missing)
    assert kitchen.adapter.asked == []
    made = Version(slides=(replace(film[0], duration=3, media=(replace(FILM, duration=2_500),)),))
    await kitchen.kept.put(5, missing.terms.key, made, at=1)
    rendition = await kitchen.made()
    assert b'dur="3000ms"' in b"".join(rendition.content.buffers)


async def test_a_content_that_can_be_made_to_fit_for_nobody_is_judged_once() -> None:
    kitchen = Kitchen(a_content(slides=BIG_SLIDES), adapter=FakeAdapter(Misfit(reason="too many pixels")))
    for _ in range(2):
        assert (await kitchen.refused(profile=limited(10_000))).reason.endswith("; too many pixels")
    assert len(kitchen.adapter.asked) == 1


async def test_a_refused_size_leaves_less_of_the_limit() -> None:
    kitchen = Kitchen(a_content(slides=BIG_SLIDES), adapter=FakeAdapter(smaller(BIG_SLIDES)))
    await kitchen.made(profile=limited(1_000_000), size_cap=307_200)
    (terms,) = kitchen.adapter.asked
    assert terms.room is not None
    assert 290_000 < terms.room < 307_200


async def test_a_limit_on_the_wire_counts_base64() -> None:
    big = (Slide(media=(replace(IMAGE, size=80_000),)),)
    wire = altered(limited(100_000), limits={"measure": Measure.WIRE})
    binary, base64 = Kitchen(a_content(slides=big)), Kitchen(a_content(slides=big))
    await binary.made(profile=wire)
    assert binary.adapter.asked == []
    await base64.refused(profile=replace(wire, mm7=Dialect(encoding=Encoding.BASE64)))
    (terms,) = base64.adapter.asked
    assert terms.room is not None
    assert 65_000 < terms.room < 100_000 * 57 // 78


# -- encoded once, for templates for ever


async def test_a_template_is_encoded_once_for_every_run() -> None:
    kept, blobs = FakeRenditions(templates=frozenset({5})), dict(BLOBS)
    first = Kitchen(a_content(), blobs=blobs, kept=kept)
    made = (await first.made()).content
    assert len(kept.rows) == 1
    later = Kitchen(a_content(), blobs=blobs, kept=kept)
    loaded = (await later.made()).content
    assert later.blobs.read_names == [row.blob for row in kept.rows.values()]
    assert b"".join(loaded.buffers) == b"".join(made.buffers)
    assert replace(loaded, buffers=()) == replace(made, buffers=())


async def test_a_one_off_leaves_no_encoded_form_behind() -> None:
    kitchen = Kitchen(a_content())
    await kitchen.made()
    assert kitchen.kept.rows == {}


async def test_many_at_once_are_encoded_once() -> None:
    kitchen = Kitchen(a_content())
    made = await asyncio.gather(*(kitchen.made() for _ in range(50)))
    assert len({id(each.content) for each in made}) == 1
    assert kitchen.blobs.read_names == ["jpeg"]
