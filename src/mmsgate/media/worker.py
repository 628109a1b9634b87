"""The caged worker that decodes images: ``python -I -B -m mmsgate.media.worker``.

Reads one job a line from standard input, answers each with one line; both are JSON objects. The line of a picture
that was made smaller is followed by its bytes. It is started by `cage` and ends when its input ends. Pillow is
imported here (and in `fitting`) and in no other process of the gateway.

Before anything is decoded the dimensions are read from the header and held against the limits (R-30).
"""

import json
import resource
import sys
import warnings
from typing import Any

MEMORY = 1 << 30  # bytes of address space; a 50 MP progressive JPEG, the worst allowed, was measured at 0.32 GB
CPU_SECONDS = 20  # for each job

#: How each type is decoded: the format Pillow is told to expect, so that no other decoder can be reached.
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


def main() -> None:
    _cage()
    from PIL import Image, WebPImagePlugin  # noqa: F401  # WebP is not among those that preinit() loads

    Image.MAX_IMAGE_PIXELS = None  # the limits of the job count, not Pillow's
    warnings.simplefilter("ignore")
    Image.preinit()
    _say({"ready": True})
    for line in sys.stdin:
        _renew_cpu()
        answer, data = _answer(json.loads(line))
        _say(answer, data)


def _cage() -> None:
    """No large memory, no files written, few files open, no core dumps, no children."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _renew_cpu() -> None:
    """The soft limit counts from the process's start, so it moves on with each job; passing it kills."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


def _say(answer: dict[str, Any], data: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _answer(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    try:
        if "budget" in job:
            return _fit(job["path"], job["mime"], job["max_pixels"], job["max_frames"], job["budget"])
        return _inspect(job["path"], job["mime"], job["max_pixels"], job["max_frames"]), b""
    except MemoryError:
        return {"broken": "decoding it needs more memory than is allowed"}, b""
    except Exception as error:  # noqa: BLE001 (decoders raise anything, and nothing may leave the cage)
        return {"broken": f"{type(error).__name__}: {error}"[:200]}, b""


def _fit(path: str, mime: str, max_pixels: int, max_frames: int, budget: int) -> tuple[dict[str, Any], bytes]:
    """The picture in at most `budget` bytes. It has been checked before, but the limits hold all the same."""
    from PIL import Image

    from mmsgate.media.fitting import fit

    with Image.open(path, formats=[_FORMATS[mime]]) as image:
        if image.width * image.height > max_pixels or getattr(image, "n_frames", 1) > max_frames:
            return {"broken": "it has more pixels or frames than are allowed"}, b""
        fitted = fit(image, budget)
    if fitted is None:
        return {"misfit": True}, b""
    facts = {
        "mime": fitted.mime, "width": fitted.width, "height": fitted.height, "how": fitted.how,
        "encodes": fitted.encodes, "size": len(fitted.data),
    }  # fmt: skip
    return {"fitted": facts}, fitted.data


def _inspect(path: str, mime: str, max_pixels: int, max_frames: int) -> dict[str, Any]:
    from PIL import Image

    with Image.open(path, formats=[_FORMATS[mime]]) as image:
        width, height = image.size
        facts = {"width": width, "height": height, "format": _FORMATS[mime]}
        if width * height > max_pixels:
            return {"too_large": facts | {"frames": 0}}
        if mime == "image/jpeg":
            image.draft(None, (width // 8, height // 8))  # all of the data is read, an eighth is calculated
            image.load()
            return {"checked": facts | {"frames": 1, "transparent": False}}
        transparent = image.has_transparency_data
        frames = 0
        while frames <= max_frames and _show(image, frames):
            frames += 1
            if image.width * image.height > max_pixels:  # a later frame may widen the canvas
                return {"too_large": facts | {"frames": frames}}
        facts["frames"] = frames
        return {"too_large": facts} if frames > max_frames else {"checked": facts | {"transparent": transparent}}


def _show(image: Any, frame: int) -> bool:
    """Decodes a frame; False behind the last one."""
    try:
        image.seek(frame)
    except EOFError:
        return False
    image.load()
    return True


if __name__ == "__main__":
    main()
