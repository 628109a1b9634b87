"""What is encoded once and shared, and what is kept of it."""

import asyncio
from dataclasses import replace

import pytest

from mmsgate.delivery.encoder import EncodeJob, Encoder
from mmsgate.domain.slide import Slide
from mmsgate.media.storage import BlobMissingError
from mmsgate.mm7 import content, multipart
from mmsgate.mm7.content import EncodedContent
from mmsgate.mm7.dialect import Dialect, Encoding
from tests.unit.delivery.fakes import FakeBlobs, FakeRenditions
from tests.unit.mm7.samples import BLOBS, HELLO, IMAGE

BASE64 = Dialect(encoding=Encoding.BASE64)
BINARY = Dialect()


class Bench:
    """An encoder over things in memory."""

    def __init__(
        self, blobs: dict[str, bytes], *, memory: int = 64_000_000, kept: FakeRenditions | None = None
    ) -> None:
        self.blobs, self.kept = FakeBlobs(blobs), kept or FakeRenditions()
        self.encoder = Encoder(self.blobs, self.kept, memory=memory)

    async def personal(self, text: str, dialect: Dialect = BASE64, *blobs: str) -> EncodedContent:
        """A content with one recipient's own text, of one slide for each blob."""
        slides = tuple(Slide(text=text, media=(replace(IMAGE, blob=blob),)) for blob in blobs or ("photo",))
        return await self.encoder.encode(EncodeJob(slides=slides, dialect=dialect), None)

    async def template(self, dialect: Dialect = BINARY) -> EncodedContent:
        """The content of the template 5."""
        return await self.encoder.encode(EncodeJob(slides=HELLO, dialect=dialect), 5)


def shared(first: EncodedContent, second: EncodedContent, *, least: int) -> list[bytes]:
    """The very same objects of at least that many bytes."""
    known = {id(buffer) for buffer in first.buffers}
    return [buffer for buffer in second.buffers if id(buffer) in known and len(buffer) >= least]


@pytest.fixture
def looked_through(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the bodies that were looked through for a boundary."""
    sizes: list[int] = []
    real = multipart.holds

    def holds(body: bytes, token: str) -> bool:
        sizes.append(len(body))
        return real(body, token)

    monkeypatch.setattr(multipart, "holds", holds)
    monkeypatch.setattr(content, "holds", holds)
    return sizes


async def test_recipients_with_their_own_texts_share_the_same_base64() -> None:
    bench = Bench({"photo": bytes(range(256)) * 400})
    first, second = await bench.personal("Hi Ada"), await bench.personal("Hi Bob")
    (body,) = shared(first, second, least=100_000)
    assert len(body) > 102_400 * 4 // 3
    assert first.buffers != second.buffers
    assert bench.blobs.read_names == ["photo"]
    assert bench.encoder.encodes == 2


async def test_many_recipients_at_once_share_the_same_base64() -> None:
    bench = Bench({"photo": bytes(range(256)) * 400})
    made = await asyncio.gather(*(bench.personal(f"Hi {number}") for number in range(20)))
    assert all(shared(made[0], each, least=100_000) for each in made)


async def test_encodings_do_not_share() -> None:
    bench = Bench({"photo": bytes(range(256)) * 400})
    first, second = await bench.personal("Hi Ada"), await bench.personal("Hi Ada", BINARY)
    assert shared(first, second, least=100_000) == []


@pytest.mark.parametrize("dialect", [BASE64, BINARY])
async def test_a_large_body_is_looked_through_for_the_usual_boundary_once(
    dialect: Dialect, looked_through: list[int]
) -> None:
    bench = Bench({"photo": bytes(range(256)) * 400})
    for number in range(5):
        await bench.personal(f"Hi {number}", dialect)
    assert len([size for size in looked_through if size > 100_000]) == 1


async def test_every_body_is_looked_through_for_a_boundary_that_is_not_the_usual_one(
    looked_through: list[int],
) -> None:
    blobs = {"photo": bytes(range(256)) * 400, "hostile": b""}
    bench = Bench(blobs)
    usual = (await bench.personal("Hi", BINARY)).boundary
    blobs["hostile"] = f"--{usual}--".encode()
    looked_through.clear()
    hostile = await bench.personal("Hi", BINARY, "photo", "hostile")
    assert hostile.boundary != usual
    assert len([size for size in looked_through if size > 100_000]) == 1
    assert (await bench.personal("Hi", BINARY)).boundary == usual


async def test_bodies_that_are_too_large_for_the_memory_are_made_anew() -> None:
    bench = Bench({"photo": bytes(range(256)) * 400}, memory=200_000)
    first, second = await bench.personal("Hi Ada"), await bench.personal("Hi Bob")
    assert shared(first, second, least=100_000) == []
    assert first.wire_size == second.wire_size


# -- kept


async def test_a_kept_form_whose_file_is_gone_is_encoded_anew_and_kept_again() -> None:
    kept, blobs = FakeRenditions(templates=frozenset({5})), dict(BLOBS)
    made = await Bench(blobs, kept=kept).template()
    (lost,) = kept.rows.values()
    del blobs[lost.blob]
    second = Bench(blobs, kept=kept)
    again = await second.template()
    assert second.encoder.encodes == 1
    assert (again.wire_size, again.decoded_size) == (made.wire_size, made.decoded_size)
    later = Bench(blobs, kept=kept)
    assert b"".join((await later.template()).buffers) == b"".join(again.buffers)
    assert later.encoder.encodes == 0


async def test_a_content_whose_own_files_are_gone_raises() -> None:
    kept, blobs = FakeRenditions(templates=frozenset({5})), dict(BLOBS)
    await Bench(blobs, kept=kept).template()
    (row,) = kept.rows.values()
    del blobs[row.blob], blobs["jpeg"]
    with pytest.raises(BlobMissingError, match="jpeg"):
        await Bench(blobs, kept=kept).template()


async def test_what_is_remembered_weighs_as_much_as_it_has_bytes_on_the_wire() -> None:
    made = await Bench(BLOBS).template(BASE64)
    size = made.wire_size
    assert made.decoded_size < size
    for memory, encodes in ((2 * size, 1), (2 * size - 2, 2)):
        bench = Bench(BLOBS, memory=memory)
        await bench.template(BASE64)
        await bench.template(BASE64)
        assert bench.encoder.encodes == encodes
