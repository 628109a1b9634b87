"""Files made into what phones take, with real ones: what comes out is looked at again."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mmsgate.domain.media import MediaKind
from mmsgate.domain.rendition import PAGE, BrokenMedium, Misfit, Terms, Version
from mmsgate.domain.slide import Medium, Slide
from mmsgate.media.adapter import Adapter, fair_share
from mmsgate.media.cage import CageError, ImageBroken, ImageCage
from mmsgate.media.ffmpeg import FfmpegCage
from mmsgate.media.storage import BlobFault, FileBlobStore
from mmsgate.media.transcoder import Transcoder
from tests.integration.media.footage import Footage, Sample

TYPES = frozenset({"image/jpeg", "image/gif", "image/png", "audio/mpeg", "video/mp4", "application/pdf"})
Size = tuple[int, int]


def photograph(size: Size, mode: str = "RGB") -> Image.Image:
    """As hard to compress as a photograph: large shapes, small ones, and grain."""
    width, height = size
    bands = [
        Image.effect_noise((width // 8, height // 8), 80).resize(size, Image.Resampling.BICUBIC),
        Image.radial_gradient("L").resize(size),
        Image.effect_noise(size, 20),
    ]
    return Image.merge("RGB", bands).convert(mode)


def saved(picture: Image.Image, name: str, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, name, **options)
    return made.getvalue()


def turned_jpeg() -> bytes:
    """12 MP, taken with the phone upright: the pixels lie, EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    return saved(photograph((4000, 3000)), "JPEG", quality=90, exif=exif, icc_profile=b"profile" * 100)


def transparent_png() -> bytes:
    picture = photograph((1200, 900)).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize((1200, 900)))
    return saved(picture, "PNG")


def deep_png() -> bytes:
    return saved(
        Image.linear_gradient("L").resize((2000, 2500)).point(lambda v: v * 257, "I").convert("I;16"), "PNG"
    )


def moving_gif(frames: int = 24) -> bytes:
    pictures = [photograph((400, 300)).rotate(number * 5) for number in range(frames)]
    return saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0)


@pytest.fixture
async def adapter(blobs: FileBlobStore, cage: ImageCage, ffmpeg_cage: FfmpegCage) -> Adapter:
    return Adapter(blobs=blobs, cage=cage, transcoder=Transcoder(cage=ffmpeg_cage))


async def slide_of(blobs: FileBlobStore, data: bytes, mime: str) -> Slide:
    kind = MediaKind.AUDIO if mime.startswith("audio") else MediaKind.IMAGE
    blob = await blobs.put_bytes(data)
    return Slide(text="t", media=(Medium(kind=kind, blob=blob, mime=mime, size=len(data)),))


async def adapted(adapter: Adapter, *slides: Slide, room: int | None, types: frozenset[str] = TYPES) -> Version:
    found = await adapter.adapt(slides, Terms(room=room, types=types))
    assert isinstance(found, Version), found
    return found


async def opened(blobs: FileBlobStore, medium: Medium) -> Image.Image:
    data = await blobs.read(medium.blob)
    assert len(data) == medium.size
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.size == (medium.width, medium.height)
    return picture


SOURCES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a photo that lies on its side": (turned_jpeg, "image/jpeg"),
    "a CMYK JPEG": (lambda: saved(photograph((1600, 1200), "CMYK"), "JPEG", quality=92), "image/jpeg"),
    "a grey JPEG": (lambda: saved(photograph((1600, 1200), "L"), "JPEG", quality=95), "image/jpeg"),
    "a transparent PNG": (transparent_png, "image/png"),
    "a PNG of 16 bits": (deep_png, "image/png"),
    "a WebP": (lambda: saved(photograph((1600, 1200)), "WEBP", quality=90), "image/webp"),
    "a PNG with a palette": (lambda: saved(photograph((1600, 1200)).quantize(200), "PNG"), "image/png"),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("room", [150_000, 30_000])
async def test_a_picture_is_a_jpeg_that_fits_and_can_be_seen(
    name: str, room: int, adapter: Adapter, blobs: FileBlobStore
) -> None:
    make, mime = SOURCES[name]
    source = make()
    if len(source) <= room:
        room = len(source) // 2
    slide = await slide_of(blobs, source, mime)
    found = await adapted(adapter, slide, room=room)
    (medium,) = found.slides[0].media
    picture = await opened(blobs, medium)
    assert (medium.mime, picture.format, picture.mode) == ("image/jpeg", "JPEG", "RGB")
    assert room // 5 < medium.size <= room
    assert "exif" not in picture.info
    assert "icc_profile" not in picture.info
    assert max(picture.size) <= 1920
    (note,) = found.notes
    assert f"{len(source):,} → {medium.size:,} bytes" in note
    assert f"{picture.width}×{picture.height}" in note


async def test_a_turned_photo_stands_upright_and_keeps_its_shape(adapter: Adapter, blobs: FileBlobStore) -> None:
    found = await adapted(adapter, await slide_of(blobs, turned_jpeg(), "image/jpeg"), room=600_000)
    assert (found.slides[0].media[0].width, found.slides[0].media[0].height) == (1080, 1440)


async def test_what_is_transparent_is_on_white(adapter: Adapter, blobs: FileBlobStore) -> None:
    found = await adapted(adapter, await slide_of(blobs, transparent_png(), "image/png"), room=200_000)
    picture = await opened(blobs, found.slides[0].media[0])
    corner = picture.getpixel((picture.width // 2, 2))  # the gradient begins with nothing
    assert isinstance(corner, tuple)
    assert min(corner) > 240


@pytest.mark.parametrize("room", [400_000, 120_000])
async def test_an_animation_still_moves(room: int, adapter: Adapter, blobs: FileBlobStore) -> None:
    source = moving_gif()
    assert len(source) > room
    found = await adapted(adapter, await slide_of(blobs, source, "image/gif"), room=room)
    (medium,) = found.slides[0].media
    picture = await opened(blobs, medium)
    assert (medium.mime, medium.size <= room) == ("image/gif", True)
    assert getattr(picture, "n_frames", 1) > 3
    assert "frames" in found.notes[0]


async def test_an_animation_that_cannot_fit_is_a_still(adapter: Adapter, blobs: FileBlobStore) -> None:
    calm = Image.radial_gradient("L").resize((400, 300)).convert("RGB")
    wild = [photograph((400, 300)) for _ in range(24)]
    gif = saved(calm, "GIF", save_all=True, append_images=wild, duration=100, loop=0)
    found = await adapted(adapter, await slide_of(blobs, gif, "image/gif"), room=9_000)
    assert found.slides[0].media[0].mime == "image/jpeg"


async def test_what_fits_is_not_touched(adapter: Adapter, blobs: FileBlobStore) -> None:
    slides = (await slide_of(blobs, turned_jpeg(), "image/jpeg"),)
    found = await adapter.adapt(slides, Terms(room=50_000_000, types=TYPES))
    assert isinstance(found, Version)
    assert found.slides is slides
    assert (found.notes, adapter.encodes) == ((), 0)


async def test_small_pictures_leave_their_share_to_the_large_one(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    small = saved(photograph((200, 150)), "JPEG", quality=80)
    large = saved(photograph((2000, 1500)), "JPEG", quality=92)
    slides = (
        await slide_of(blobs, small, "image/jpeg"), await slide_of(blobs, large, "image/jpeg"),
        await played(blobs, footage["mp3"]),
    )  # fmt: skip
    found = await adapted(adapter, *slides, room=300_000)
    assert found.slides[0] is slides[0]
    (sound,) = found.slides[2].media
    assert sound.blob == slides[2].media[0].blob
    assert found.notes[0].startswith("slide 2: JPEG")
    assert len(found.notes) == 1
    total = sum(medium.size for slide in found.slides for medium in slide.media)
    assert 150_000 < total <= 300_000


async def test_pictures_that_grow_with_their_type_share_the_room(adapter: Adapter, blobs: FileBlobStore) -> None:
    """A WebP is smaller than the JPEG that is made of it: each leaves the others what they will need."""
    pictures = [saved(photograph((1600, 1200 + 10 * n)), "WEBP", quality=80) for n in range(3)]
    slides = [await slide_of(blobs, data, "image/webp") for data in pictures]
    room = sum(map(len, pictures)) + 10_000
    found = await adapted(adapter, *slides, room=room)
    sizes = [medium.size for slide in found.slides for medium in slide.media]
    assert 0.7 * room < sum(sizes) <= room
    assert min(sizes) > room // 5


async def test_a_type_that_phones_do_not_take_becomes_a_jpeg(adapter: Adapter, blobs: FileBlobStore) -> None:
    png = saved(photograph((300, 200)), "PNG")
    found = await adapted(
        adapter, await slide_of(blobs, png, "image/png"), room=1_000_000, types=frozenset({"image/jpeg"})
    )
    assert found.slides[0].media[0].mime == "image/jpeg"
    assert "as JPEG" in found.notes[0]


async def test_a_thousand_at_once_are_made_once(adapter: Adapter, blobs: FileBlobStore) -> None:
    slide = await slide_of(blobs, saved(photograph((1200, 900)), "JPEG", quality=92), "image/jpeg")
    made = await asyncio.gather(*(adapted(adapter, slide, room=60_000) for _ in range(1000)))
    assert all(each == made[0] for each in made)
    assert adapter.encodes == 1


async def test_equal_files_keep_their_own_urls(adapter: Adapter, blobs: FileBlobStore) -> None:
    slide = await slide_of(blobs, saved(photograph((1200, 900)), "JPEG", quality=92), "image/jpeg")
    first, second = (
        replace(slide, media=(replace(slide.media[0], source=f"https://a.example/{name}"),)) for name in "ab"
    )
    await adapted(adapter, first, room=60_000)
    found = await adapted(adapter, second, room=60_000)
    assert found.slides[0].media[0].source == "https://a.example/b"


# -- sound and video


async def played(blobs: FileBlobStore, sample: Sample) -> Slide:
    """A slide with a sound or a video."""
    data = sample.path.read_bytes()
    kind = MediaKind.AUDIO if sample.mime.startswith("audio") else MediaKind.VIDEO
    medium = Medium(
        kind=kind, blob=await blobs.put_bytes(data), mime=sample.mime, size=len(data), source="https://a.example/av"
    )
    return Slide(text="t", media=(medium,))


async def test_what_plays_sets_the_length_of_its_slide(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    slide = await played(blobs, footage["mp4"])
    found = await adapted(adapter, slide, room=10_000_000)
    (medium,) = found.slides[0].media
    assert (medium.blob, found.notes) == (slide.media[0].blob, ())
    assert (medium.width, medium.height, found.slides[0].duration) == (320, 240, 4)
    assert 3_900 < medium.duration < 4_100


async def test_a_video_is_made_to_fit_and_said_with_figures(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    slide = await played(blobs, footage["avi"])
    room = slide.media[0].size // 2
    found = await adapted(adapter, slide, room=room)
    (medium,) = found.slides[0].media
    assert (medium.mime, medium.size <= room, medium.source) == ("video/mp4", True, "https://a.example/av")
    assert len(await blobs.read(medium.blob)) == medium.size
    assert found.notes[0].startswith(f"slide 1: AVI {slide.media[0].size:,} → {medium.size:,} bytes as MP4 (H.264 ")
    assert adapter.encodes == 1


async def test_a_video_that_the_storage_does_not_take_leaves_no_file(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = await played(blobs, footage["avi"])

    async def refuse(path: Path) -> str:
        assert path.exists()
        raise BlobFault

    monkeypatch.setattr(blobs, "take", refuse)
    with pytest.raises(BlobFault):
        await adapted(adapter, slide, room=slide.media[0].size // 2)
    assert [file for file in (tmp_path / "work").rglob("*") if file.is_file()] == []


async def test_a_video_and_a_picture_share_the_room(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    photo = await slide_of(blobs, saved(photograph((2000, 1500)), "JPEG", quality=92), "image/jpeg")
    found = await adapted(adapter, await played(blobs, footage["mp4"]), photo, room=150_000)
    sizes = [medium.size for slide in found.slides for medium in slide.media]
    assert sum(sizes) <= 150_000
    assert min(sizes) > 20_000
    assert [note[:8] for note in found.notes] == ["slide 1:", "slide 2:"]


async def test_for_a_page_everything_becomes_what_browsers_show(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    film, sound = await played(blobs, footage["wmv"]), await played(blobs, footage["amr"])
    found = await adapter.adapt((film, sound), PAGE)
    assert isinstance(found, Version), found
    assert found.slides[0].media[0].mime == "video/mp4"
    assert found.slides[1].media[0].mime in {"audio/mp4", "audio/mpeg"}


async def test_videos_that_grow_with_their_codec_share_the_room(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage
) -> None:
    film = await played(blobs, footage["hevc"])
    other = replace(film, text="the same film again, at another address")
    room = 2 * film.media[0].size + 10_000
    found = await adapted(adapter, film, other, room=room)
    assert sum(medium.size for slide in found.slides for medium in slide.media) <= room
    assert [medium.mime for slide in found.slides for medium in slide.media] == ["video/mp4"] * 2


async def test_what_suits_one_room_is_not_looked_at_again_for_a_larger_one(
    adapter: Adapter, blobs: FileBlobStore, footage: Footage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = await played(blobs, footage["mp4"])
    first = await adapted(adapter, slide, room=1_000_000)

    async def never(*_: object, **__: object) -> None:
        raise AssertionError("it is known to suit")

    monkeypatch.setattr(adapter._transcoder, "fit", never)
    assert await adapted(adapter, slide, room=2_000_000) == first


async def test_a_broken_file_is_named(adapter: Adapter, blobs: FileBlobStore, footage: Footage) -> None:
    photo = await slide_of(blobs, saved(photograph((300, 200)), "JPEG"), "image/jpeg")
    whole = footage["mov"]
    cut = await blobs.put_bytes(whole.path.read_bytes()[: whole.size // 2])
    film = Medium(kind=MediaKind.VIDEO, blob=cut, mime=whole.mime, size=whole.size // 2)
    found = await adapter.adapt((photo, Slide(media=(film,))), Terms(room=1_000_000, types=TYPES))
    assert isinstance(found, BrokenMedium)
    assert (found.slide, found.medium) == (2, film)
    assert str(found).startswith("slide 2: Video: ")


async def test_what_cannot_fit_says_why(adapter: Adapter, blobs: FileBlobStore, footage: Footage) -> None:
    document = Slide(media=(Medium(kind=MediaKind.PDF, blob="0" * 64, mime="application/pdf", size=90_000),))
    film = await played(blobs, footage["mp4"])
    picture = await slide_of(blobs, saved(photograph((1200, 900)), "JPEG"), "image/jpeg")
    broken = await slide_of(blobs, saved(photograph((1200, 900)), "JPEG")[:20_000], "image/jpeg")
    for slides, room, words in (
        ((document, picture), 80_000, "all files are "),
        ((document,), 1_000_000, "slide 1: phones there don't take PDF"),
        ((film,), 5_000, "slide 1: the MP4 can't be made to fit 5,000 bytes: "),
        ((picture,), 2_500, "can't be made to fit"),
        ((broken,), 10_000, "can't be changed"),
    ):
        types = TYPES - {"application/pdf"} if room == 1_000_000 else TYPES
        found = await adapter.adapt(slides, Terms(room=room, types=types))
        assert isinstance(found, Misfit)
        assert words in found.reason


@pytest.mark.parametrize(
    ("sizes", "room", "share"),
    [([100], 50, 50), ([10, 100], 60, 50), ([10, 20, 100, 100], 130, 50), ([10, 20], 100, 100), ([40, 40], 60, 30)],
)
def test_fair_shares(sizes: list[int], room: int, share: int) -> None:
    assert fair_share(sizes, room) == share


async def test_what_ends_a_worker_is_tried_again_before_it_is_the_picture_s_fault(
    adapter: Adapter, blobs: FileBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine ends workers too. The verdict is for the moment: nobody keeps it."""
    slide = await slide_of(blobs, saved(photograph((300, 200)), "JPEG"), "image/jpeg")

    async def killed(*_: object, **__: object) -> ImageBroken:
        return ImageBroken(reason="decoding it took longer than 40 s", transient=True)

    monkeypatch.setattr(adapter._cage, "fit", killed)
    for _ in range(2):
        with pytest.raises(CageError, match="took longer than 40 s"):
            await adapter.adapt((slide,), Terms(room=5_000, types=TYPES))
    found = await adapter.adapt((slide,), Terms(room=5_000, types=TYPES))
    assert isinstance(found, Misfit)
    assert found.passing
