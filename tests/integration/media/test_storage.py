"""Blobs on disk: kept by content, whole under their names, shared in memory."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.media.storage import SAFE, FileBlobStore


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_bytes_are_kept_under_their_hash(blobs: FileBlobStore, tmp_path: Path) -> None:
    blob = await blobs.put_bytes(b"hello")
    assert blob == name_of(b"hello")
    assert (tmp_path / "blobs" / blob[:2] / blob[2:]).read_bytes() == b"hello"
    assert await blobs.read(blob) == b"hello"
    assert (await blobs.path(blob)).read_bytes() == b"hello"
    assert await blobs.renew(blob)
    assert list(blobs.incoming.iterdir()) == []


async def test_file_and_folder_are_synced_before_and_after_the_rename(
    blobs: FileBlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, rename = os.fsync, Path.rename

    def noted_sync(handle: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{handle}')).name}")
        sync(handle)

    def noted_rename(self: Path, target: Path) -> Path:
        done.append("rename")
        return rename(self, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("names of open files are read from /proc")
    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "rename", noted_rename)
    blob = await blobs.put_bytes(b"hello")
    assert done[0].startswith("sync incoming-")
    assert done[1:] == ["rename", f"sync {blob[:2]}", "sync blobs"]


async def test_readers_share_one_object_and_one_read(blobs: FileBlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = await blobs.put_bytes(b"hello")
    reads = 0
    read_bytes = Path.read_bytes

    def counted(self: Path) -> bytes:
        nonlocal reads
        reads += 1
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", counted)
    found = await asyncio.gather(*(blobs.read(blob) for _ in range(100)))
    found.append(await blobs.read(blob))
    assert all(data is found[0] for data in found)
    assert reads == 1


async def test_what_was_put_or_renewed_within_the_hour_is_not_deleted(
    blobs: FileBlobStore, clock: ManualClock
) -> None:
    put_again, renewed, forgotten = [await blobs.put_bytes(data) for data in (b"a", b"b", b"c")]
    clock.advance(SAFE + SECOND)
    await blobs.put_bytes(b"a")
    assert await blobs.renew(renewed)
    assert [await blobs.delete_old(blob) for blob in (put_again, renewed, forgotten)] == [False, False, True]


async def test_what_a_crash_left_behind_is_removed_once_it_is_old(blobs: FileBlobStore) -> None:
    now = blobs._clock.now() / 1000
    old, young, other = (blobs.incoming / name for name in ("incoming-old", "incoming-young", "other"))
    for file, age in ((old, 11 * MINUTE), (young, MINUTE), (other, 11 * MINUTE)):
        file.write_bytes(b"half")
        os.utime(file, (now - age / 1000, now - age / 1000))
    await blobs.start()
    assert [file.exists() for file in (old, young, other)] == [False, True, True]
