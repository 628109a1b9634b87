"""Copies of blobs on the local disk: bounded, the least used go first, and nothing but the folder is believed."""

import os
from pathlib import Path

import pytest

from mmsgate.clock import MINUTE, SECOND, ManualClock
from mmsgate.config import ConfigFault, Settings
from mmsgate.media.blobs import open_blobs
from mmsgate.media.copies import Copies
from mmsgate.media.storage import FileBlobStore


def copies(folder: Path, clock: ManualClock, *, limit: int = 1000) -> Copies:
    made = Copies(folder / "copies", limit=limit, clock=clock)
    made.prepare()
    return made


def kept(store: Copies, data: bytes) -> str:
    path, blob = store.temporary.write(data)
    store.keep(path, blob)
    return blob


def test_the_least_recently_used_make_room(tmp_path: Path, clock: ManualClock) -> None:
    store = copies(tmp_path, clock)
    blobs = []
    for letter in (b"a", b"b", b"c", b"d"):
        clock.advance(SECOND)
        blobs.append(kept(store, letter * 240))
    clock.advance(SECOND)
    assert store.read(blobs[0]) == b"a" * 240  # used just now
    clock.advance(SECOND)
    blobs.append(kept(store, b"e" * 240))
    assert [store.get(blob) is not None for blob in blobs] == [True, False, False, True, True]


def test_the_newest_stays_even_if_it_alone_is_more_than_the_limit(tmp_path: Path, clock: ManualClock) -> None:
    store = copies(tmp_path, clock)
    small, large = kept(store, b"small"), kept(store, b"x" * 2000)
    assert store.read(large) == b"x" * 2000
    assert store.read(small) is None


def test_a_file_that_is_read_while_it_makes_room_is_read_to_its_end(tmp_path: Path, clock: ManualClock) -> None:
    store = copies(tmp_path, clock)
    path = store.get(kept(store, b"a" * 900))
    assert path is not None
    with path.open("rb") as file:
        clock.advance(SECOND)
        kept(store, b"b" * 900)
        assert not path.exists()
        assert file.read() == b"a" * 900


def test_two_processes_share_a_folder_and_its_limit(tmp_path: Path, clock: ManualClock) -> None:
    one, other = copies(tmp_path, clock), copies(tmp_path, clock)
    for number in range(20):
        clock.advance(SECOND)
        kept((one, other)[number % 2], b"%3d" % number * 50)
    left = [file.stat().st_size for file in (tmp_path / "copies").glob("??/*")]
    assert 0 < sum(left) <= 1200


def test_a_start_keeps_what_is_there_up_to_a_new_limit_and_removes_what_a_crash_left(
    tmp_path: Path, clock: ManualClock
) -> None:
    store = copies(tmp_path, clock)
    old = kept(store, b"a" * 400)
    clock.advance(SECOND)
    new = kept(store, b"b" * 400)
    half, _ = store.temporary.write(b"half")
    stamp = (clock.now() - 11 * MINUTE) / 1000
    os.utime(half, (stamp, stamp))
    again = copies(tmp_path, clock, limit=500)
    assert (again.read(old), again.read(new)) == (None, b"b" * 400)
    assert not half.exists()


def test_a_copy_is_synced_before_it_gets_its_name(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, done = copies(tmp_path, clock), []
    sync, replace = os.fsync, Path.replace

    def noted_sync(handle: int) -> None:
        done.append("sync")
        sync(handle)

    def noted_replace(self: Path, target: Path) -> Path:
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    kept(store, b"hello")
    assert done == ["sync", "name"]


def test_what_is_no_name_of_a_blob_is_no_path(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="no name of a blob"):
        copies(tmp_path, clock).get("../" + "a" * 61)


# which store


def test_files_in_the_data_folder_are_the_default(tmp_path: Path, clock: ManualClock) -> None:
    store = open_blobs(Settings(data_dir=tmp_path), clock)
    assert isinstance(store, FileBlobStore)
    assert str(store) == f"files in {tmp_path}/blobs"


def test_an_s3_url_is_a_bucket_with_copies_where_media_are_made(tmp_path: Path, clock: ManualClock) -> None:
    settings = Settings(
        data_dir=tmp_path, blobs_url="s3://media/mms/prod/", s3_endpoint="https://s3.example.com",
        s3_access_key="id", s3_secret_key="s3cret",
    )  # fmt: skip
    store = open_blobs(settings, clock)
    assert str(store) == "S3: bucket media at https://s3.example.com, under mms/prod/"
    assert store.incoming == settings.blobs / "copies" / "incoming"


@pytest.mark.parametrize("half", [{"s3_access_key": "id"}, {"s3_secret_key": "s3cret"}])
def test_half_a_key_is_refused(tmp_path: Path, clock: ManualClock, half: dict[str, str]) -> None:
    settings = Settings(data_dir=tmp_path, blobs_url="s3://media", **half)  # type: ignore[arg-type]  # all are texts
    with pytest.raises(ConfigFault, match="s3_access_key and s3_secret_key go together") as caught:
        open_blobs(settings, clock)
    assert "s3cret" not in str(caught.value)
