"""A glance at a picture, for advice: for the caged worker, the only process that imports Pillow."""

from typing import Any

#: Large enough to see letters in, small enough to be cheap.
_GLANCE = (480, 854)
#: The bands that phones cut off of a picture as tall as their screen, as parts of its height (best practices 4).
_TOP, _BOTTOM = 219 / 1920, 150 / 1920
_LEAST_SIDE = 24  # pixels; below that there are no bands to speak of
_STRONGEST = 0.02  # of a band's pixels: as many as a line of small letters has
_NOTHING = 40.0  # of 255: such edges compression alone leaves
_USUAL_FRAME = 100  # ms, as browsers read a frame without a duration
_MOVING = frozenset({"GIF", "PNG", "WEBP", "AVIF"})
_TURNED = range(5, 9)  # EXIF orientations that swap width and height


def look(image: Any) -> dict[str, Any]:
    """The facts of `ImageLook` about an opened Pillow image whose size and frames have been checked."""
    from PIL import ImageOps

    width, height = image.size
    if image.getexif().get(0x0112) in _TURNED:
        width, height = height, width
    frames, rate = _movement(image)
    image.draft("RGB", _GLANCE)  # a large JPEG is decoded at a fraction of its size; others ignore it
    upright = ImageOps.exif_transpose(image)
    grey, transparent = _on_white(upright)
    top, bottom = _busy_ends(grey)
    return {
        "width": width, "height": height, "transparent": transparent, "frames": frames, "rate": rate,
        "busy_top": top, "busy_bottom": bottom,
    }  # fmt: skip


def _movement(image: Any) -> tuple[int, float]:
    """Frames, and how many of them a second; leaves the image at its first."""
    frames = int(getattr(image, "n_frames", 1)) if image.format in _MOVING else 1
    if frames == 1:
        return 1, 0.0
    length = 0.0
    for number in range(frames):
        image.seek(number)
        image.load()  # only then a WebP knows its frame's duration
        length += float(image.info.get("duration", 0)) or _USUAL_FRAME
    image.seek(0)
    return frames, round(frames * 1000 / length, 2)


def _on_white(image: Any) -> tuple[Any, bool]:
    """The picture in grey, white where it is transparent; and whether it is anywhere."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits: convert() would cut them off instead of scaling
        return image.point(lambda value: value / 256).convert("L"), False
    if not image.has_transparency_data:
        return image.convert("L"), False
    seen = image.convert("RGBA")
    seen.thumbnail(_GLANCE, reducing_gap=2.0)
    alpha = seen.getchannel("A")
    paper = Image.new("L", seen.size, 255)
    paper.paste(seen.convert("L"), mask=alpha)
    return paper, alpha.getextrema()[0] < 255


def _busy_ends(grey: Any) -> tuple[float, float]:
    """How much detail the bands at the top and the bottom have, beside the rest."""
    from PIL import ImageFilter

    grey.thumbnail(_GLANCE, reducing_gap=2.0)
    if min(grey.size) < _LEAST_SIDE:
        return 0.0, 0.0
    edges = grey.filter(ImageFilter.FIND_EDGES)
    edges = edges.crop((1, 1, grey.width - 1, grey.height - 1))  # the filter leaves the rim as it is
    top, bottom = round(edges.height * _TOP), edges.height - round(edges.height * _BOTTOM)
    rest = _detail(edges, top, bottom)
    return _share(_detail(edges, 0, top), rest), _share(_detail(edges, bottom, edges.height), rest)


def _detail(edges: Any, start: int, end: int) -> float:
    """The mean of the strongest edges in some rows. Letters and faces have such, skies and grain have not."""
    counts: list[int] = edges.crop((0, start, edges.width, end)).histogram()
    left = most = max(1, round(sum(counts) * _STRONGEST))
    total = 0
    for value in range(255, -1, -1):
        taken = min(left, counts[value])
        total, left = total + taken * value, left - taken
    return total / most


def _share(band: float, rest: float) -> float:
    return 0.0 if band < _NOTHING else round(band / (band + rest), 3)
