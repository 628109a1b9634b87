"""The caged worker that decodes images: ``python -I -B -m mmsgate.media.worker``.

Reads one job a line from standard input, answers each with one line; both are JSON objects. The line of a picture
that was made smaller is followed by its bytes. It is started by `cage` and ends when its input ends. Pillow is
imported here (and in `fitting`, `canvas`, `animation` and `look`, which only the worker uses) and in no other
process of the gateway.

Before anything is decoded the dimensions and the number of frames are read and held against the limits (R-30).
"""

import json
import os
import resource
import sys
import warnings
from typing import Any

MEMORY = 1 << 30  # bytes of address space; a 50 MP progressive JPEG, the worst allowed, was measured at 0.32 GB
CPU_SECONDS = 20  # for each job
OPEN_FILES = 64
NICENESS = 10  # pictures wait for the gateway, not the gateway for pictures

#: How each type is decoded: the format Pillow is told to expect, so that no other decoder can be reached.
_FORMATS = {
    "image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/avif": "AVIF",
    "image/heic": "HEIF",
}  # fmt: skip
#: Pillow finds as many frames as there are pictures in the file: a burst, of which only the first is used.
_ALBUMS = frozenset({"image/heic"})


class _NoDecoderError(Exception):
    """This machine has no decoder for the type."""


def main() -> None:
    _cage()
    from PIL import Image, WebPImagePlugin  # noqa: F401  # WebP is not among those that preinit() loads

    Image.MAX_IMAGE_PIXELS = None  # the limits of the job count, not Pillow's
    warnings.simplefilter("ignore")
    Image.preinit()
    _say({"ready": True})
    for line in sys.stdin:
        _renew_limits()
        job = json.loads(line)
        _say(*answer(job))


def _cage() -> None:
    """No large memory, no files written, few files open, no core dumps; after everybody else.

    The group is its own, as Ctrl-C is not meant for it; a session of its own would not do, as Linux shares the CPU
    between sessions whatever their niceness.
    """
    os.setpgid(0, 0)
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _renew_limits() -> None:
    """Those that a job moves: CPU time, which counts from the process's start and kills, and threads."""
    _allow_threads(False)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + CPU_SECONDS, hard))


def _allow_threads(allowed: bool) -> None:
    """The limit counts all that its user runs, so it is none or as many as that user may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (hard if allowed else 0, hard))


def _say(answer: dict[str, Any], data: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def answer(job: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The answer to a job, and the bytes that follow it."""
    try:
        with _opened(job["path"], job["mime"]) as image:
            if (excess := _excess(image, job)) is not None:
                return {"too_large": excess}, b""
            if job["task"] == "fit":
                return _fit(image, job["budget"], frozenset(job["types"]))
            if job["task"] == "look":
                return _look(image), b""
            return _inspect(image, job), b""
    except _NoDecoderError as error:
        return {"undecodable": str(error)}, b""
    except MemoryError:
        return {"broken": "decoding it needs more memory than is allowed"}, b""
    except Exception as error:  # noqa: BLE001 (decoders raise anything, and nothing may leave the cage)
        return {"broken": f"{type(error).__name__}: {error}"[:200]}, b""


def _opened(path: str, mime: str) -> Any:
    """The file with its header read. Decoders that most jobs don't need are loaded with the first that does."""
    from PIL import Image, JpegImagePlugin

    if (
        mime == "image/jpeg"
    ):  # by name: `open` makes an album of one that holds a second picture (a depth or gain map)
        return JpegImagePlugin.JpegImageFile(path)
    if mime == "image/heic":
        try:
            from pi_heif import register_heif_opener  # type: ignore[import-untyped]  # it has no types
        except ImportError:
            raise _NoDecoderError("no decoder for HEIC is installed") from None
        _allow_threads(True)  # libde265 decodes in one of its own, whatever it is told
        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    if mime == "image/avif":
        from PIL import AvifImagePlugin

        if not AvifImagePlugin.SUPPORTED:
            raise _NoDecoderError("no decoder for AVIF is installed")
        AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    return Image.open(path, formats=[_FORMATS[mime]])


def _excess(image: Any, job: dict[str, Any]) -> dict[str, int] | None:
    """The figures of an image that is larger than allowed, as its header has them; it is not decoded."""
    facts = {"width": image.width, "height": image.height, "frames": 0}
    if image.width * image.height > job["max_pixels"]:
        return facts
    facts["frames"] = getattr(image, "n_frames", 1)
    return facts if facts["frames"] > job["max_frames"] else None


def _fit(image: Any, budget: int | None, types: frozenset[str]) -> tuple[dict[str, Any], bytes]:
    from mmsgate.media.fitting import fit

    fitted = fit(image, budget, types)
    if fitted is None:
        return {"misfit": True}, b""
    facts = {
        "mime": fitted.mime, "width": fitted.width, "height": fitted.height, "how": fitted.how,
        "encodes": fitted.encodes, "size": len(fitted.data),
    }  # fmt: skip
    return {"fitted": facts}, fitted.data


def _look(image: Any) -> dict[str, Any]:
    from mmsgate.media.look import look

    return {"look": look(image)}


def _inspect(image: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Decodes all of it that will ever be used."""
    width, height = image.size
    facts = {"width": width, "height": height, "format": _FORMATS[job["mime"]], "frames": 1, "transparent": False}
    if job["mime"] == "image/jpeg":
        image.draft(None, (width // 8, height // 8))  # all of the data is read, an eighth is calculated
        image.load()
        return {"checked": facts}
    facts["transparent"] = image.has_transparency_data
    facts["frames"] = getattr(image, "n_frames", 1)
    for frame in range(1 if job["mime"] in _ALBUMS else facts["frames"]):
        if job["mime"] not in _ALBUMS:
            image.seek(frame)
        if image.width * image.height > job["max_pixels"]:  # a later frame may widen the canvas
            return {"too_large": {"width": image.width, "height": image.height, "frames": frame + 1}}
        image.load()
    facts["width"], facts["height"] = image.size  # of a HEIC its header may have been wrong
    return {"checked": facts}


if __name__ == "__main__":
    main()
