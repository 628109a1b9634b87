"""Real pictures through the caged worker: what comes out is decoded again, measured and looked at."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from mmsgate.media.animation import _Film, _Step, fit_animation
from mmsgate.media.cage import PHONE_TYPES, FitOutcome, ImageCage, ImageFitted, ImageMisfit
from mmsgate.media.fitted import inside
from mmsgate.media.fitting import BOXES
from tests.integration.media.pictures import CORNERS, DATA, film, moving, noise, saved, scene, screenshot
from tests.integration.media.profiles import ADOBE_RGB, DISPLAY_P3, Triple, as_srgb, print_profile, rgb_profile

ALL_TYPES = PHONE_TYPES | {"image/png"}
Colour = tuple[int, ...]


class Bench:
    """Fits pictures in the cage, and opens what comes out."""

    def __init__(self, cage: ImageCage, folder: Path) -> None:
        self._cage, self._path = cage, folder / "source"

    async def outcome(
        self, data: bytes, mime: str, budget: int | None, types: frozenset[str] = PHONE_TYPES
    ) -> FitOutcome:
        self._path.write_bytes(data)
        return await self._cage.fit(self._path, mime, budget=budget, types=types)

    async def fit(
        self, data: bytes, mime: str, budget: int | None, types: frozenset[str] = PHONE_TYPES
    ) -> tuple[ImageFitted, Image.Image]:
        fitted = await self.outcome(data, mime, budget, types)
        assert isinstance(fitted, ImageFitted), fitted
        assert budget is None or len(fitted.data) <= budget
        assert 1 <= fitted.encodes <= 4
        picture = Image.open(io.BytesIO(fitted.data))
        assert picture.size == (fitted.width, fitted.height)
        assert f"{fitted.width}×{fitted.height}" in fitted.how
        if fitted.mime == "image/jpeg":
            assert (picture.format, picture.mode) == ("JPEG", "RGB")
            assert not {"exif", "icc_profile", "progressive"} & set(picture.info)
        return fitted, picture


@pytest.fixture
def bench(cage: ImageCage, tmp_path: Path) -> Bench:
    return Bench(cage, tmp_path)


def colour_at(picture: Image.Image, across: float, down: float) -> Colour:
    """The mean of a few pixels around that place."""
    x, y = round(across * picture.width), round(down * picture.height)
    return tuple(
        round(mean)
        for mean in ImageStat.Stat(picture.convert("RGB").crop((x - 3, max(0, y - 3), x + 3, y + 3))).mean
    )


def corners(picture: Image.Image) -> list[Colour]:
    return [colour_at(picture, across, down) for down in (0.06, 0.94) for across in (0.06, 0.94)]


def close(found: Colour, wanted: Colour, tolerance: int = 12) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(found, wanted, strict=True))


def means(picture: Image.Image) -> Colour:
    return tuple(round(mean) for mean in ImageStat.Stat(picture.convert("RGB")).mean)


def looks_like(picture: Image.Image, original: Image.Image) -> bool:
    upright = all(close(found, wanted) for found, wanted in zip(corners(picture), CORNERS, strict=True))
    return upright and close(means(picture), means(original), 4)


#: How a camera that was held that way lays the upright picture down.
LAID = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip


def photo(size: tuple[int, int], orientation: int = 1, quality: int = 88) -> bytes:
    picture = scene(size)
    how = LAID[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture.transpose(how) if how is not None else picture, "JPEG", quality=quality, exif=exif)


@pytest.mark.parametrize("budget", [600_000, 150_000, 30_000])
async def test_a_12_megapixel_photo_stands_upright_and_fills_its_budget_in_one_or_two_encodes(
    bench: Bench, budget: int
) -> None:
    data = photo((3000, 4000), orientation=6)
    fitted, picture = await bench.fit(data, "image/jpeg", budget)
    assert looks_like(picture, scene((300, 400)))
    assert fitted.encodes <= 2
    assert len(fitted.data) > budget * 0.75 or "quality 88, 1080×1440" in fitted.how
    assert fitted.width * 4 == pytest.approx(fitted.height * 3, abs=4)


@pytest.mark.parametrize("budget", [80_000, 40_000, 15_000])
async def test_the_box_is_the_largest_in_which_the_least_quality_fits(bench: Bench, budget: int) -> None:
    original = scene((3000, 4000))
    fitted, _ = await bench.fit(saved(original, "JPEG", quality=92), "image/jpeg", budget)
    larger = [inside(original.size, box) for box in BOXES]
    larger = larger[: larger.index((fitted.width, fitted.height))]
    assert larger
    for size in larger:
        least = saved(original.resize(size, Image.Resampling.LANCZOS), "JPEG", quality=60, optimize=True)
        assert len(least) > budget * 0.95


async def test_grain_that_vanishes_when_scaled_does_not_cost_a_photo_its_large_box(bench: Bench) -> None:
    data = saved(noise((3000, 4000), 3), "JPEG", quality=80)
    assert len(data) > 7_000_000  # which makes 400,000 seem out of reach
    fitted, _ = await bench.fit(data, "image/jpeg", 400_000)
    assert (fitted.width, fitted.height) == (1080, 1440)


@pytest.mark.parametrize("orientation", LAID)
async def test_every_orientation_stands_upright(bench: Bench, orientation: int) -> None:
    data = photo((600, 800), orientation)
    _, picture = await bench.fit(data, "image/jpeg", len(data) // 2)
    assert picture.width < picture.height
    assert looks_like(picture, scene((600, 800)))


async def test_a_photo_with_a_second_picture_inside_is_one_photo(bench: Bench) -> None:
    """Phones put depth and gain maps behind the photo (CIPA DC-007): it is neither an album nor an animation."""
    first, second = Image.open(io.BytesIO(photo((2000, 1500)))), Image.new("L", (500, 375))
    whole = saved(first, "MPO", save_all=True, append_images=[second], quality=90)
    assert Image.open(io.BytesIO(whole)).format == "MPO"
    fitted, _ = await bench.fit(whole, "image/jpeg", 200_000)
    assert "of 2" not in fitted.how


async def test_a_24_megapixel_photo_gets_the_large_box_lying_down(bench: Bench) -> None:
    fitted, picture = await bench.fit(photo((6000, 4000)), "image/jpeg", 400_000)
    assert picture.size == (1620, 1080)
    assert looks_like(picture, scene((600, 400)))
    assert fitted.how.startswith("quality ")


@pytest.mark.parametrize(("name", "primaries"), [("Display P3", DISPLAY_P3), ("Adobe RGB (1998)", ADOBE_RGB)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF"])
async def test_a_wide_profile_keeps_its_look(
    bench: Bench, kind: str, name: str, primaries: tuple[Triple, Triple, Triple]
) -> None:
    colour = (180, 110, 70)
    picture = Image.new("RGB", (300, 200), colour)
    data = saved(picture, kind, icc_profile=rgb_profile(name, primaries))
    _, fitted = await bench.fit(data, f"image/{kind.lower()}", 20_000)
    wanted = as_srgb(colour, primaries)
    assert not close(wanted, colour, 6)
    assert close(means(fitted), wanted, 4)


async def test_a_broken_profile_is_left_aside(bench: Bench) -> None:
    picture = Image.new("RGB", (300, 200), (180, 110, 70))
    good = rgb_profile("Display P3", DISPLAY_P3)
    for profile in (b"profile" * 100, good[:200], print_profile((55, -37, -50))):
        _, fitted = await bench.fit(saved(picture, "JPEG", icc_profile=profile), "image/jpeg", 20_000)
        assert close(means(fitted), (180, 110, 70), 4)


async def test_a_cmyk_jpeg_is_no_negative(bench: Bench) -> None:
    data = saved(scene((1600, 1200)).convert("CMYK"), "JPEG", quality=90)
    assert b"Adobe" in data[:200]  # stored inverted, as Photoshop does
    _, picture = await bench.fit(data, "image/jpeg", 150_000)
    assert looks_like(picture, scene((400, 300)))


async def test_a_cmyk_jpeg_with_a_profile_has_the_printers_colours(bench: Bench) -> None:
    data = saved(Image.new("CMYK", (300, 200), (255, 0, 0, 0)), "JPEG", icc_profile=print_profile((55, -37, -50)))
    _, picture = await bench.fit(data, "image/jpeg", 20_000)
    red, green, blue = means(picture)
    assert (red < 40, 125 < green < 160, 200 < blue < 245) == (True, True, True)  # not (0, 255, 255)


async def test_16_bits_are_scaled_and_what_is_transparent_is_on_white(bench: Bench) -> None:
    grey = (
        Image.linear_gradient("L").resize((400, 400)).convert("I").point(lambda value: value * 257).convert("I;16")
    )
    fitted, picture = await bench.fit(saved(grey, "PNG", transparency=0), "image/png", 9_000)
    middle = colour_at(picture, 0.5, 0.5)
    assert close(middle, (127, 127, 127), 4)
    assert close(colour_at(picture, 0.5, 0.9), (229, 229, 229), 4)
    assert min(colour_at(picture, 0.5, 0.0)) > 150  # the row of the grey that is transparent, and its neighbours
    assert "transparency on white" in fitted.how


async def test_half_transparent_colours_are_mixed_with_white(bench: Bench) -> None:
    picture = scene((800, 600)).convert("RGBA")
    picture.putalpha(128)
    _, fitted = await bench.fit(saved(picture, "PNG"), "image/png", 60_000)
    wanted = tuple((channel + 255) // 2 for channel in CORNERS[0])
    assert close(corners(fitted)[0], wanted)


async def test_an_alpha_channel_without_a_transparent_pixel_is_no_change(bench: Bench) -> None:
    fitted, _ = await bench.fit(saved(scene((800, 600)).convert("RGBA"), "PNG"), "image/png", 60_000)
    assert "transparency" not in fitted.how


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
async def test_modern_pictures_become_jpegs(bench: Bench, kind: str) -> None:
    data = saved(scene((900, 1200)), kind, quality=80)
    _, picture = await bench.fit(data, f"image/{kind.lower()}", 80_000)
    assert looks_like(picture, scene((900, 1200)))


@pytest.mark.parametrize("name", ["corners.heic", "turned.heic"])
async def test_a_heic_becomes_a_jpeg_that_is_turned_once(bench: Bench, name: str) -> None:
    fitted, picture = await bench.fit((DATA / name).read_bytes(), "image/heic", 20_000)
    assert picture.size == (240, 320)
    quarters = [colour_at(picture, across, down) for down in (0.2, 0.8) for across in (0.2, 0.8)]
    for found, wanted in zip(quarters, ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)), strict=True):
        assert close(found, wanted)
    assert fitted.how == "quality 88, 240×320"


async def test_of_a_burst_one_picture_is_shown_and_the_words_say_so(bench: Bench) -> None:
    fitted, _ = await bench.fit((DATA / "burst.heic").read_bytes(), "image/heic", 20_000)
    assert (fitted.mime, fitted.how) == ("image/jpeg", "quality 88, 64×64, one of 3 pictures")


async def test_a_screenshot_stays_sharp_where_png_is_taken(bench: Bench) -> None:
    picture = screenshot()
    data = saved(picture.convert("RGBA"), "PNG", compress_level=1)
    fitted, small = await bench.fit(data, "image/png", len(data) // 2, ALL_TYPES)
    assert (fitted.mime, small.size) == ("image/png", picture.size)
    assert small.convert("RGB").tobytes() == picture.tobytes()
    assert fitted.how == "its own colours in a palette, 1170×2532"
    as_jpeg, _ = await bench.fit(data, "image/png", len(data) // 2)
    assert as_jpeg.mime == "image/jpeg"


async def test_a_drawing_of_many_colours_gets_a_palette_only_if_nobody_sees_it(bench: Bench) -> None:
    drawing = screenshot()
    drawing.paste(Image.linear_gradient("L").resize((900, 300)), (100, 100))
    soft = drawing.resize((1300, 2813), Image.Resampling.BICUBIC)
    data = saved(soft, "PNG", compress_level=1)
    fitted, _ = await bench.fit(data, "image/png", 600_000, ALL_TYPES)
    assert (fitted.mime, fitted.how) == ("image/png", "palette of 256 colours, 887×1920")
    photograph = saved(scene((900, 1200)), "PNG")
    fitted, _ = await bench.fit(photograph, "image/png", 400_000, ALL_TYPES)
    assert fitted.mime == "image/jpeg"


@pytest.mark.parametrize("mime", ["image/png", "image/gif"])
async def test_phones_that_take_no_jpeg_get_what_they_take(bench: Bench, mime: str) -> None:
    data = saved(scene((900, 1200)), "JPEG", quality=85)
    fitted, picture = await bench.fit(data, "image/jpeg", 150_000, frozenset({mime}))
    assert fitted.mime == mime
    assert close(corners(picture)[2], CORNERS[2], 30)
    assert isinstance(await bench.outcome(data, "image/jpeg", 150_000, frozenset({"audio/amr"})), ImageMisfit)


@pytest.mark.parametrize(("size", "shown"), [((900, 1200), (900, 1200)), ((6000, 4000), (4096, 2731))])
async def test_for_a_web_page_a_picture_keeps_its_size(
    bench: Bench, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    fitted, picture = await bench.fit(saved(scene(size), "JPEG", quality=60), "image/jpeg", None)
    assert picture.size == shown
    assert fitted.how == f"quality 90, {shown[0]}×{shown[1]}"
    assert looks_like(picture, scene((size[0] // 4, size[1] // 4)))


async def test_what_no_version_fits_is_a_misfit(bench: Bench) -> None:
    data = saved(noise((1200, 1600), 5), "JPEG", quality=80)
    assert isinstance(await bench.outcome(data, "image/jpeg", 3_000), ImageMisfit)


def shown(data: bytes) -> tuple[list[Image.Image], list[int]]:
    """The frames of an animation as a phone shows them, and for how long."""
    picture = Image.open(io.BytesIO(data))
    frames, durations = [], []
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        frames.append(picture.convert("RGB"))
        durations.append(int(picture.info["duration"]))
    return frames, durations


def disc(frame: Image.Image) -> float:
    """Where the disc is, as a share of the width: the middle of what is no ground."""
    ground = frame.getpixel((2, 2))
    flat = Image.new("RGB", frame.size, ground)
    box = ImageChops.difference(frame, flat).convert("L").point(lambda value: 255 if value > 60 else 0).getbbox()
    assert box is not None
    return (box[0] + box[2]) / 2 / frame.width


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
async def test_what_moves_moves_on_as_a_gif(bench: Bench, kind: str) -> None:
    options = {} if kind == "AVIF" else {"loop": 0}
    data = moving(kind, film(20, (320, 240)), duration=80, **options)
    fitted, picture = await bench.fit(data, f"image/{kind.lower()}", 100_000)
    frames, durations = shown(fitted.data)
    assert (fitted.mime, picture.info["loop"], sum(durations)) == ("image/gif", 0, 1600)
    places = [disc(frame) for frame in frames]
    assert len(frames) > 4
    assert places == sorted(places)
    assert places[0] < 0.3
    assert places[-1] > 0.55
    assert f"{len(frames)} of 20 frames" in fitted.how


async def test_times_loops_and_disposal_of_a_transparent_gif_are_kept_right(bench: Bench) -> None:
    times = [40 + 30 * number for number in range(12)]
    data = moving("GIF", film(12, (320, 240), clear=True), duration=times, loop=3, disposal=2)
    fitted, picture = await bench.fit(data, "image/gif", len(data) // 2)
    frames, durations = shown(fitted.data)
    assert (picture.info["loop"], sum(durations)) == (3, sum(times))
    assert durations[-1] >= times[-1]
    for frame in frames:  # on white, and nothing of an earlier frame is left standing
        assert min(colour_at(frame, 0.5, 0.05)) > 245
    assert disc(frames[-1]) > 0.55
    assert min(colour_at(frames[-1], 0.15, 0.5)) > 245
    assert "transparency on white" in fitted.how


async def test_a_gif_that_is_shown_once_is_shown_once(bench: Bench) -> None:
    data = moving("GIF", film(12, (320, 240)), duration=80)
    _, picture = await bench.fit(data, "image/gif", len(data) // 2)
    assert "loop" not in picture.info


async def test_a_5_megabyte_gif_of_300_frames_fits_and_moves(bench: Bench) -> None:
    wide = scene((820, 240))
    wide = wide.quantize(128)
    window = [wide.crop((number * 5 // 3, 0, number * 5 // 3 + 320, 240)) for number in range(300)]
    data = moving("GIF", window, duration=40, loop=0)
    assert len(data) > 3_000_000
    fitted, _ = await bench.fit(data, "image/gif", 600_000)
    frames, durations = shown(fitted.data)
    assert fitted.mime == "image/gif"
    assert abs(sum(durations) - 300 * 40) < 40
    assert len(frames) * 1000 / sum(durations) >= 2
    assert len(fitted.data) > 200_000


async def test_an_animation_is_a_still_only_when_nothing_else_fits(bench: Bench) -> None:
    frames = [scene((320, 240), seed).quantize(64, method=Image.Quantize.FASTOCTREE) for seed in range(60)]
    data = moving("GIF", frames, duration=100, loop=0)
    fitted, _ = await bench.fit(data, "image/gif", 15_000)
    assert fitted.mime == "image/jpeg"
    assert "the first of 60 frames" in fitted.how
    fitted, _ = await bench.fit(data, "image/gif", 200_000, frozenset({"image/jpeg"}))
    assert fitted.mime == "image/jpeg"


@pytest.mark.parametrize(("colours", "shared"), [(16, False), (64, True)])
def test_frames_share_a_palette_or_have_their_own_by_what_takes_fewer_bytes(colours: int, shared: bool) -> None:
    wide = scene((640, 240)).quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    data = moving("GIF", [wide.crop((number, 0, number + 320, 240)) for number in range(20)], duration=40)
    sizes = {}
    for kind in (True, False):
        film = _Film(Image.open(io.BytesIO(data)))
        film.forecast()
        assert film._shared is shared
        film._shared = kind
        sizes[kind] = len(film.encoded(_Step(0.5, 128, 50)))
    assert (sizes[True] <= sizes[False]) is shared


def test_an_animation_that_would_take_too_long_is_not_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = moving("GIF", film(20, (320, 240)), duration=80)
    monkeypatch.setattr("mmsgate.media.animation._MOST_DECODED", 20 * 320 * 240 * 2 - 1)
    assert fit_animation(Image.open(io.BytesIO(data)), 100_000) is None
    monkeypatch.setattr("mmsgate.media.animation._MOST_DECODED", 20 * 320 * 240 * 2)
    assert fit_animation(Image.open(io.BytesIO(data)), 100_000) is not None
