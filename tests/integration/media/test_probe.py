"""Headers are read and held against the limits; nothing outside the file is opened (issue 3: bad input)."""

import asyncio
import os
import socket
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mmsgate.media.ffmpeg import MIMES, FfmpegCage
from mmsgate.media.playable import AvWanted
from mmsgate.media.probe import AvBroken, AvFacts, probe
from mmsgate.media.transcoder import AvOutcome, Transcoder
from tests.integration.media.footage import Footage, with_external_data


class Traps:
    """What a file may try to reach: a port, and a pipe that nobody writes to, on which whoever opens it hangs."""

    def __init__(self, server: socket.socket, pipe: Path) -> None:
        self._server, self.pipe = server, pipe
        self.port = server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/secret.ts"

    def sprung(self) -> bool:
        """Whether somebody has connected, or waits for the pipe to be written."""
        with suppress(BlockingIOError):
            self._server.accept()[0].close()
            return True
        with suppress(OSError):
            os.close(os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False

    async def avoided(self, work: Coroutine[None, None, AvOutcome | AvFacts]) -> AvOutcome | AvFacts:
        """The result of some work that must not reach them."""
        pending = asyncio.ensure_future(work)
        while not pending.done():
            assert not self.sprung()
            await asyncio.wait({pending}, timeout=0.01)
        assert not self.sprung()
        return pending.result()


@pytest.fixture
def traps(tmp_path: Path) -> Iterator[Traps]:
    pipe = tmp_path / "canary.ts"
    os.mkfifo(pipe)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield Traps(server, pipe)


async def test_the_traps_work(traps: Traps) -> None:
    assert not traps.sprung()
    reading = os.open(traps.pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert traps.sprung()
    os.close(reading)
    _, writer = await asyncio.open_connection("127.0.0.1", traps.port)
    assert traps.sprung()
    writer.close()
    await writer.wait_closed()


async def facts_of(cage: FfmpegCage, footage: Footage, name: str) -> AvFacts:
    sample = footage[name]
    facts = await probe(cage, sample.path, sample.mime)
    assert isinstance(facts, AvFacts), facts
    return facts


@pytest.mark.parametrize(
    ("name", "codecs", "seconds"),
    [
        ("mp4", ("h264", "aac"), 4), ("silent", ("h264", None), 4), ("mov", ("h264", "aac"), 4),
        ("hevc", ("hevc", "aac"), 4), ("wmv", ("wmv2", "wmav2"), 4), ("avi", ("mpeg4", "mp3"), 4),
        ("mpeg", ("mpeg2video", "mp2"), 4), ("ts", ("mpeg2video", "mp2"), 4), ("m1v", ("mpeg1video", None), 0),
        ("3gp", ("h263", "amr_nb"), 4), ("mp3", (None, "mp3"), 4), ("m4a", (None, "aac"), 4),
        ("alac", (None, "alac"), 4), ("amr", (None, "amr_nb"), 0), ("wav", (None, "pcm_s16le"), 4),
    ],
)  # fmt: skip
async def test_what_a_file_is(
    ffmpeg_cage: FfmpegCage, footage: Footage, name: str, codecs: tuple[str | None, str | None], seconds: int
) -> None:
    facts = await facts_of(ffmpeg_cage, footage, name)
    assert (facts.video and facts.video.codec, facts.audio and facts.audio.codec) == codecs
    assert facts.estimated == (seconds == 0)
    if seconds:
        assert facts.seconds == pytest.approx(seconds, abs=0.15)


async def test_a_turned_video_is_as_wide_as_it_is_shown(ffmpeg_cage: FfmpegCage, footage: Footage) -> None:
    facts = await probe(ffmpeg_cage, footage.portrait.path, "video/mp4")
    assert isinstance(facts, AvFacts)
    assert facts.video is not None
    assert (facts.width, facts.height, facts.video.rotation) == (360, 640, 90)


async def test_a_cover_is_no_video(ffmpeg_cage: FfmpegCage, footage: Footage) -> None:
    facts = await probe(ffmpeg_cage, footage.covered.path, "audio/mpeg")
    assert isinstance(facts, AvFacts)
    assert (facts.cover, facts.video) == (True, None)


@pytest.mark.parametrize(("name", "front"), [("mp4", True), ("mov", False), ("m4a", True), ("wav", False)])
async def test_where_the_index_stands(ffmpeg_cage: FfmpegCage, footage: Footage, name: str, front: bool) -> None:
    assert (await facts_of(ffmpeg_cage, footage, name)).faststart is front


@pytest.mark.parametrize("mime", sorted(MIMES))
@pytest.mark.parametrize("kind", ["playlist", "concat", "text", "empty", "svg"])
async def test_scripts_and_texts_are_no_media_under_any_name(
    ffmpeg_cage: FfmpegCage, tmp_path: Path, traps: Traps, kind: str, mime: str
) -> None:
    scripts = {
        "playlist": f"#EXTM3U\n#EXTINF:1,\n{traps.url}\n#EXTINF:1,\nfile://{traps.pipe}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{traps.pipe}'\nfile '{traps.url}'\n",
        "text": "plain words " * 1000,
        "empty": "",
        "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{traps.url}"/></svg>',
    }
    script = tmp_path / "script.mp4"
    script.write_text(scripts[kind])
    outcome = await traps.avoided(looked_at(ffmpeg_cage, script, mime))
    assert isinstance(outcome, AvBroken)
    assert "took longer" not in outcome.reason


async def looked_at(cage: FfmpegCage, path: Path, mime: str) -> AvOutcome | AvFacts:
    """What comes of a file: a demuxer for frames without a header may take any bytes for some at first."""
    facts = await probe(cage, path, mime)
    if isinstance(facts, AvBroken):
        return facts
    wanted = AvWanted(types=frozenset({mime}))
    return await Transcoder(cage=cage).fit(path, mime, facts, size=1, budget=10, wanted=wanted)


async def test_a_movie_whose_data_is_in_another_file(
    ffmpeg_cage: FfmpegCage, footage: Footage, tmp_path: Path, traps: Traps
) -> None:
    movie = tmp_path / "movie.mov"
    movie.write_bytes(with_external_data(footage["mov"].path.read_bytes(), traps.pipe))
    outcome = await traps.avoided(probe(ffmpeg_cage, movie, "video/quicktime"))
    assert outcome == AvBroken(reason="its data is in another file")


async def test_more_pixels_than_allowed(ffmpeg_cage: FfmpegCage, footage: Footage) -> None:
    sample = footage.blank("huge", size="8192x4320", seconds=1, rate="1")
    outcome = await probe(ffmpeg_cage, sample.path, sample.mime)
    assert outcome == AvBroken(reason="it has 8192 × 4320 pixels, 9,437,184 in all are allowed")


async def test_longer_than_allowed(ffmpeg_cage: FfmpegCage, footage: Footage) -> None:
    sample = footage.blank("endless", size="16x16", seconds=5 * 3600, rate="1/60")
    outcome = await probe(ffmpeg_cage, sample.path, sample.mime)
    assert outcome == AvBroken(reason="it is 18,000 s long, 14,400 are allowed")


async def test_a_codec_that_nobody_knows(ffmpeg_cage: FfmpegCage, footage: Footage, tmp_path: Path) -> None:
    strange = tmp_path / "strange.mp4"
    strange.write_bytes(footage["mp4"].path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    outcome = await probe(ffmpeg_cage, strange, "video/mp4")
    assert outcome == AvBroken(reason="no codec is known for its moving pictures", codecs=True)


async def test_a_video_file_with_nothing_but_sound(ffmpeg_cage: FfmpegCage, footage: Footage) -> None:
    outcome = await probe(ffmpeg_cage, footage["m4a"].path, "video/mp4")
    assert outcome == AvBroken(reason="it has no moving pictures", codecs=True)
