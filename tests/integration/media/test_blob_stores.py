"""What every store of blobs does, wherever it keeps them."""

import asyncio
import hashlib
import secrets

import pytest

from mmsgate.clock import MINUTE
from mmsgate.media.storage import BlobMissingError, BlobStore
from tests.integration.media.keepers import LONG, Keeper


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def all_old(store: BlobStore) -> list[str]:
    page = await store.old()
    names = list(page.names)
    while page.after:
        page = await store.old(page.after)
        names += page.names
    return names


async def test_bytes_are_kept_under_their_hash(keeper: Keeper) -> None:
    blobs = keeper.store
    blob = await blobs.put_bytes(b"hello")
    assert blob == name_of(b"hello")
    assert await blobs.read(blob) == b"hello"
    assert (await blobs.path(blob)).read_bytes() == b"hello"
    assert await blobs.renew(blob)
    assert list(blobs.incoming.iterdir()) == []


async def test_what_one_process_keeps_another_reads(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"hello")
    other = keeper.another()
    await other.start()
    assert await other.read(blob) == b"hello"
    assert (await other.path(blob)).read_bytes() == b"hello"
    assert await other.renew(blob)
    await other.stop()


async def test_equal_bytes_are_kept_once(keeper: Keeper) -> None:
    other = keeper.another()
    await other.start()
    for store, expected in ((keeper.store, True), (keeper.store, False), (other, False)):
        file = store.incoming / "incoming-x"
        file.write_bytes(b"hello")
        assert await store.put_file(file, name_of(b"hello")) is expected
        assert not file.exists()
    await other.stop()


async def test_a_file_whose_hash_is_not_known_is_taken_over(keeper: Keeper) -> None:
    file = keeper.store.incoming / "incoming-x"
    file.write_bytes(b"hello")
    assert await keeper.store.take(file) == name_of(b"hello")
    assert not file.exists()
    assert await keeper.store.read(name_of(b"hello")) == b"hello"


async def test_a_video_of_many_megabytes_comes_back_as_it_was(keeper: Keeper) -> None:
    data = secrets.token_bytes(20_000_001)
    blob = await keeper.store.put_bytes(data)
    other = keeper.another()
    await other.start()
    assert (await other.path(blob)).read_bytes() == data
    assert await other.put_bytes(data) == blob
    await other.stop()


async def test_no_bytes_at_all_are_a_blob_too(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"")
    assert await keeper.store.read(blob) == b""


async def test_readers_share_one_object(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"hello")
    other = keeper.another()
    await other.start()
    found = await asyncio.gather(*(other.read(blob) for _ in range(50)))
    found.append(await other.read(blob))
    assert all(data is found[0] for data in found)
    await other.stop()


async def test_memory_is_bounded(keeper: Keeper) -> None:
    blobs = keeper.store
    small, other, large = [await blobs.put_bytes(letter * size) for letter, size in
                           ((b"a", 600_000), (b"b", 600_000), (b"c", 1_100_000))]  # fmt: skip
    first = await blobs.read(small)
    assert await blobs.read(small) is first
    await blobs.read(other)  # pushes the first one out
    assert await blobs.read(small) is not first
    assert await blobs.read(large) is not await blobs.read(large)


async def test_a_blob_that_is_not_there(keeper: Keeper) -> None:
    missing = name_of(b"missing")
    assert not await keeper.store.renew(missing)
    with pytest.raises(BlobMissingError):
        await keeper.store.read(missing)
    with pytest.raises(BlobMissingError):
        await keeper.store.path(missing)
    assert not await keeper.store.delete_old(missing)
    assert list(keeper.store.incoming.iterdir()) == []


async def test_a_blob_that_was_missed_can_be_put(keeper: Keeper) -> None:
    with pytest.raises(BlobMissingError):
        await keeper.store.read(name_of(b"hello"))
    assert await keeper.store.read(await keeper.store.put_bytes(b"hello")) == b"hello"


async def test_a_deleted_blob_is_gone_from_memory_too(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"hello")
    await keeper.store.read(blob)
    keeper.advance(LONG)
    assert await keeper.store.delete_old(blob)
    with pytest.raises(BlobMissingError):
        await keeper.store.read(blob)
    with pytest.raises(BlobMissingError):
        await keeper.store.path(blob)


async def test_what_was_put_or_renewed_within_the_hour_is_not_deleted(keeper: Keeper) -> None:
    blobs = keeper.store
    put_again, renewed, forgotten = [await blobs.put_bytes(data) for data in (b"a", b"b", b"c")]
    keeper.advance(LONG)
    assert sorted(await all_old(blobs)) == sorted((put_again, renewed, forgotten))
    await blobs.put_bytes(b"a")
    assert await blobs.renew(renewed)
    keeper.advance(59 * MINUTE)
    assert [await blobs.delete_old(blob) for blob in (put_again, renewed, forgotten)] == [False, False, True]
    assert forgotten not in await all_old(blobs)


async def test_what_another_process_renewed_just_now_is_not_deleted(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"hello")
    other = keeper.another()
    await other.start()
    keeper.advance(LONG)
    assert await other.renew(blob)
    keeper.advance(29 * MINUTE)
    assert await other.renew(blob)
    keeper.advance(59 * MINUTE)
    assert not await keeper.store.delete_old(blob)
    assert await other.read(blob) == b"hello"
    await other.stop()


async def test_a_blob_that_was_deleted_can_be_put_anew_by_whoever_had_it(keeper: Keeper) -> None:
    blob = await keeper.store.put_bytes(b"hello")
    other = keeper.another()
    await other.start()
    keeper.advance(LONG)
    assert await other.delete_old(blob)
    assert await keeper.store.put_bytes(b"hello") == blob
    assert await other.read(blob) == b"hello"
    await other.stop()


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n", "../" + "a" * 61])
async def test_only_hashes_are_names(keeper: Keeper, name: str) -> None:
    for use in (keeper.store.read, keeper.store.path, keeper.store.renew, keeper.store.delete_old):
        with pytest.raises(ValueError, match="no name of a blob"):
            await use(name)


async def test_it_starts_and_stops_in_any_order(keeper: Keeper) -> None:
    other = keeper.another()
    await other.stop()
    await other.start()
    await other.start()
    blob = await other.put_bytes(b"hello")
    await other.stop()
    await other.stop()
    await other.start()
    assert await other.read(blob) == b"hello"
    await other.stop()
