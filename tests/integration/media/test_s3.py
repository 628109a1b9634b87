"""Blobs in S3: what goes wrong between two machines, and between processes that share a bucket."""

import asyncio
import hashlib
import logging
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmsgate.clock import HOUR, ManualClock
from mmsgate.media.bucket import Bucket, BucketSettings
from mmsgate.media.s3 import DEAD, REMEMBERED, BlobDamagedFault, S3BlobStore
from mmsgate.media.storage import BlobFault, BlobMissingError
from tests.integration.media.keepers import LONG, s3_store
from tests.s3.server import Relay, S3Server


def name_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Hosts:
    """Some hosts and the bucket that they share. Every host's clock is right, unless a test changes it."""

    def __init__(self, folder: Path, server: S3Server, relay: Relay) -> None:
        self.folder, self.server, self.relay = folder, server, relay
        self.bucket = server.bucket()
        self.clock = ManualClock(time.time_ns() // 1_000_000 + server.ahead)
        self.stores: list[S3BlobStore] = []

    async def join(self, *, relayed: bool = False, clock: ManualClock | None = None) -> S3BlobStore:
        url = self.relay.url if relayed else self.server.url
        store = s3_store(self.folder, url, self.bucket, clock or self.clock)
        await store.start()
        self.stores.append(store)
        return store

    def advance(self, by: int) -> None:
        self.server.advance(by)
        self.clock.advance(by)

    def put(self, key: str, data: bytes) -> None:
        self.server.ask("PUT", f"/{self.bucket}/some/prefix/{key}", data)

    def delete(self, key: str) -> None:
        self.server.ask("DELETE", f"/{self.bucket}/some/prefix/{key}")

    def objects(self) -> list[str]:
        """Every object of the bucket, in order."""
        listed = self.server.ask("GET", f"/{self.bucket}?list-type=2").decode()
        return [part.partition("</Key>")[0].removeprefix("some/prefix/") for part in listed.split("<Key>")[1:]]


@pytest.fixture
async def relay(s3_server: S3Server) -> AsyncIterator[Relay]:
    running = Relay(s3_server.port)
    await running.open()
    yield running
    await running.cut()


@pytest.fixture
async def hosts(tmp_path: Path, s3_server: S3Server, relay: Relay) -> AsyncIterator[Hosts]:
    made = Hosts(tmp_path, s3_server, relay)
    yield made
    for store in made.stores:
        await store.stop()


# what is in the bucket


async def test_the_probe_leaves_nothing_and_a_blob_is_one_object_under_the_prefix(hosts: Hosts) -> None:
    store = await hosts.join()
    assert hosts.objects() == []
    blob = await store.put_bytes(b"hello")
    assert hosts.objects() == [f"blobs/{blob}"]


async def test_a_removed_blob_leaves_nothing(hosts: Hosts) -> None:
    store, other = await hosts.join(), await hosts.join()
    blob = await store.put_bytes(b"hello")
    assert await other.renew(blob)
    hosts.advance(LONG)
    assert await store.delete_old(blob)
    assert hosts.objects() == []


async def test_what_is_no_blob_is_let_alone(hosts: Hosts) -> None:
    store = await hosts.join()
    hosts.put("blobs/README", b"ours")
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)
    page = await store.old()
    assert page.names == (blob,)
    assert (await store.old(page.after)).after == ""


# a server that stops, and bytes that come wrong


async def test_a_server_that_stops_is_a_fault_and_nothing_is_lost_once_it_is_back(hosts: Hosts) -> None:
    store, other = await hosts.join(relayed=True), await hosts.join()
    kept = await other.put_bytes(b"kept")
    await hosts.relay.cut()
    for use in (store.put_bytes(b"hello"), store.read(kept), store.path(kept), store.renew(kept), store.old()):
        with pytest.raises(BlobFault, match="failed"):
            await use
    assert list(store.incoming.iterdir()) == []
    with pytest.raises(BlobMissingError):
        await other.read(name_of(b"hello"))
    await hosts.relay.open()
    assert await store.read(kept) == b"kept"
    assert await other.read(await store.put_bytes(b"hello")) == b"hello"


async def test_what_this_host_has_a_copy_of_it_gives_while_the_server_is_stopped(hosts: Hosts) -> None:
    store = await hosts.join(relayed=True)
    blob = await store.put_bytes(b"hello")
    await hosts.relay.cut()
    assert (await store.path(blob)).read_bytes() == b"hello"
    assert await store.read(blob) == b"hello"


async def test_a_connection_that_ends_in_the_middle_gives_no_half_of_a_blob(hosts: Hosts) -> None:
    store, other = await hosts.join(relayed=True), await hosts.join()
    data = secrets.token_bytes(3_000_000)
    blob = await other.put_bytes(data)
    hosts.relay.room = 1_000_000
    try:
        assert await store.read(blob) == data
    except BlobFault:
        assert await store.read(blob) == data
    assert hosts.relay.dropped == 1
    assert list(store.incoming.iterdir()) == []


@pytest.mark.parametrize("damaged", [b"hell", b"", b"hallo", b"hello!"])
async def test_a_truncated_or_altered_object_is_noticed(hosts: Hosts, damaged: bytes) -> None:
    store, other = await hosts.join(), await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.put(f"blobs/{blob}", damaged)
    for use in (other.read, other.path):
        with pytest.raises(BlobDamagedFault, match=f"the blob {blob} is damaged"):
            await use(blob)
    assert list(other.incoming.iterdir()) == []


async def test_a_truncated_object_is_put_anew_by_who_has_its_bytes(
    hosts: Hosts, caplog: pytest.LogCaptureFixture
) -> None:
    store, other, third = await hosts.join(), await hosts.join(), await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.put(f"blobs/{blob}", b"hell")
    with caplog.at_level(logging.ERROR):
        await other.put_bytes(b"hello")
    assert f"the blob {blob} had 4 bytes instead of 5" in caplog.text
    assert await third.read(blob) == b"hello"


async def test_many_who_want_a_blob_at_once_fetch_it_once(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = await hosts.join(), await hosts.join()
    blob = await store.put_bytes(b"hello")
    fetched = []
    download = Bucket.download

    async def noted(self: Bucket, key: str, file: object) -> str:
        fetched.append(key)
        return await download(self, key, file)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(Bucket, "download", noted)
    found = await asyncio.gather(*(use(blob) for _ in range(20) for use in (other.path, other.read)))
    assert len(found) == 40
    assert fetched == [f"blobs/{blob}"]


# removal by one, use by another


async def test_the_age_counts_by_the_servers_clock_however_wrong_a_hosts_is(hosts: Hosts) -> None:
    wrong = await hosts.join(clock=ManualClock(hosts.clock.now() + 10 * HOUR))
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    assert (await wrong.old()).names == (blob,)
    assert not await wrong.delete_old(blob)
    assert await wrong.read(blob) == b"hello"


async def test_a_renewal_is_remembered_for_half_an_hour_and_not_by_a_clock_that_was_set_back(hosts: Hosts) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    assert await store.renew(blob)
    assert hosts.objects() == [f"blobs/{blob}"]  # nothing had to be said
    for change in (REMEMBERED, -HOUR):
        hosts.clock.advance(change)
        assert await store.renew(blob)
        assert hosts.objects() == [f"blobs/{blob}", f"renewed/{blob}"]
        hosts.delete(f"renewed/{blob}")


async def test_a_blob_that_is_about_to_be_removed_cannot_be_renewed(hosts: Hosts) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)
    hosts.put(f"going/{blob}", b"")
    assert not await store.renew(blob)


async def test_a_put_waits_for_a_removal_and_puts_again(hosts: Hosts) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)
    hosts.put(f"going/{blob}", b"")

    async def removed(_: float) -> None:
        hosts.delete(f"blobs/{blob}")
        hosts.delete(f"going/{blob}")

    store._pause = removed
    assert await store.put_bytes(b"hello") == blob
    assert await (await hosts.join()).read(blob) == b"hello"


async def test_a_put_that_meets_a_removal_without_end_is_no_success(hosts: Hosts) -> None:
    store = await hosts.join()
    store._pause = _at_once
    hosts.put(f"going/{name_of(b'hello')}", b"")
    with pytest.raises(BlobFault, match="is being removed all the time"):
        await store.put_bytes(b"hello")


async def test_what_a_process_left_that_died_removing_stops_nobody_for_long(hosts: Hosts) -> None:
    store = await hosts.join()
    store._pause = _at_once
    hosts.put(f"going/{name_of(b'hello')}", b"")
    hosts.advance(DEAD + 2000)
    assert await store.put_bytes(b"hello")
    assert f"going/{name_of(b'hello')}" not in hosts.objects()


async def test_a_removal_that_another_has_begun_is_left_to_it_unless_it_died_long_ago(hosts: Hosts) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)
    hosts.put(f"going/{blob}", b"")
    assert not await store.delete_old(blob)
    assert f"going/{blob}" in hosts.objects()
    hosts.advance(HOUR + 2000)
    assert not await store.delete_old(blob)  # takes away what is left of the other
    assert await store.delete_old(blob)
    assert f"blobs/{blob}" not in hosts.objects()


async def test_a_removal_that_failed_on_its_way_is_not_said_to_be_over(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)

    async def lost(*_: object, until: float) -> None:
        assert until > time.monotonic()
        raise BlobFault

    with monkeypatch.context() as patched:
        patched.setattr(Bucket, "delete_once", lost)
        with pytest.raises(BlobFault):
            await store.delete_old(blob)
    assert f"going/{blob}" in hosts.objects()
    assert not await store.renew(blob)


async def test_a_removal_that_comes_too_late_is_not_begun(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await hosts.join()
    blob = await store.put_bytes(b"hello")
    hosts.advance(LONG)
    monkeypatch.setattr("mmsgate.media.s3._REMOVE_WITHIN", -1.0)
    with pytest.raises(BlobFault, match="too slow for a removal"):
        await store.delete_old(blob)
    assert f"blobs/{blob}" in hosts.objects()


@pytest.mark.parametrize("use", ["put", "renew"])
async def test_however_a_removal_and_a_use_meet_no_success_is_false(hosts: Hosts, use: str) -> None:
    remover, user = await hosts.join(), await hosts.join()
    bytes_of = [secrets.token_bytes(16) for _ in range(24)]
    blobs = [await remover.put_bytes(data) for data in bytes_of]
    hosts.advance(LONG)

    async def used(number: int) -> bool:
        await asyncio.sleep(number % 8 / 1000)  # so that they meet in different places
        if use == "renew":
            return await user.renew(blobs[number])
        return bool(await user.put_bytes(bytes_of[number]))

    outcomes = await asyncio.gather(
        *(used(number) for number in range(24)), *(remover.delete_old(blob) for blob in blobs)
    )
    third = await hosts.join()
    for blob, success in zip(blobs, outcomes[:24], strict=True):
        if success:
            assert (await third.path(blob)).exists()


# what is wrong at the start


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bucket": "no-such-bucket"}, "there is no bucket no-such-bucket; create it, or correct blobs_url"),
        ({"url": "http://127.0.0.1:1"}, "PUT: HTTP error: error sending request; see that it runs, and that"),
    ],
)
async def test_a_bucket_that_cannot_be_had_is_one_sentence_at_the_start(
    tmp_path: Path, s3_server: S3Server, changes: dict[str, str], sentence: str
) -> None:
    found = {"url": s3_server.url, "bucket": s3_server.bucket(), **changes}
    store = s3_store(tmp_path, found["url"], found["bucket"], ManualClock())
    with pytest.raises(BlobFault) as caught:
        await store.start()
    assert str(caught.value).startswith(
        f"the bucket {found['bucket']} at {found['url']}, under some/prefix/ can't be"
    )
    assert sentence in str(caught.value)
    assert "s3cret" not in str(caught.value)
    await store.stop()


async def test_wrong_keys_and_missing_rights_are_one_sentence_at_the_start(
    tmp_path: Path, s3_server: S3Server
) -> None:
    bucket = s3_server.bucket()
    with s3_server.guarded() as (key, secret):
        for keys, sentence in (
            (("unknown", "s3cret"), "the server does not know the keys; correct s3_access_key and s3_secret_key"),
            ((key, "s3cret"), "the server does not know the keys; correct s3_access_key and s3_secret_key"),
            ((key, secret), "the keys may not do what is needed; allow them s3:GetObject, s3:PutObject"),
        ):
            store = s3_store(tmp_path, s3_server.url, bucket, ManualClock(), key=keys[0], secret=keys[1])
            with pytest.raises(BlobFault, match=sentence) as caught:
                await store.start()
            assert bucket in str(caught.value)
            assert keys[1] not in str(caught.value)
            await store.stop()


async def test_a_server_that_ignores_if_none_match_is_refused_at_the_start(hosts: Hosts) -> None:
    hosts.relay.spelled = (b"if-none-match: ", b"x-none-match_: ")
    with pytest.raises(BlobFault, match="the server ignores If-None-Match"):
        await hosts.join(relayed=True)


def test_a_secret_is_in_no_repr(s3_server: S3Server) -> None:
    settings = BucketSettings(bucket="bucket", endpoint=s3_server.url, access_key="id", secret_key="s3cret")
    assert "s3cret" not in f"{settings!r} {settings} {Bucket(settings)!r} {Bucket(settings)}"


# the end

_USES_ALL = """
import asyncio, sys
from pathlib import Path
from mmsgate.clock import SystemClock
from mmsgate.media.bucket import Bucket, BucketSettings
from mmsgate.media.copies import Copies
from mmsgate.media.s3 import S3BlobStore

async def main(url, bucket, folder):
    settings = BucketSettings(bucket=bucket, endpoint=url, region="us-east-1", access_key="id", secret_key="key")
    copies = Copies(Path(folder), limit=10**8, clock=SystemClock())
    store = S3BlobStore(Bucket(settings), copies, clock=SystemClock())
    await store.start()
    blob = await store.put_bytes(bytes(9_000_000))
    copies.drop(blob)
    await store.read(blob)
    await store.old()
    await store.stop()

asyncio.run(main(*sys.argv[1:]))
"""


def test_a_process_that_used_s3_ends_as_others_do(tmp_path: Path, s3_server: S3Server) -> None:
    """After asynchronous calls of obstore 0.12, about every second such process ends with SIGABRT."""
    command = [sys.executable, "-c", _USES_ALL, s3_server.url, s3_server.bucket(), str(tmp_path)]
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_obstore_is_not_loaded_where_s3_is_not_configured() -> None:
    look = "import sys, mmsgate.app, mmsgate.media.blobs; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], timeout=60, check=False).returncode == 0


async def _at_once(_: float) -> None:
    """Time is not what these tests wait for."""
