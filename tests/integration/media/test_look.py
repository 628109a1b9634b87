"""A glance at pictures in the cage, for advice: transparency, movement, what lies where phones cut."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from mmsgate.domain.advice import ImageLook
from mmsgate.domain.media import ImageLimits
from mmsgate.media.cage import ImageBroken, ImageCage
from tests.integration.media.pictures import animation, image

SCREEN = (1080, 1920)


async def look(
    cage: ImageCage, tmp_path: Path, data: bytes, mime: str = "image/png", limits: ImageLimits | None = None
) -> ImageLook:
    path = tmp_path / "picture"
    path.write_bytes(data)
    found = await cage.look(path, mime, limits=limits)
    assert isinstance(found, ImageLook), found
    return found


def saved(picture: Image.Image, name: str = "PNG", **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, name, **options)
    return made.getvalue()


def flyer(bands: Sequence[tuple[int, int]] = (), *, ground: Image.Image | None = None) -> Image.Image:
    """A picture as tall as a screen, soft but for stripes, as of letters, in some bands (rows from, to)."""
    picture = (ground or Image.radial_gradient("L").resize(SCREEN)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for start, end in bands:
        for left in range(100, 980, 40):
            draw.rectangle((left, start, left + 12, end), fill="white")
    return picture


async def test_a_picture_that_could_be_transparent_and_is_not(cage: ImageCage, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (300, 200), (9, 9, 9, 255))
    assert not (await look(cage, tmp_path, saved(picture))).transparent
    picture.putpixel((150, 100), (0, 0, 0, 0))
    assert (await look(cage, tmp_path, saved(picture))).transparent


async def test_a_palette_with_a_transparent_colour(cage: ImageCage, tmp_path: Path) -> None:
    picture = Image.radial_gradient("L").resize((200, 200)).convert("P")
    assert (await look(cage, tmp_path, saved(picture, transparency=255))).transparent


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
async def test_a_photo_is_turned_as_it_is_shown(mode: str, cage: ImageCage, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.radial_gradient("L").resize((1600, 900)).convert(mode), "JPEG", exif=exif)
    found = await look(cage, tmp_path, data, "image/jpeg")
    assert (found.width, found.height, found.frames, found.transparent) == (900, 1600, 1, False)


async def test_a_turned_photo_is_cut_where_its_top_is(cage: ImageCage, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = flyer([(40, 120)]).transpose(Image.Transpose.ROTATE_90)
    found = await look(cage, tmp_path, saved(lying, "JPEG", exif=exif, quality=90), "image/jpeg")
    assert (found.width, found.height) == SCREEN
    assert found.busy_top > 0.7
    assert found.busy_bottom == 0


async def test_the_speed_of_an_animation(cage: ImageCage, tmp_path: Path) -> None:
    found = await look(cage, tmp_path, animation(12, (64, 48)), "image/gif")  # each is shown for 20 ms
    assert (found.width, found.height, found.frames, found.rate) == (64, 48, 12, 50.0)
    frames = [Image.effect_noise((64, 48), grain) for grain in (10, 50, 90)]
    webp = saved(frames[0].convert("RGB"), "WEBP", save_all=True, append_images=frames[1:], duration=400)
    found = await look(cage, tmp_path, webp, "image/webp")
    assert (found.frames, found.rate) == (3, 2.5)


@pytest.mark.parametrize(
    ("bands", "top", "bottom"),
    [
        ([], False, False),
        ([(40, 120)], True, False),
        ([(1800, 1880)], False, True),
        ([(40, 120), (1800, 1880)], True, True),
        ([(900, 1000)], False, False),
        ([(240, 320), (1640, 1750)], False, False),  # just inside what is kept
    ],
)
async def test_letters_where_phones_cut(
    bands: list[tuple[int, int]], top: bool, bottom: bool, cage: ImageCage, tmp_path: Path
) -> None:
    found = await look(cage, tmp_path, saved(flyer(bands), "JPEG", quality=85), "image/jpeg")
    assert (found.busy_top >= 0.45, found.busy_bottom >= 0.45) == (top, bottom)


async def test_a_headline_in_the_sky_of_a_rich_photo_is_seen(cage: ImageCage, tmp_path: Path) -> None:
    rich = Image.effect_noise((135, 240), 80).resize(SCREEN, Image.Resampling.BICUBIC).convert("RGB")
    rich.paste((120, 160, 230), (0, 0, 1080, 600))
    assert (await look(cage, tmp_path, saved(rich, "JPEG"), "image/jpeg")).busy_top == 0
    found = await look(cage, tmp_path, saved(flyer([(40, 120)], ground=rich), "JPEG"), "image/jpeg")
    assert found.busy_top >= 0.45


async def test_sixteen_bits_and_tiny_pictures(cage: ImageCage, tmp_path: Path) -> None:
    deep = Image.linear_gradient("L").resize((300, 400)).point(lambda v: v * 257, "I").convert("I;16")
    assert (await look(cage, tmp_path, saved(deep))).busy_top == 0
    assert (await look(cage, tmp_path, image("PNG", (1, 1)))).busy_bottom == 0


async def test_the_cage_holds_for_a_glance_too(cage: ImageCage, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    for data, limits in ((image("PNG")[:60], ImageLimits()), (image("PNG"), ImageLimits(pixels=100))):
        path.write_bytes(data)
        assert isinstance(await cage.look(path, "image/png", limits=limits), ImageBroken)
    path.write_bytes(image("PNG"))
    assert isinstance(await cage.look(path, "image/png"), ImageLook)
