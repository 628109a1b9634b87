"""A decoded picture, from which smaller versions are cut: upright, in sRGB, on white. For the caged worker only.

Decoded once, and a photograph only as large as is needed. All that changes colours is done on the small version.
"""

import io
from typing import Any

from mmsgate.media.fitted import Size, area, inside

_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_STRIP = 16  # rows: what JPEG encodes at once
_STRIPS = 6
_STEPS_16 = 65536


class Canvas:
    """The first frame of an opened Pillow image, to be shown at most `box` large.

    `size` is that of the upright picture before any scaling; `changes` says in words what is done to all versions.
    """

    def __init__(self, image: Any, box: Size) -> None:
        turn = image.getexif().get(_ORIENTATION, 1)
        self._turn = turn if turn in range(2, 9) else 1
        self.size: Size = image.size[::-1] if self._turn in _SIDEWAYS else image.size
        if image.format == "JPEG":
            image.draft(None, self._lying(inside(self.size, box)))  # decoded at a fraction of its size
        image.load()
        #: A photograph may be halved on its way as its decoder does it too; thin lines of a drawing want better.
        self._gap = 1.1 if image.format == "JPEG" else 2.0
        self._profile = _foreign_profile(image)
        self._raw = _without_palette(image)
        self.changes = ("transparency on white",) if self._raw.mode == "RGBA" else ()

    def version(self, size: Size) -> Any:
        """The picture in that size, in RGB and without metadata."""
        small = self._scaled(self._lying(size))
        return _turned(self._finished(small), self._turn)

    def sample(self, size: Size) -> tuple[Any, float]:
        """Some strips of the picture in that size, and what share of its rows they are. Not turned upright."""
        width, height = self._lying(size)
        strips = min(_STRIPS, height // (2 * _STRIP))
        if strips < 1:
            return self._finished(self._scaled((width, height))), 1.0
        from PIL import Image

        scale = self._raw.height / height
        montage = Image.new(self._raw.mode, (width, strips * _STRIP))
        for number in range(strips):
            top = (2 * number + 1) * height // (2 * strips) - _STRIP // 2
            window = (0, top * scale, self._raw.width, (top + _STRIP) * scale)
            montage.paste(self._scaled((width, _STRIP), window), (0, number * _STRIP))
        return self._finished(montage), strips * _STRIP / height

    def _lying(self, size: Size) -> Size:
        """The size of an upright version as the pixels lie in the file."""
        return size[::-1] if self._turn in _SIDEWAYS else size

    def _scaled(self, size: Size, window: tuple[float, float, float, float] | None = None) -> Any:
        from PIL import Image

        if window is None and size == self._raw.size:
            return self._raw
        return self._raw.resize(size, Image.Resampling.LANCZOS, box=window, reducing_gap=self._gap)

    def _finished(self, picture: Any) -> Any:
        from PIL import Image

        alpha: Any = picture.getchannel("A") if picture.mode == "RGBA" else None
        colours = _in_srgb(picture.convert("RGB") if alpha is not None else picture, self._profile)
        if alpha is None:
            return colours
        paper = Image.new("RGB", picture.size, "white")
        paper.paste(colours, mask=alpha)
        return paper


def _foreign_profile(image: Any) -> Any:
    """The picture's colour profile, as ImageCms has it; None if it has none, a broken one, or sRGB."""
    data = image.info.get("icc_profile")
    if not data:
        return None
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        name = ImageCms.getProfileDescription(profile)
    except (OSError, ImageCms.PyCMSError):
        return None
    return None if name.startswith("sRGB") else profile


#: The colour space of a profile, and the mode of the pictures that it can describe.
_SPACES = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}


def _in_srgb(picture: Any, profile: Any) -> Any:
    """The picture in RGB as screens expect it: colours keep their look when the profile is gone."""
    if profile is None or _SPACES.get(profile.profile.xcolor_space) != picture.mode:
        return picture.convert("RGB")
    from PIL import ImageCms

    try:
        return ImageCms.profileToProfile(picture, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:  # a profile that can be read and not used
        return picture.convert("RGB")


def _without_palette(image: Any) -> Any:
    """In a mode that can be scaled: L, RGB, CMYK, or RGBA where something is transparent."""
    if image.mode.startswith("I"):
        return _from_16_bits(image)
    if image.has_transparency_data:
        return _opaque_or_not(image.convert("RGBA"))
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode in ("1", "LA") else "RGB")


def _opaque_or_not(picture: Any) -> Any:
    lowest, _ = picture.getchannel("A").getextrema()
    return picture if lowest < 255 else picture.convert("RGB")


def _from_16_bits(image: Any) -> Any:
    """Grey of 16 bits, scaled: convert() would cut it off. One of its greys may be the transparent one."""
    from PIL import Image

    wide = image.convert("I")
    grey = wide.point([value * 255 // (_STEPS_16 - 1) for value in range(_STEPS_16)], "L")
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    mask = wide.point([0 if value == clear else 255 for value in range(_STEPS_16)], "L")
    return Image.merge("RGBA", (grey, grey, grey, mask))


def _turned(picture: Any, orientation: int) -> Any:
    """As the EXIF orientation wants it (EXIF 2.32, 4.6.4)."""
    from PIL.Image import Transpose

    how = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    return picture.transpose(how[orientation]) if orientation in how else picture


def few_colours(picture: Any, most: int) -> bool:
    """Whether an RGB picture has at most so many colours."""
    return picture.getcolors(min(most, area(picture.size))) is not None
