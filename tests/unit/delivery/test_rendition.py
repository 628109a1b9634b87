"""Which content a carrier gets, why it gets none, and what is encoded only once."""

from dataclasses import replace

import pytest

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.delivery.rendition import Boundaries, Rendition, Renditions, Unfit
from mmsgate.domain.media import MediaKind
from mmsgate.domain.message import Content
from mmsgate.domain.number import SenderType
from mmsgate.domain.slide import Medium, Slide
from mmsgate.mm7.dialect import Dialect, Encoding
from tests.unit.builders import a_message
from tests.unit.delivery.fakes import FakeBlobs, a_content
from tests.unit.mm7.samples import ANIMATION, CARD, FILM, HELLO, IMAGE, JPEG, SOUND

SIM = CarrierProfile(name="sim", url="http://mmsc.example/")


class Kitchen:
    """Renditions over contents and blobs in memory."""

    def __init__(self, *contents: Content, blobs: dict[str, bytes] | None = None) -> None:
        self.blobs = FakeBlobs() if blobs is None else FakeBlobs(blobs)
        self._contents = {content.id: content for content in contents}
        self._renditions = Renditions(self.blobs, self._contents.get)

    async def choose(
        self, mms_id: int = 5, profile: CarrierProfile = SIM, *, sender_type: SenderType = SenderType.SHORT_CODE
    ) -> Rendition | Unfit:
        return await self._renditions.choose(a_message(content_id=mms_id, sender_type=sender_type), profile)

    async def made(self, mms_id: int = 5, profile: CarrierProfile = SIM) -> Rendition:
        chosen = await self.choose(mms_id, profile)
        assert isinstance(chosen, Rendition)
        return chosen

    async def refused(self, mms_id: int = 5, profile: CarrierProfile = SIM) -> Unfit:
        chosen = await self.choose(mms_id, profile)
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
    slides = tuple(Slide(media=(medium,)) for medium in (IMAGE, ANIMATION, SOUND, FILM, CARD))
    assert (await Kitchen(a_content(slides=slides)).made()).summary.startswith("5 slides")


async def test_content_that_is_gone_has_no_rendition() -> None:
    assert (await Kitchen().refused()).reason == "its content is gone"


# -- types


def taking(*types: str) -> CarrierProfile:
    return replace(SIM, types=frozenset(types))


async def test_a_type_that_the_carrier_does_not_take_is_named_with_its_slide() -> None:
    kitchen = Kitchen(a_content(slides=(*HELLO, Slide(media=(ANIMATION,)))))
    unfit = await kitchen.refused(profile=taking("image/jpeg", "text/plain"))
    assert unfit.reason == "slide 2: phones on sim don't take GIF image"
    assert unfit.data == {"slide": 2, "type": "image/gif"}
    assert kitchen.blobs.read_names == []


async def test_a_type_that_needs_adaptation_goes_by_link() -> None:
    wave = Medium(kind=MediaKind.AUDIO, blob="wav", mime="audio/wav", size=10)
    unfit = await Kitchen(a_content(slides=(Slide(media=(wave,)),))).refused()
    assert unfit.reason == "slide 1: phones on sim don't take WAV audio"


async def test_a_type_that_nobody_knows_is_named_as_it_is() -> None:
    odd = Medium(kind=MediaKind.IMAGE, blob="x", mime="image/x-odd", size=10)
    unfit = await Kitchen(a_content(slides=(Slide(media=(odd,)),))).refused()
    assert unfit.reason == "slide 1: phones on sim don't take image/x-odd image"


async def test_what_one_carrier_took_is_still_refused_to_one_that_does_not_take_the_type() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(ANIMATION,)),)))
    await kitchen.made()
    assert (await kitchen.refused(profile=taking("image/jpeg"))).data["type"] == "image/gif"


# -- sizes

BIG = replace(IMAGE, size=400_000)
BIGGER = replace(SOUND, size=500_000)


def limited(limit: int) -> CarrierProfile:
    return replace(SIM, limit=limit)


async def test_files_over_the_limit_are_refused_unread_and_the_largest_is_named() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(BIG,)), Slide(media=(BIGGER,)))))
    unfit = await kitchen.refused(profile=limited(614_400))
    assert unfit.reason == (
        "slide 2: Audio of 500,000 bytes; all files are 900,000, over the 614,400 bytes decoded that sim takes "
        "from a short-code"
    )
    assert unfit.data == {"bytes": 900_000, "limit": 614_400}
    assert kitchen.blobs.read_names == []


async def test_the_reason_names_the_kind_of_sender() -> None:
    kitchen = Kitchen(a_content(slides=(Slide(media=(BIG,)),)))
    unfit = await kitchen.choose(profile=limited(1), sender_type=SenderType.TOLL_FREE)
    assert isinstance(unfit, Unfit)
    assert unfit.reason.endswith("that sim takes from a toll-free")


async def test_files_that_fit_alone_are_refused_with_their_text_and_smil_over_the_limit() -> None:
    unfit = await Kitchen(a_content()).refused(profile=limited(len(JPEG) + 1))
    size = (await Kitchen(a_content()).made()).content.decoded_size
    assert unfit.reason.startswith("slide 1 has the most, ")
    assert f"the whole content is {size:,}, over the {len(JPEG) + 1:,} bytes" in unfit.reason
    assert unfit.data == {"bytes": size, "limit": len(JPEG) + 1}


async def test_the_limit_itself_still_fits() -> None:
    kitchen = Kitchen(a_content())
    size = (await kitchen.made()).content.decoded_size
    await kitchen.made(profile=limited(size))
    await kitchen.refused(profile=limited(size - 1))


async def test_the_limit_counts_decoded_bytes_whatever_the_encoding() -> None:
    size = (await Kitchen(a_content()).made()).content.decoded_size
    encoded = replace(limited(size), dialect=Dialect(encoding=Encoding.BASE64))
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
    base64 = await kitchen.made(profile=replace(SIM, dialect=Dialect(encoding=Encoding.BASE64)))
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
