"""``mmsgate doctor``: is this installation sound, and what waits for a person."""

import asyncio
import ipaddress
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import click

from mmsgate.carriers.profile import CarrierProfile
from mmsgate.carriers.record import ProfileError, profile_from_json
from mmsgate.cli.carrier import where
from mmsgate.cli.output import data_dir_option, out, running_at
from mmsgate.clock import SECOND, SystemClock, iso
from mmsgate.config import Settings, load
from mmsgate.errors import Fault
from mmsgate.http import Answered, HttpClient, Timeouts
from mmsgate.media.blobs import open_blobs
from mmsgate.media.cage import CageError
from mmsgate.media.ffmpeg import FfmpegCage
from mmsgate.store import Store, prepare
from mmsgate.store.nodes import DEAD_AFTER

Check = tuple[str, bool, str]
LOW_DISK = 1_000_000_000  # bytes
PATIENCE = Timeouts(connect=2, total=5)


@click.command()
@data_dir_option
def doctor(data_dir: str | None) -> None:
    """Check the installation and show what waits for a person. Exit status 1 if something is wrong."""
    checks = asyncio.run(_checks(load(data_dir=data_dir)))
    for name, fine, text in checks:
        mark = "[green]ok[/green]  " if fine else "[red]look[/red]"
        out.print(f"{mark}  {name}: {text}", highlight=False, soft_wrap=True)
    if not all(fine for _, fine, _ in checks):
        raise SystemExit(1)


async def _checks(settings: Settings) -> list[Check]:
    url = running_at(settings)
    return [
        *_machine(settings),
        await _ffmpeg(settings),
        await _blobs(settings),
        await _gateway(url),
        _public_url(settings, url),
        *await _store(settings),
    ]


def _machine(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    there, writable = folder.is_dir(), os.access(folder, os.W_OK)
    wrong = "" if there and writable else " can't be written to" if there else " does not exist"
    yield "data folder", not wrong, f"{folder}{wrong}"
    if there:
        free = shutil.disk_usage(folder).free
        yield "disk", free > LOW_DISK, f"{free / 1e9:.1f} GB free"
    yield "SQLite", sqlite3.sqlite_version_info >= (3, 35), sqlite3.sqlite_version


async def _ffmpeg(settings: Settings) -> Check:
    """Started as the gateway starts it, in the cage."""
    with tempfile.TemporaryDirectory(prefix="mmsgate-doctor-") as folder:
        cage = FfmpegCage(binary=Path(settings.ffmpeg) if settings.ffmpeg else None, folder=Path(folder))
        try:
            await cage.start()
        except CageError as error:
            return "ffmpeg", False, str(error)
        await cage.stop()
    return "ffmpeg", True, settings.ffmpeg or "the one that comes with mmsgate"


async def _blobs(settings: Settings) -> Check:
    """S3 is started as the gateway does it: it does once what is done all the time. It needs a folder for that."""
    if not settings.blobs_url:
        return "blobs", True, f"files in {settings.blobs}"
    with tempfile.TemporaryDirectory(prefix="mmsgate-doctor-") as folder:
        try:
            blobs = open_blobs(replace(settings, data_dir=Path(folder)), SystemClock())
            await blobs.start()
        except Fault as fault:
            return "blobs", False, str(fault)
        await blobs.stop()
    return "blobs", True, str(blobs)


async def _gateway(url: str) -> Check:
    """Asked over HTTP: where it is behind a proxy, the proxy listens also when the gateway does not."""
    http = HttpClient()
    await http.start()
    try:
        answer = await http.pool(limit=1).get(f"{url}/healthz", headers={}, timeouts=PATIENCE)
    finally:
        await http.stop()
    if not isinstance(answer, Answered):
        return "gateway", False, f"does not answer at {url} ({answer.reason})"
    return "gateway", answer.status == HTTPStatus.OK, f"answers HTTP {answer.status} at {url}"


def _public_url(settings: Settings, url: str) -> Check:
    """Whether phones elsewhere can open the links. On loopback nobody means them to."""
    try:
        address = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return "public URL", True, url  # a name
    open_to_phones = address.is_loopback or address.is_global or bool(settings.public_url)
    return "public URL", open_to_phones, url + ("" if open_to_phones else " (phones can't open it: set public_url)")


async def _store(settings: Settings) -> list[Check]:
    if not settings.database_url and not settings.database.exists():
        return [("database", False, f"{settings.database} does not exist: start the gateway once")]
    await prepare(settings.where)
    store = Store(settings.where, name="mmsgate doctor")
    await store.start()
    try:
        return [check for checks in (_queue(store), _carriers(store)) async for check in checks]
    finally:
        await store.stop()


async def _queue(store: Store) -> AsyncIterator[Check]:
    yield "messages", True, _counted(await store.messages.counts()) or "none yet"
    yield "preparations", True, f"{await store.preparations.count():,} wait or are under way"
    postbacks = await store.postbacks.counts()
    yield "postbacks", not postbacks.get("parked"), _counted(postbacks) or "none yet"
    orphans = await store.reports.count_orphans()
    yield "reports without a message", not orphans, f"{orphans:,}"
    homeless = await store.inbound.count_homeless()
    yield "inbound messages for nobody's number", not homeless, f"{homeless:,}"
    for node in await store.nodes.all() if store.nodes else ():
        alive = node.silent < DEAD_AFTER
        yield f"node {node.number}", alive, f"{node.role} on {node.host}, seen {node.silent / SECOND:.0f} s ago"
    for alarm in await store.accounts.alarms():
        since = iso(alarm.raised_at)
        yield f"ALARM {alarm.subject}", False, f"{alarm.reason} ({alarm.times} times since {since})"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))


async def _carriers(store: Store) -> AsyncIterator[Check]:
    now = SystemClock().now()
    for name, text in sorted((await store.accounts.directory()).profiles.items()):
        try:
            profile = profile_from_json(text)
        except ProfileError as error:
            yield f"carrier {name}", False, f"its profile can't be used: {error}"
            continue
        due = await store.queue.oldest(name, default=now)
        late = max(0, now - due) // 1000
        kind = "MM7" if isinstance(profile, CarrierProfile) else "SMPP"
        yield (
            f"carrier {name}",
            late < 60,
            f"{kind} at {where(profile)}" + (f"; oldest message is {late} s late" if late else ""),
        )
